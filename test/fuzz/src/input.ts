// What is tried: a few files, the first of which is read; the others are there to be included. A character is an octet
// (U+0000 to U+00FF), so that any file, UTF-8 or not, can be written down.
import { type ParseResult, parseConfig } from "@baton/keepalived-conf";

export type Input = Readonly<Record<string, string>>;

export const octetsOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

export const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString("latin1");

export const mainFile = (input: Input): string => Object.keys(input)[0] ?? "";

/** The node whose `@id` lines count. */
export const nodes = ["r1", "r2"] as const;

/** On a machine that knows names by their spelling: what says `nosuch` is not there. */
export function parseInput(input: Input, node: (typeof nodes)[number]): ParseResult {
  const isThere = (name: string): boolean => !name.includes("nosuch");
  return parseConfig({
    file: mainFile(input),
    hostName: `${node}.example.net`,
    env: { HOME: "/root", LINES: "priority 1\n}" },
    readFile: (path) => {
      const text = Object.hasOwn(input, path) ? input[path] : undefined;
      return text === undefined ? { error: "no such file" } : { octets: octetsOf(text) };
    },
    listDirectory: () => Object.keys(input),
    executable: isThere,
    interfaceExists: isThere,
    userExists: isThere,
    groupExists: isThere,
  });
}
