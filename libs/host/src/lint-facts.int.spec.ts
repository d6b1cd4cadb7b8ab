import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lint, parseConfig } from "@baton/keepalived-conf";
import { afterAll, expect, test } from "vitest";
import { readConfigFile } from "./config-file.ts";
import { lintFacts } from "./lint-facts.ts";

const root = mkdtempSync(join(tmpdir(), "baton-lint-"));
afterAll(() => rmSync(root, { recursive: true }));

test("who may read a file", () => {
  const file = join(root, "k.conf");
  writeFileSync(file, "vrrp_instance VI_1 {\nauthentication {\nauth_type PASS\nauth_pass secret1\n}\n}\n");
  const parsed = parseConfig({ file, hostName: "r1", readFile: readConfigFile });
  const told = () =>
    lint({ files: [parsed], machine: lintFacts() }).filter(({ code }) => code === "lint/readable-secret");
  chmodSync(file, 0o644);
  expect(told()).toMatchObject([{ file, line: 4 }]);
  expect(JSON.stringify(told())).not.toContain("secret1");
  chmodSync(file, 0o640);
  expect(told()).toEqual([]);
  expect(lintFacts().fileStatus?.(join(root, "none"))).toBeUndefined();
});

test("who may change a file that is no program", () => {
  const file = join(root, "check.sh");
  writeFileSync(file, "true\n");
  chmodSync(file, 0o646);
  expect(lintFacts().pathWeakness?.(file)).toEqual({ path: file, reason: "everybody" });
  chmodSync(file, 0o644);
  expect(lintFacts().pathWeakness?.(file)).toBeUndefined();
  expect(lintFacts().pathWeakness?.(join(root, "none"))).toBeUndefined();
});

test("the addresses of an interface", () => {
  expect(lintFacts().interfaceAddresses?.("lo")).toContainEqual({ address: "127.0.0.1", prefixLength: 8 });
  expect(lintFacts().interfaceAddresses?.("nosuch0")).toEqual([]);
});
