// Real files of other people, with what keepalived 2.4.3 said of each and how it understood it. None of them may throw or
// hang, and what we make of them is compared: exit code, lines with unknown keywords, and the Config field by field.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { InstanceConfig, TrackScriptConfig } from "./config.ts";
import { exitCodeOf } from "./diagnostics.ts";
import type { ParseResult } from "./parse-config.ts";
import { isComparable, readSamples, type Sample } from "./testing/corpus.ts";

const folder = join(import.meta.dirname, "../../../../shared/corpus");
const present = existsSync(folder);
if (!present) console.warn("SKIPPED: ../shared/corpus is not there");

const samples: Sample[] = [];

/** Where our verdict is another, and why ours is right. One that is no longer needed is a failure. */
const otherwise: Readonly<Record<string, string>> = {
  "176": "it names a network namespace that is not there, at which keepalived ends and says nothing; we go on checking",
  "186": "that keepalived was built without iptables, whose keywords it does not know; we know them",
};

/** Without what only Baton refuses, because it would do harm. */
const keepalivedExit = ({ diagnostics }: ParseResult): number =>
  exitCodeOf(diagnostics.filter(({ code }) => code !== "refused"));

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

describe.skipIf(!present)("corpus", () => {
  beforeAll(() => {
    samples.push(
      ...readSamples((name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : undefined)),
    );
  });

  test("every file is there", () => {
    expect(readdirSync(folder).filter((name) => name.endsWith(".conf"))).toHaveLength(186);
    expect(samples.filter(({ verdict }) => verdict.config_id === undefined)).toHaveLength(186);
  });

  test("the exit code is that of keepalived -t", () => {
    const plain = samples.filter(({ verdict }) => verdict.config_id === undefined);
    const wrong = plain
      .filter(({ verdict, result }) => keepalivedExit(result) !== verdict.exit)
      .map(({ verdict, result }) => `${verdict.id}: keepalived ${verdict.exit}, we ${keepalivedExit(result)}`);
    const refused = plain.filter(({ result }) => result.diagnostics.some(({ code }) => code === "refused"));
    console.info(
      `verdicts that agree: ${percent(plain.length - wrong.length, plain.length)}; refused: ${refused.length}\n  ${wrong.join("\n  ")}`,
    );
    expect(wrong.map((line) => line.slice(0, 3))).toEqual(Object.keys(otherwise));
    expect(wrong.length).toBeLessThanOrEqual(0.05 * plain.length);
  });

  test("the same lines are unknown", () => {
    for (const { verdict, result } of samples) {
      const lines = verdict.messages.map((message) => /Line (\d+)\) Unknown keyword '(?!\}')/.exec(message)?.[1]);
      const theirs = new Set(lines.filter((line) => line !== undefined).map(Number));
      const ours = result.diagnostics.filter(({ code }) => code === "unknown-keyword").map(({ line }) => line);
      // Where a word is missing keepalived stops, and we go on.
      if (verdict.exit === 2) expect(ours).toEqual(expect.arrayContaining([...theirs]));
      else expect([...new Set(ours)], verdict.id).toEqual([...theirs].toSorted((a, b) => a - b));
    }
  });

  test("instances are understood alike", () => {
    const differences: string[] = [];
    let compared = 0;
    for (const sample of samples.filter(isComparable)) {
      for (const theirs of sample.dump?.instances ?? []) {
        const ours = sample.result.config?.instances.find(({ name }) => name === theirs.name);
        const described =
          ours === undefined ? new Map<string, string>() : describeInstance(ours, sample.verdict.messages);
        const expected = new Map([
          ...theirs.facts,
          ["addresses", theirs.addresses.map(withoutDevice).join(" ")],
          ["excluded", theirs.excluded.map(withoutDevice).join(" ")],
          ["scripts", theirs.scripts.join(", ")],
        ]);
        if (ours === undefined) differences.push(`${sample.verdict.id} ${theirs.name}: we have no such instance`);
        for (const [label, value] of described) {
          const other = expected.get(label);
          if (other === undefined) continue;
          compared++;
          if (other !== value)
            differences.push(`${sample.verdict.id} ${theirs.name}: ${label}: keepalived ${other}, we ${value}`);
        }
      }
    }
    console.info(`instance fields compared: ${compared}, different: ${differences.length}`);
    expect(compared).toBeGreaterThan(4000);
    expect(differences).toEqual([]);
  });

  test("scripts are understood alike", () => {
    let compared = 0;
    for (const { verdict, result, dump } of samples.filter(isComparable)) {
      for (const { name, facts } of dump?.scripts ?? []) {
        const ours = result.config?.scripts.find((script) => script.name === name);
        if (ours === undefined) continue;
        compared++;
        const command = facts.get("Command")?.replace(/^'[^']*\//, "'");
        expect([name, ...describeScript(ours)], verdict.id).toEqual([
          name,
          command,
          facts.get("Interval"),
          facts.get("Weight"),
          facts.get("Rise"),
          facts.get("Fall"),
        ]);
      }
    }
    console.info(`scripts compared: ${compared}`);
    expect(compared).toBeGreaterThan(20);
  });
});

