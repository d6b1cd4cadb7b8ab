// Every rule: its bad example is told, its good one is not. So the manual is right, and no rule is without effect.
import { parseIp } from "@baton/domain";
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../diagnostics.ts";
import type { ScriptWeakness } from "../machine.ts";
import { parse } from "../testing/parse.ts";
import { lint } from "./lint.ts";
import { codeOf, type Example, type LintMachine } from "./rule.ts";
import { rules } from "./rules.ts";

const ip = (text: string) => parseIp(text) ?? expect.fail(text);
const fileWith = (mode: number): LintMachine => ({ fileStatus: () => ({ mode, userId: 0, groupId: 0 }) });
const subnet = { interfaceAddresses: () => [{ address: ip("192.0.2.1"), prefixLength: 24 }] };

const weakness = (path: string): ScriptWeakness | undefined =>
  path.startsWith("/opt/") ? { path: "/opt", reason: "everybody" } : undefined;
const insecure: LintMachine = { pathWeakness: weakness };

/** What has to be known of the machine for its examples: the bad one's, and the good one's. */
const machines: Readonly<Record<string, readonly [LintMachine, LintMachine]>> = {
  "readable-secret": [fileWith(0o644), fileWith(0o640)],
  "insecure-argument": [insecure, insecure],
  "host-outside-of-subnet": [subnet, subnet],
};

/** What Baton itself cannot do yet is no mistake in an example. */
const isMistake = ({ severity, code }: Diagnostic): boolean => severity === "error" && code !== "refused";

const findingsOf = ({ text, peer }: Example, machine: LintMachine | undefined): readonly Diagnostic[] => {
  const file = parse(text, {
    executable: (name) => name.startsWith("/") && name !== "/etc/keepalived/notify.sh",
    scriptWeakness: weakness,
  });
  const peers = peer === undefined ? [] : [parse({ "peer.conf": peer })];
  const sound = [file, ...peers].filter(({ config }) => config !== undefined);
  for (const { diagnostics } of sound) expect(diagnostics.filter(isMistake)).toEqual([]);
  return lint({ files: [file], peers, machine }).filter(({ code }) => code.startsWith("lint/"));
};

const codesOf = (example: Example, machine: LintMachine | undefined): string[] =>
  findingsOf(example, machine).map(({ code }) => code);

describe.each(rules.map((rule) => [rule.name, rule] as const))("%s", (name, rule) => {
  const [bad, good] = machines[name] ?? [];
  test("tells its bad example, once", () => expect(codesOf(rule.bad, bad)).toEqual([codeOf(rule)]));
  test("has nothing to say of its good one, nor has any other rule", () =>
    expect(codesOf(rule.good, good)).toEqual([]));
  test("is silenced by its comment", () => {
    const silenced = { ...rule.bad, text: `${rule.bad.text}# baton: ignore-file ${name}\n` };
    const kept = findingsOf(silenced, bad);
    // What keepalived complains of itself stays, toned down.
    expect(kept.filter(({ severity, errorClass }) => severity !== "info" || errorClass === "ok")).toEqual([]);
  });
  test("is written as the others are", () => {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(rule.title).toMatch(/[^.]$/);
    expect(rule.why).toMatch(/\.$/);
    expect(rule.why).not.toMatch(/ {2}/);
  });
});

test("names are unique", () => expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length));
