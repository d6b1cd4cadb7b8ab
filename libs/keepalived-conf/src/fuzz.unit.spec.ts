// Whatever stands in a file: no throw, no hang, and the same answer twice.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";
import { errorClasses, exitCodeOf, formatDiagnostic, isFatal } from "./diagnostics.ts";
import { diffConfig } from "./diff/diff-config.ts";
import { keywordTable } from "./keywords/root.ts";
import { lint } from "./lint/lint.ts";
import { instance, parse } from "./testing/parse.ts";

const folder = join(import.meta.dirname, "../../../../shared/seed-configs");
const seeds = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => name.endsWith(".conf"))
      .map((name) => readFileSync(join(folder, name), "utf8"))
  : [];
if (seeds.length === 0) console.warn("SKIPPED: ../shared/seed-configs is not there; only generated texts are tried");
const samples = [...seeds, instance('priority 100\nnotify_master "/n.sh a" root\ntrack_interface {\neth1 weight 5\n}')];

const keywords = [...new Set(keywordTable().map(({ keyword }) => keyword))];
const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...keywords) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "{",
      "}",
      "\n",
      "\n",
      "\n",
      '"',
      "'",
      "\\",
      "#",
      "!",
      "@r1",
      "$A=",
      "$A",
      "~SEQ(A, 3)",
      "~LST(A, x, y)",
      "include x",
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "1",
      "0",
      "-1",
      "255",
      "999999999999",
      "1.5",
      "10.0.0.1",
      "10.0.0.1/24",
      "fe80::1",
      "eth0",
      "weight",
      "dev",
      "label",
      "brd",
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 8 }) },
);
const nonsense = fc.array(word, { maxLength: 120 }).map((words) => words.join(" "));

/** A real file, with pieces cut out, doubled, replaced by nonsense. */
const mutated = fc
  .tuple(
    fc.constantFrom(...samples),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat({ max: 40 }),
        fc.oneof(nonsense, fc.constantFrom("", "{", "}", "\n", '"', "\0", "\uFEFF")),
      ),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((current, [at, length, insert]) => {
      const start = at % (current.length + 1);
      return current.slice(0, start) + insert + current.slice(start + length);
    }, text),
  );

function check(text: string): void {
  const first = parse({ main: text, x: "priority 1\n}" });
  const second = parse({ main: text, x: "priority 1\n}" });
  expect(canonicalJson([second.config, second.diagnostics])).toBe(canonicalJson([first.config, first.diagnostics]));
  expect([0, 2, 4, 5, 6]).toContain(exitCodeOf(first.diagnostics));
  if (first.config === undefined) expect(isFatal(first.diagnostics)).toBe(true);
  const lines = text.split("\n").length;
  for (const diagnostic of first.diagnostics) {
    expect(errorClasses).toContain(diagnostic.errorClass);
    expect(diagnostic.message).not.toContain("undefined");
    expect(diagnostic.file === "main" ? diagnostic.line : 0).toBeLessThanOrEqual(lines);
    expect(diagnostic.column).toBeGreaterThanOrEqual(diagnostic.line === 0 ? 0 : 1);
    expect(formatDiagnostic(diagnostic)).toContain(diagnostic.severity);
  }
  const told = lint({ files: [first], peers: [second] });
  expect(exitCodeOf(told)).toBe(exitCodeOf(first.diagnostics));
  for (const { message } of told) expect(message).not.toContain("undefined");
  if (first.config === undefined) return;
  // Plain JSON: what is stored and read back means the same.
  expect(canonicalJson(JSON.parse(JSON.stringify(first.config)))).toBe(canonicalJson(first.config));
  expect(diffConfig(first.config, first.config)).toEqual([]);
}

describe("no text makes it throw", { timeout: 60_000 }, () => {
  test("nonsense", () => fc.assert(fc.property(nonsense, check), { numRuns: 300 }));
  test("mutated files", () => fc.assert(fc.property(mutated, check), { numRuns: 250 }));
  test("octets", () => fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), check), { numRuns: 200 }));
});

describe("long files take time in proportion", () => {
  /** Thousands of each have to end well within the test's time. */
  test.each([
    ["keywords", "priority 100"],
    ["unknown keywords", "prioriti 100"],
    ["braces", "{ } { } { } { } { } { }"],
    ["opened", "vrrp_instance A {"],
    ["closed", "}"],
    ["definitions", "$A=1"],
    ["uses", "router_id $A $B $C, $$$$$$"],
    ["quotes", '"" "" "" "" "'],
    ["comments", "# # # ! ! \\# \\!"],
    ["instances", "vrrp_instance A {\n}"],
    ["scripts", 'vrrp_script A {\nscript "x"\n}'],
    ["addresses", "vrrp_instance A {\nvirtual_ipaddress {\n10.0.0.1\n}\n}"],
  ])("%s", (_name, line) => {
    expect(() => parse(`${line}\n`.repeat(5_000 / line.split("\n").length))).not.toThrow();
  });

  test("one long line", () => {
    for (const piece of ["{", "}", "a{", '"', "$A", "\\", "~SEQ(", "10.0.0.1 "])
      parse(piece.repeat(100_000 / piece.length));
  });

  test("thousands of instances that track thousands of scripts", () => {
    const scripts = Array.from({ length: 1000 }, (_, i) => `vrrp_script s${i} {\nscript "x"\n}\n`).join("");
    const instances = Array.from({ length: 1000 }, (_, i) =>
      instance(`track_script {\ns${i}\n}`, `V${i}`, 1 + (i % 255)),
    );
    const { config } = parse(scripts + instances.join(""));
    expect(config?.instances).toHaveLength(1000);
  });
});
