// Names that this machine has for numbers of the kernel: those of iproute2 (/etc/iproute2, /usr/share/iproute2) and the
// protocols of /etc/protocols. A file of the first directory takes the place of its namesake in the second.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { NameTable } from "@baton/keepalived-conf";

export interface NameDirectories {
  /** Of iproute2, the administrator's first. */
  readonly iproute2: readonly string[];
  readonly protocols: string;
}

const machine: NameDirectories = {
  iproute2: ["/etc/iproute2", "/usr/share/iproute2"],
  protocols: "/etc/protocols",
};

/** A file is read when the first name of it is asked for, and not again. */
export function numberNames(
  directories: NameDirectories = machine,
): (table: NameTable, name: string) => number | undefined {
  const tables = new Map<NameTable, ReadonlyMap<string, number>>();
  return (table, name) => {
    const known = tables.get(table) ?? readTable(table, directories);
    tables.set(table, known);
    return known.get(name);
  };
}

function readTable(table: NameTable, { iproute2, protocols }: NameDirectories): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  if (table === "protocols") {
    for (const [name, number, ...aliases] of wordsOf(protocols)) add(names, number, [name, ...aliases]);
    return names;
  }
  for (const path of filesOf(table, iproute2))
    for (const [number, name, ...rest] of wordsOf(path)) if (rest.length === 0) add(names, number, [name]);
  return names;
}

/** The first of a name counts. */
function add(names: Map<string, number>, digits: string | undefined, all: readonly (string | undefined)[]): void {
  if (digits === undefined || !/^(0x[0-9a-f]+|\d+)$/i.test(digits)) return;
  const octal = /^0[0-7]+$/.test(digits);
  const number = octal ? Number.parseInt(digits, 8) : Number(digits);
  for (const name of all) if (name !== undefined && !names.has(name)) names.set(name, number);
}

/** `TABLE`, and what is in `TABLE.d`. */
function filesOf(table: string, directories: readonly string[]): string[] {
  const own = directories.map((directory) => join(directory, table)).find(isReadable);
  const parts = new Map<string, string>();
  for (const directory of directories.map((each) => join(each, `${table}.d`)))
    for (const name of namesIn(directory)) if (!parts.has(name)) parts.set(name, join(directory, name));
  return [...(own === undefined ? [] : [own]), ...parts.values()];
}

const namesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory).filter((name) => name.endsWith(".conf") && !basename(name).startsWith("."));
  } catch {
    return []; // there is none
  }
};

const isReadable = (path: string): boolean => textOf(path) !== undefined;

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // not there, or not for us: its names are not known then
  }
}

/** Words of each line, without comments. */
const wordsOf = (path: string): string[][] =>
  (textOf(path) ?? "")
    .split("\n")
    .map((line) =>
      line
        .replace(/#.*/, "")
        .split(/[ \t]+/)
        .filter((word) => word !== ""),
    )
    .filter((words) => words.length > 0);
