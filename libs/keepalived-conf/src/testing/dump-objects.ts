// keepalived's own dump of what it understood (`keepalived -d`), read back for comparison with our Config: sections of
// objects, and of each object what is told of it.

/** Label → value, as lines like `Label = value` say it; the lines of a list, one below the other; empty for a flag. */
export type Facts = ReadonlyMap<string, string>;

export interface DumpedObject {
  readonly name: string;
  readonly facts: Facts;
}

export interface Dump {
  readonly global: Facts;
  readonly instances: readonly DumpedObject[];
  /** False: it breaks off in the middle of an instance, of which nothing is said then. */
  readonly isWhole: boolean;
  readonly groups: readonly DumpedObject[];
  readonly scripts: readonly DumpedObject[];
  /** BFD sessions, of the process that runs them; and as instances and as real servers see them. */
  readonly sessions: readonly DumpedObject[];
  readonly trackedSessions: readonly DumpedObject[];
  readonly checkedSessions: readonly DumpedObject[];
  readonly staticAddresses: readonly string[];
  readonly staticRoutes: readonly string[];
  readonly staticRules: readonly string[];
}

export function readDump(text: string): Dump {
  const list = (title: string): string[] => {
    const lines = sectionOf(text, title).split("\n");
    return lines.filter((line) => line.startsWith("     ")).map((line) => line.trim());
  };
  const instances = objectsOf(text, "VRRP Topology", "VRRP Instance");
  const told = instances.filter(({ facts }) => facts.has("Accept"));
  return {
    global: globalFacts(sectionOf(text, "Global definitions")),
    instances: told,
    isWhole: told.length === instances.length,
    groups: objectsOf(text, "VRRP Sync groups", "VRRP Sync Group"),
    scripts: objectsOf(text, "VRRP Scripts", "VRRP Script"),
    sessions: objectsOf(text, "BFD Topology", "BFD Instance"),
    trackedSessions: objectsOf(text, "VRRP Track BFDs", "VRRP Track BFD"),
    checkedSessions: objectsOf(text, "Checker track BFDs", "Checker Track BFD"),
    staticAddresses: list("Static Addresses"),
    staticRoutes: list("Static Routes"),
    staticRules: list("Static Rules"),
  };
}

/** To the next title, which stands at the start of a line; empty without such a section. */
export function sectionOf(text: string, title: string): string {
  const start = text.search(new RegExp(`^------< ${title} >------$`, "m"));
  if (start < 0) return "";
  const from = text.indexOf("\n", start);
  const end = text.slice(from).search(/^(------<|======)/m);
  return end < 0 ? text.slice(from) : text.slice(from, from + end);
}

const objectsOf = (text: string, title: string, kind: string): DumpedObject[] =>
  sectionOf(text, title)
    .split(new RegExp(`^ ${kind} = `, "m"))
    .slice(1)
    .map((part) => {
      const [name = "", ...lines] = part.split("\n");
      return { name, facts: factsOf(lines, "   ") };
    });

const globalFacts = (text: string): Facts => factsOf(text.split("\n"), " ");

/** Labels that their value follows without a sign. */
const unsigned = [
  /^(Multicast address|Interface group|json_version|iproute (?:usr|etc) directory|Default script uid:gid) (.*)$/,
  /^(Use (?:VMAC|IPVLAN)), (.*)$/,
  /^(SNMP \w+|DBus|Script security) (enabled|disabled)$/,
];

/** `indent` stands before what is told of the object itself; more of it before the lines of a list. */
function factsOf(lines: readonly string[], indent: string): Facts {
  const facts = new Map<string, string>();
  let last = "";
  for (const line of lines) {
    if (line.trim() === "") continue;
    if (line.startsWith(`${indent} `)) {
      const before = facts.get(last) ?? "";
      facts.set(last, before === "" ? line.trim() : `${before}\n${line.trim()}`);
      continue;
    }
    const [label, value] = factOf(line.trim());
    last = label;
    facts.set(label, value);
  }
  return facts;
}

function factOf(line: string): [label: string, value: string] {
  // A list of addresses tells how many they are.
  const list = /^(.*?)(?: \(\d+\))? ?:$/.exec(line);
  if (list !== null) return [list[1] ?? "", ""];
  const match = unsigned.map((pattern) => pattern.exec(line)).find((found) => found !== null);
  if (match !== undefined) return [match[1] ?? "", match[2] ?? ""];
  const fact = /^([A-Za-z][^=]*?)(?: =| :) ?(.*)$/.exec(line);
  return fact === null ? [line, ""] : [fact[1] ?? "", fact[2] ?? ""];
}

/** Labels without a value are not there. */
export const shown = (labels: Readonly<Record<string, string | undefined>>): Facts =>
  new Map(Object.entries(labels).flatMap(([label, value]) => (value === undefined ? [] : [[label, value]])));
