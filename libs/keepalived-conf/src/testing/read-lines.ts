// Logical lines in tests: of one text, or of several files by name.
import type { Problem } from "../report.ts";
import { type LineReaderOptions, openLines } from "../source/line-reader.ts";
import { decodeOctets, type FileText } from "../source/octets.ts";

export interface ReadLines {
  readonly lines: readonly string[];
  /** `file:line` of each line. */
  readonly places: readonly string[];
  readonly problems: readonly Problem[];
  readonly codes: readonly string[];
  /** What keepalived thinks of the problems, without those that it does not mention. */
  readonly classes: readonly string[];
}

export type TestSources = Readonly<Record<string, string | Uint8Array>>;

/** `§{` in the texts stands for the brace form of a definition: a template string is something else. */
export const withDollars = (text: string): string => text.replaceAll("§{", "\u0024{");

const toText = (source: string | Uint8Array): FileText =>
  typeof source === "string" ? { text: withDollars(source) } : decodeOctets(source);

/** On node r1, with COLOUR=red. Of several files the first is read. */
export function readLines(
  files: string | Uint8Array | TestSources,
  options: Partial<LineReaderOptions> = {},
): ReadLines {
  const all: TestSources = typeof files === "string" || files instanceof Uint8Array ? { main: files } : files;
  const problems: Problem[] = [];
  const reader = openLines({
    file: Object.keys(all)[0] ?? "",
    directory: "/etc/test",
    configId: "r1",
    env: { COLOUR: "red" },
    seed: "r1",
    readFile: (path) => {
      const source = Object.hasOwn(all, path) ? all[path] : undefined;
      return source === undefined ? { error: "no such file" } : toText(source);
    },
    listDirectory: (path) => namesIn(path, Object.keys(all)),
    report: (problem) => problems.push(problem),
    ...options,
  });
  const lines: string[] = [];
  const places: string[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    lines.push(line.text.value);
    places.push(`${line.file}:${line.line}`);
  }
  const classes = problems.map(({ errorClass }) => errorClass).filter((name) => name !== "ok");
  return { lines, places, problems, codes: problems.map(({ code }) => code), classes };
}

export const linesOf = (text: string | Uint8Array): readonly string[] => readLines(text).lines;

/** Of the directories that the names of files make. */
function namesIn(directory: string, paths: readonly string[]): string[] | undefined {
  const prefix = directory === "" ? "" : `${directory}/`;
  const names = paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length).split("/")[0]);
  return names.length === 0 ? undefined : [...new Set(names)].filter((name) => name !== undefined);
}
