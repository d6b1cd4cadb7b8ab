// Parsing text in tests: one file, or several by name.
import { type ParseInput, type ParseResult, parseConfig } from "../parse-config.ts";

export type TestFiles = Readonly<Record<string, string>>;

/** A text is `keepalived.conf`; of several files the first is read. Names without wildcards only, unless `glob` is given. */
export function parse(files: string | TestFiles, input: Partial<ParseInput> = {}): ParseResult {
  const all: TestFiles = typeof files === "string" ? { "keepalived.conf": files } : files;
  return parseConfig({
    file: Object.keys(all)[0] ?? "",
    hostName: "r1.example.net",
    readFile: (path) => {
      const text = Object.hasOwn(all, path) ? all[path] : undefined;
      return text === undefined ? { error: "no such file" } : { text };
    },
    ...input,
  });
}

/** `code line:column` of each diagnostic, but that a part of a file configures nothing. */
export const codes = ({ diagnostics }: ParseResult): string[] =>
  diagnostics
    .filter(({ code }) => code !== "nothing-configured")
    .map(({ code, line, column }) => `${code} ${line}:${column}`);

/** An instance that nothing is wrong with, around `lines`. */
export const instance = (lines = "", name = "VI_1", vrid = 51, address = "10.0.0.1"): string =>
  `vrrp_instance ${name} {\n interface eth0\n virtual_router_id ${vrid}\n virtual_ipaddress { ${address} }\n${lines}\n}\n`;
