// Real files of other people, with what keepalived 2.4.3 said of each. None of them may throw or hang, and our verdict is
// compared: the exit code, and the lines that are complained of. How they are understood: corpus-config.unit.spec.ts.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { exitCodeOf } from "./diagnostics.ts";
import type { ParseResult } from "./parse-config.ts";
import { readSamples, type Sample } from "./testing/corpus.ts";

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
    const differ = samples.filter(({ verdict, result }) => keepalivedExit(result) !== verdict.exit);
    const wrong = differ.map(
      ({ verdict: { id, config_id = "", exit }, result }) =>
        `${id} ${config_id}: keepalived ${exit}, we ${keepalivedExit(result)}: ${otherwise[id] ?? ""}`,
    );
    const files = new Set(differ.map(({ verdict }) => verdict.id));
    console.info(`verdicts that agree: ${percent(186 - files.size, 186)} of the files\n  ${wrong.join("\n  ")}`);
    expect([...files]).toEqual(Object.keys(otherwise));
    expect(files.size).toBeLessThanOrEqual(0.05 * 186);
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
});