const seconds = (micros: number): string => String(micros / 1_000_000);

/** `messages`: what keepalived disabled for reasons of that machine, or because it runs no shell. */
function describeInstance(instance: InstanceConfig, messages: readonly string[]): Map<string, string> {
  const scripts = instance.trackScripts.filter(
    ({ name }) => !messages.some((message) => message.startsWith(`Disabling track script ${name} `)),
  );
  const { garp, version, advertInterval } = instance;
  return new Map([
    ["VRRP Version", String(version)],
    ["Wantstate", instance.initialState.toUpperCase()],
    ["Virtual Router ID", String(instance.vrid)],
    ["Priority", String(instance.priority)],
    ["Gratuitous ARP delay", seconds(garp.delay)],
    ["Gratuitous ARP repeat", String(garp.repeat)],
    ["Gratuitous ARP refresh", seconds(garp.refresh)],
    ["Gratuitous ARP refresh repeat", String(garp.refreshRepeat)],
    ["Gratuitous ARP lower priority delay", seconds(garp.lowerPriorityDelay)],
    ["Gratuitous ARP lower priority repeat", String(garp.lowerPriorityRepeat)],
    ["Down timer adverts", String(instance.downTimerAdverts)],
    ["Preempt", instance.preempt ? "enabled" : "disabled"],
    ["Preempt delay", `${seconds(instance.preemptDelay)} secs`],
    ["Advert interval", version === 2 ? `${seconds(advertInterval)} sec` : `${advertInterval / 1000} milli-sec`],
    ["Send advert after receive lower priority advert", String(!instance.lowerPriorityNoAdvert)],
    ["Send advert after receive higher priority advert", String(instance.higherPrioritySendAdvert)],
    ["Using smtp notification", instance.smtpAlert ? "yes" : "no"],
    ["addresses", instance.addresses.map(describeAddress).join(" ")],
    ["excluded", instance.excludedAddresses.map(describeAddress).join(" ")],
    [
      "scripts",
      scripts.map(({ name, weight, reverse }) => `${name} weight ${weight}${reverse ? " reverse" : ""}`).join(", "),
    ],
  ]);
}

const withoutDevice = (line: string): string => line.replace(/ .*/, "");

/** keepalived leaves out the length of a host prefix. */
const describeAddress = ({ address, prefixLength }: InstanceConfig["addresses"][number]): string =>
  prefixLength === (address.includes(":") ? 128 : 32) ? address : `${address}/${prefixLength}`;

const describeScript = ({ command, interval, weight, rise, fall }: TrackScriptConfig): string[] => [
  // keepalived resolves the program; a file that is only opened is shown as it is.
  command.text.startsWith("<")
    ? command.text
    : command.argv.map((word, i) => `'${i === 0 ? word.replace(/^.*\//, "") : word}'`).join(" "),
  `${seconds(interval)} sec`,
  String(weight),
  String(rise),
  String(fall),
];
