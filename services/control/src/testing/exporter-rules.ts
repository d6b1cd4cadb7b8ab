// How exporters read keepalived's text files, by their documented rules: indentation tells what belongs to what. A number
// that is none makes them give up the whole file.

const leading = (line: string): number => line.length - line.trimStart().length;

function split(line: string, separator: string): [key: string, value: string] {
  const at = line.indexOf(separator);
  return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

/** keepalived.stats: instance → `Section/Label` → number. */
export function readStats(text: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const instances = new Map<string, Map<string, number>>();
  let section = "";
  let values = new Map<string, number>();
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [key, value] = split(line, ":");
    if (leading(line) === 0) {
      if (key !== "VRRP Instance") throw new Error(`no line of an instance: ${line}`);
      values = new Map();
      instances.set(value, values);
    } else if (value === "") section = key;
    else {
      if (!/^\d+$/.test(value)) throw new Error(`no number: ${line}`);
      values.set(leading(line) === 2 ? key : `${section}/${key}`, Number(value));
    }
  }
  return instances;
}

export interface ReadObject {
  readonly values: ReadonlyMap<string, string>;
  /** Lines below a title, by the title without its count. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/** keepalived.data: the objects of one kind, such as ` VRRP Instance = VI_1`, by name. */
export function readData(text: string, kind: string): ReadonlyMap<string, ReadObject> {
  const objects = new Map<string, { values: Map<string, string>; lists: Map<string, string[]> }>();
  let current: { values: Map<string, string>; lists: Map<string, string[]> } | undefined;
  let list: string[] = [];
  for (const line of text.split("\n")) {
    const [key, value] = split(line, "=");
    if (leading(line) === 1 && key === kind) {
      current = { values: new Map(), lists: new Map() };
      objects.set(value, current);
    } else if (leading(line) < 3) current = undefined;
    else if (current !== undefined && leading(line) === 5) list.push(line.trim());
    else if (current !== undefined && line.includes("=")) current.values.set(key, value);
    else if (current !== undefined) {
      list = [];
      current.lists.set(line.trim().replace(/ *(\(\d+\))?:$/, ""), list);
    }
  }
  return objects;
}
