// A strict reader of the Prometheus text format, version 0.0.4, with the checks of `promtool check metrics`: throws at
// the first line that Prometheus would refuse or promtool would complain about.

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

export function parseExposition(text: string): { readonly families: readonly ParsedFamily[] } {
  const families = new Map<string, { help: string; type: string; samples: ParsedSample[] }>();
  const series = new Set<string>();
  let current = "";
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line does not end");
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line);
    if (comment?.[1] === "HELP") {
      current = comment[2] ?? "";
      if (families.has(current)) throw new Error(`${current}: a second family of this name`);
      families.set(current, { help: comment[3] ?? "", type: "", samples: [] });
    } else if (comment?.[1] === "TYPE") {
      const family = families.get(comment[2] ?? "");
      if (family === undefined || comment[2] !== current) throw new Error(`TYPE without its HELP: ${line}`);
      family.type = comment[3] ?? "";
    } else {
      const sample = parseSample(line);
      const family = families.get(current);
      if (family === undefined) throw new Error(`sample before its family: ${line}`);
      const suffixes = suffixesOf(family.type);
      if (!suffixes.some((suffix) => sample.name === current + suffix)) throw new Error(`${line}: not of ${current}`);
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (series.has(key)) throw new Error(`${line}: a second sample of this series`);
      series.add(key);
      family.samples.push(sample);
    }
  }
  return { families: [...families].map(([name, family]) => ({ name, ...family })) };
}

function suffixesOf(type: string): readonly string[] {
  if (type === "histogram") return ["_bucket", "_sum", "_count"];
  return type === "summary" ? ["_sum", "_count"] : [""];
}

function parseSample(line: string): ParsedSample {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[-+0-9.eE]+)$/s.exec(line);
  if (match === null) throw new Error(`not a sample: ${JSON.stringify(line)}`);
  const [, name = "", block = "", value = ""] = match;
  const labels: Record<string, string> = {};
  let rest = block;
  while (rest !== "") {
    const pair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest);
    if (pair === null) throw new Error(`not a label: ${JSON.stringify(rest)}`);
    const [whole, label = "", escaped = ""] = pair;
    if (Object.hasOwn(labels, label)) throw new Error(`${line}: label ${label} twice`);
    labels[label] = escaped.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter));
    rest = rest.slice(whole.length);
  }
  const number = value === "NaN" ? Number.NaN : Number(value.replace("Inf", "Infinity"));
  if (Number.isNaN(number) && value !== "NaN") throw new Error(`${line}: not a number`);
  return { name, labels, value: number };
}

/** What promtool's linter says of names, types and help. */
export function lintFamilies(families: readonly ParsedFamily[]): readonly string[] {
  return families.flatMap(({ name, type, help }) => {
    const complaints: string[] = [];
    if (help === "") complaints.push(`${name}: no help text`);
    if (type === "counter" && !name.endsWith("_total")) complaints.push(`${name}: counters end with _total`);
    if (type !== "counter" && name.endsWith("_total")) complaints.push(`${name}: only counters end with _total`);
    if (type !== "histogram" && /_(bucket|count|sum)$/.test(name)) complaints.push(`${name}: suffix of a histogram`);
    if (/[A-Z]/.test(name)) complaints.push(`${name}: snake_case, not camelCase`);
    if (name.includes(":")) complaints.push(`${name}: colons are for recording rules`);
    if (new RegExp(`_?(${type})(_|$)`).test(name)) complaints.push(`${name}: the type is no part of the name`);
    if (/_(ms|us|ns|milliseconds|microseconds|minutes|hours|kb|mb|percent)(_|$)/.test(name))
      complaints.push(`${name}: base units only`);
    return complaints;
  });
}
