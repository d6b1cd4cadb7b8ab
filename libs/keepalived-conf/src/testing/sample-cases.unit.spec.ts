// The generator itself: nothing of the table is left out, and the file around the hole is one that we accept too.
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import { type KeywordInfo, keywordTable } from "../keywords/root.ts";
import { parse } from "./parse.ts";
import { sampleCases } from "./sample-cases.ts";
import { fileAround, holes } from "./sample-file.ts";
import { samplesOf } from "./sample-words.ts";

const cases = sampleCases();
const names = new Set(cases.map(({ name }) => name));

describe("the cases", () => {
  const isOption = ({ kind }: KeywordInfo): boolean => kind === "option";
  const [options, keywords] = [keywordTable().filter(isOption), keywordTable().filter((info) => !isOption(info))];

  test("there is one for every keyword in its own block", () => {
    const missing = keywords.filter(({ block, keyword }) => {
      const start = `${block === "" ? "(root)" : block}: ${keyword}`;
      return !cases.some(({ name }) => name === start || name.startsWith(`${start} `));
    });
    expect(missing).toEqual([]);
  });

  test("there is one for every word of a value block", () => {
    // What works on any line has no block to try it in.
    const named = options.filter(({ block, keyword }) => block !== "(file)" && !keyword.startsWith("("));
    expect(named.length).toBeGreaterThan(20);
    const missing = named.filter(({ block, keyword }) => {
      const [inner = "", ...outer] = block.split(".").toReversed();
      const start = `${outer.length === 0 ? "(root)" : outer.toReversed().join(".")}: ${inner} `;
      return !cases.some(({ name }) => name.startsWith(start) && name.includes(` ${keyword} `));
    });
    expect(missing).toEqual([]);
  });

  test("have names of their own, and are the same every time", () => {
    expect(names.size).toBe(cases.length);
    expect(sampleCases()).toEqual(cases);
  });
});

describe("the words behind a keyword", () => {
  const numbers = samplesOf("priority", { syntax: "N", range: "1 to 255" });

  test("are within the range, at its ends and beyond them", () => {
    for (const word of ["128", "1", "255", "0", "256", "128x", "x", "", "128 surplus"]) expect(numbers).toContain(word);
  });

  test("vary each word of a syntax, with and without the optional ones", () => {
    const lines = samplesOf("some_script", { syntax: "CMD [USER [GROUP]]", range: "" });
    for (const line of ["/usr/bin/true", "/usr/bin/true nosuchuser", "/usr/bin/true root nosuchgroup"])
      expect(lines).toContain(line);
    expect(samplesOf("x", { syntax: "MASTER|BACKUP", range: "" })).toEqual(
      expect.arrayContaining(["MASTER", "BACKUP", "master"]),
    );
  });
});

test.each(holes)("the file around a hole in ‹%s› is right", (hole) => {
  const { diagnostics } = parse(fileAround(hole, []).replaceAll("{DIR}", "/var/lib"), { interfaceExists: () => true });
  expect(diagnostics.filter(({ errorClass }) => errorClass !== "ok" && errorClass !== "fatal")).toEqual([]);
  expect([0, 4]).toContain(exitCodeOf(diagnostics));
});
