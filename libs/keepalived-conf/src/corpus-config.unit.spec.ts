// Every value that keepalived 2.4.3 shows of the corpus in its dump of what it understood, against our Config.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { secondsToMicros } from "@baton/domain";
import { describe, expect, test } from "vitest";
import { compareSubjects, type Difference } from "./testing/comparison.ts";
import { isComparable, readSamples } from "./testing/corpus.ts";
import { sampleHost } from "./testing/sample-machine.ts";
import { subjectsOf } from "./testing/subjects.ts";

const folder = join(import.meta.dirname, "../../../../shared/corpus");
const present = existsSync(folder);
if (!present) console.warn("SKIPPED: ../shared/corpus is not there");

const read = (name: string): string | undefined => {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
};

const noIptables = "that keepalived was built without iptables, and takes nftables instead; we take what is written";
const hosts = "keepalived reads the hosts of SMTP_CHECK into the block around them; we take each as it is written";

/** Where we understand a file otherwise, and why ours is right. One that is no longer needed is a failure. */
const otherwise: readonly (readonly [file: string, about: RegExp, why: string])[] = [
  ["164", / global_defs: nftables /, noIptables],
  ["186", / global_defs: nftables /, noIptables],
  ["198", / checker/, hosts],
  ["226", / checker/, hosts],
];

const isAbout = ([id, about]: (typeof otherwise)[number], { file, text }: Difference): boolean =>
  file === id && about.test(text);

/** Somewhat fewer than there are: values that are not read any more would not differ either. */
const least: Readonly<Record<string, number>> = {
  globals: 13_000,
  instances: 6_500,
  "sync groups": 270,
  scripts: 450,
  "BFD sessions": 250,
  "tracked BFD sessions": 4,
  "static addresses": 220,
  "static routes": 220,
  "static rules": 220,
  "virtual server groups": 220,
  "virtual servers": 1_500,
  "sorry servers": 39,
  "real servers": 840,
  checkers: 1_200,
  urls: 270,
};

describe.skipIf(!present)("keepalived's dump and our Config agree", () => {
  test("on every value", () => {
    const dumped = readSamples(read).filter(({ dump }) => dump !== undefined);
    const samples = dumped.filter(isComparable);
    const subjects = samples.flatMap((sample) => subjectsOf(sample, sampleHost));
    const { compared, differences } = compareSubjects(subjects);
    const open = differences.filter((difference) => !otherwise.some((each) => isAbout(each, difference)));
    const all = Object.values(compared).reduce((sum, count) => sum + count, 0);
    const reasons = otherwise.map(([id, , why]) => `  ${id}: ${why}`);
    console.info(
      `dumps: ${dumped.length}, of files that it starts with: ${samples.length}; values compared: ${all}; different: ${differences.length}, not accounted for: ${open.length}\n${reasons.join("\n")}`,
    );
    expect(open.map(({ text }) => text)).toEqual([]);
    expect(otherwise.filter((each) => !differences.some((difference) => isAbout(each, difference)))).toEqual([]);
    expect(Object.keys(compared).toSorted()).toEqual(Object.keys(least).toSorted());
    for (const [kind, count] of Object.entries(least)) expect(compared[kind], kind).toBeGreaterThanOrEqual(count);
  });

  test("and a value that is another is found", () => {
    const [sample] = readSamples(read).filter(({ verdict }) => verdict.id === "003");
    if (sample?.result.config === undefined) throw new Error("003 is understood");
    const { config } = sample.result;
    const spoilt = config.instances.map((instance) => ({ ...instance, advertInterval: secondsToMicros(2) }));
    const result = { ...sample.result, config: { ...config, instances: spoilt } };
    const { differences } = compareSubjects(subjectsOf({ ...sample, result }, sampleHost));
    expect(differences.map(({ text }) => text)).toEqual([
      "003 pub_a: Advert interval: keepalived '1 sec', we '2 sec'",
      "003 pvt_a: Advert interval: keepalived '1 sec', we '2 sec'",
    ]);
  });
});
