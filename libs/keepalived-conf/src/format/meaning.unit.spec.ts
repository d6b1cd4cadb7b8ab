// A layout never changes what a file means: the Config and the diagnostics of the laid out text are those of the text.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../diagnostics.ts";
import { keywordTable } from "../keywords/root.ts";
import { instance, parse } from "../testing/parse.ts";
import { formatConfig } from "./format.ts";

const shared = join(import.meta.dirname, "../../../../../shared");
const filesOf = (name: string): [string, string][] => {
  const folder = join(shared, name);
  if (!existsSync(folder)) {
    console.warn(`SKIPPED: ../shared/${name} is not there`);
    return [];
  }
  const names = readdirSync(folder).filter((file) => file.endsWith(".conf"));
  return names.map((file) => [file, readFileSync(join(folder, file), "utf8")]);
};
const corpus = filesOf("corpus");
const seeds = filesOf("seed-configs");

const words = (text: string | undefined): string | undefined => text?.replace(/[ \t]+/g, " ");

/** Without its place; a message may name the line of something else. */
const facts = ({ severity, code, errorClass, message, text, used, hint }: Diagnostic): string =>
  JSON.stringify([severity, code, errorClass, message.replace(/line \d+/, "line"), words(text), used, hint]);

function expectSameMeaning(text: string, configId: string): "laid out" | "left" {
  const { text: after, diagnostics } = formatConfig(text);
  if (diagnostics.length > 0) {
    expect(after).toBe(text);
    return "left";
  }
  expect(formatConfig(after), "a second time").toEqual({ text: after, diagnostics: [] });
  const others = { x: "priority 1\n}", "a b": "}" };
  const before = parse({ main: text, ...others }, { configId });
  const later = parse({ main: after, ...others }, { configId });
  expect(later.config).toEqual(before.config);
  const kept = before.diagnostics.filter(({ code }) => code !== "byte-order-mark");
  expect(later.diagnostics.map(facts).toSorted()).toEqual(kept.map(facts).toSorted());
  return "laid out";
}

const idsIn = (text: string): string[] => [
  "r1",
  ...new Set([...text.matchAll(/^[ \t]*@\^?(\S+)/gm)].map(([, id]) => id ?? "")),
];

describe("real files", () => {
  test.skipIf(corpus.length === 0)(
    "of other people",
    () => {
      const left = corpus.filter(([, text]) => idsIn(text).some((id) => expectSameMeaning(text, id) === "left"));
      console.info(`laid out: ${corpus.length - left.length} of ${corpus.length}; left: ${left.map(([name]) => name)}`);
      for (const [, text] of left) expect(isBroken(text)).toBe(true);
    },
    60_000,
  );
  test.skipIf(seeds.length === 0).each(seeds)("%s", (_name, text) => {
    expect(expectSameMeaning(text, "r1")).toBe("laid out");
  });
});

/** The parser complains about braces too. */
const isBroken = (text: string): boolean => parse(text).diagnostics.some(({ code }) => code.includes("-brace"));

const keywords = [...new Set(keywordTable().map(({ keyword }) => keyword))];
const special = [
  "@r1",
  "@^r1 ",
  "@r2 ",
  "$A=",
  "$A",
  "$" + "{A}",
  "~SEQ(A, 3) ",
  "~LST(A, x, y) ",
  "include x",
  "include a b",
];
const punctuation = ['"', "'", "\\", "#", "!", "# c", "\t", "  ", "\f", "\r", "\v", "\0", "\uFEFF", ";", "ü"];
const values = ["1", "0", "999", "1.5", "10.0.0.1", "10.0.0.1/24 dev eth0", "fe80::1", "eth0", '"a  b"', "'a  b'"];
const piece = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...keywords) },
  { weight: 6, arbitrary: fc.constantFrom(...values) },
  { weight: 3, arbitrary: fc.constantFrom(...special) },
  { weight: 2, arbitrary: fc.constantFrom(...punctuation) },
);
const blank = fc.constantFrom(" ", " ", " ", "  ", "\t", "");
const line = fc.array(fc.tuple(piece, blank), { minLength: 1, maxLength: 5 }).map((parts) => parts.flat().join(""));

/** Lines and blocks whose braces balance unless a quote or a comment swallows one. */
const { body } = fc.letrec<{ body: string; part: string }>((tie) => ({
  body: fc.array(tie("part"), { maxLength: 6 }).map((parts) => parts.join("")),
  part: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.tuple(line, fc.constantFrom("\n", "\n", "\r\n", "\n\n\n", " \\\n")).map((parts) => parts.join("")),
    fc
      .tuple(
        line,
        fc.constantFrom(" {", "{\n", "\n{\n", "\n\n{ ", " # c\n{\n"),
        tie("body"),
        fc.constantFrom("}", "}\n", "\n}\n", " } # c\n"),
      )
      .map((parts) => parts.join("")),
  ),
}));

/** A real file with a few pieces cut out, doubled or replaced. */
const mutated = fc
  .tuple(
    fc.constantFrom(
      ...seeds.map(([, text]) => text),
      ...corpus.slice(0, 40).map(([, text]) => text),
      instance("priority 1"),
    ),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 12 }), fc.oneof(line, fc.constantFrom("", "\n", "{ }", " "))), {
      maxLength: 5,
    }),
  )
  .map(([text, edits]) =>
    edits.reduce((current, [at, length, insert]) => {
      const start = at % (current.length + 1);
      return current.slice(0, start) + insert + current.slice(start + length);
    }, text),
  );

describe("any text", { timeout: 60_000 }, () => {
  const check = (text: string): void => void expectSameMeaning(text, "r1");
  test("of blocks", () => fc.assert(fc.property(body, check), { numRuns: 120 }));
  test("nearly real", () => fc.assert(fc.property(mutated, check), { numRuns: 100 }));
  test("of any characters", () =>
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), check), { numRuns: 100 }));
});

describe("long files take time in proportion", () => {
  test.each(["{", "}", "a {\n", "a {\n}\n", "@a {\n", "@b }\n", "\n\n", "# c\n", "$A=b \\\n", '"', "a # b\n{\n"])(
    "%j",
    (text) => {
      expect(() => formatConfig(text.repeat(100_000 / text.length))).not.toThrow();
    },
  );
});
