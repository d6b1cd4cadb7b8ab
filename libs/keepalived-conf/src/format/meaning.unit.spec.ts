// A layout never changes what a file means: the Config and the diagnostics of the laid out text are those of the text.
// Of texts that nobody would write, test/fuzz asks the same.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../diagnostics.ts";
import { parse } from "../testing/parse.ts";
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

describe("long files take time in proportion", () => {
  test.each(["{", "}", "a {\n", "a {\n}\n", "@a {\n", "@b }\n", "\n\n", "# c\n", "$A=b \\\n", '"', "a # b\n{\n"])(
    "%j",
    (text) => {
      expect(() => formatConfig(text.repeat(100_000 / text.length))).not.toThrow();
    },
  );
});
