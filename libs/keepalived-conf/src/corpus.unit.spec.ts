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

const read = (name: string): string | undefined => {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
};

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
    samples.push(...readSamples(read));
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

  test("the same lines are complained of", () => {
    let agreed = 0;
    for (const sample of samples) {
      const { id, config_id = "" } = sample.verdict;
      const { unheard, unsaid, both } = compareLines(sample, read(`${id}.conf`) ?? "");
      expect({ unheard, unsaid }, `${id} ${config_id}`).toEqual({ unheard: [], unsaid: [] });
      agreed += both;
    }
    console.info(`complaints about the same lines: ${agreed}`);
    expect(agreed).toBeGreaterThan(650);
  });
});

/** A host that the machine could not resolve, an interface that it had. */
const isOfMachine = (message: string): boolean =>
  message.includes("Invalid smtp server") || message.includes("already exists and is not a private macvlan");

/**
 * Lines that only one of both complains of. What is wrong with a block as a whole keepalived says at the `}` that ends it;
 * we say it where the block begins, or name the line that it is about. Where a word is missing keepalived stops, and we go
 * on with the words, but not with what they mean together.
 */
function compareLines({ verdict, result }: Sample, text: string) {
  const lines = text.split("\n");
  const placed = verdict.messages.flatMap((message) => {
    const [, line, what = ""] = /Line (\d+)\) (.*)/.exec(message) ?? [];
    const counts = verdict.exit !== 2 || what.startsWith("Unknown keyword");
    return line === undefined || !counts || isOfMachine(message) ? [] : [Number(line)];
  });
  const theirs = new Set(placed);
  const told = new Set(result.diagnostics.map(({ line }) => line));
  const ours = result.diagnostics.filter(
    ({ errorClass, line, code }) => errorClass !== "ok" && line > 0 && code !== "refused",
  );
  const missed = [...theirs].filter((line) => !told.has(line));
  const blocks = missed.map((line) => ({ line, inner: blockEndingAt(lines, line) }));
  const unheard = blocks.filter(({ inner }) => !ours.some(({ line }) => inner.includes(line))).map(({ line }) => line);
  // What is said at the end, of the whole, names no line; we name one.
  const isOpen = verdict.exit === 2 || otherwise[verdict.id] !== undefined || verdict.messages.some(isUnplaced);
  // Where braces do not match, a block may end at any of them.
  const isBroken = verdict.messages.some((message) => /'[{}]'/.test(message));
  const opening = isBroken ? ours.filter(({ line }) => lines[line - 1]?.includes("{")).map(({ line }) => line) : [];
  const covered = new Set([...theirs, ...opening, ...blocks.flatMap(({ inner }) => inner)]);
  const unsaid = isOpen ? [] : ours.filter(({ line }) => !covered.has(line)).map(({ line, code }) => `${line} ${code}`);
  return { unheard, unsaid, both: theirs.size - unheard.length };
}

const isUnplaced = (message: string): boolean => !/Line \d+\)/.test(message);

/** Numbers of the lines of the block that ends there; none where no block does. */
function blockEndingAt(lines: readonly string[], end: number): number[] {
  if (!/^\s*\}/.test(lines[end - 1] ?? "")) return [];
  const inner: number[] = [];
  for (let line = end, depth = 0; line > 0; line--) {
    const text = lines[line - 1] ?? "";
    depth += text.split("}").length - text.split("{").length;
    inner.push(line);
    // A brace on a line of its own opens what stands above it.
    if (depth <= 0) return /^\s*\{/.test(text) ? [...inner, line - 1] : inner;
  }
  return inner;
}
