import type { ConfigurationResult } from "@baton/host";
import { diagnostic } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { check } from "./check.ts";

const warning = diagnostic({ file: "k.conf", line: 3, column: 5, hint: "did you mean priority?" });
const error = diagnostic({ ...warning, line: 9, severity: "error", message: "no virtual_router_id", hint: undefined });

function run(result: Omit<ConfigurationResult, "configuration"> & { instances?: number }, json = false) {
  const said = { out: [] as string[], error: [] as string[] };
  const console = {
    out: (text: string) => void said.out.push(text),
    error: (line: string) => void said.error.push(`${line}\n`),
  };
  const { instances, ...rest } = result;
  const config = { instances: new Array(instances ?? 0).fill({}), virtualServers: [] };
  const configuration = instances === undefined ? undefined : { config, settings: {} };
  const read = (): ConfigurationResult => ({ ...rest, configuration }) as unknown as ConfigurationResult;
  const code = check({ file: "k.conf", json }, { console, read });
  return { code, out: said.out.join(""), error: said.error.join("") };
}

test("a good file", () => {
  expect(run({ instances: 2, diagnostics: [], exitCode: 0 })).toEqual({
    code: 0,
    out: "k.conf: good (2 VRRP instances)\n",
    error: "",
  });
});

test("one with a warning can be used, and its exit code is keepalived's", () => {
  expect(run({ instances: 1, diagnostics: [warning], exitCode: 5 })).toEqual({
    code: 5,
    out: "k.conf: 1 warning (1 VRRP instance)\n",
    error: "k.conf:3:5: warning: unknown keyword 'prioritee'\n  hint: did you mean priority?\n",
  });
});

test("one that cannot be used", () => {
  const { code, out, error: said } = run({ diagnostics: [warning, error, error], exitCode: 4 });
  expect([code, out]).toEqual([4, "k.conf: cannot be used (2 errors, 1 warning)\n"]);
  expect(said.split("\n").filter((line) => line.startsWith("k.conf:9:5: error:"))).toHaveLength(2);
});

test("as JSON: one object, nothing beside it", () => {
  const { code, out, error: said } = run({ diagnostics: [error], exitCode: 4 }, true);
  expect([code, said, out.split("\n").length]).toEqual([4, "", 2]);
  expect(JSON.parse(out)).toEqual({
    file: "k.conf",
    usable: false,
    exitCode: 4,
    diagnostics: [JSON.parse(JSON.stringify(error))],
  });
});
