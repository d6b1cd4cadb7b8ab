import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { excerpt } from "./source-line.ts";

test("the text that is meant is marked where it stands", () => {
  expect(excerpt("  priority 300", 12, "300", 80)).toEqual({ line: "  priority 300", mark: "           ^^^" });
});

describe("what is marked", () => {
  test.each([
    ["a definition stood there: the word", "advert_int $T now", 12, "2.5", "           ^^"],
    ["nothing is said: the word", "a bc d", 3, undefined, "  ^^"],
    ["a quoted word is one", 'script "a b" c', 8, undefined, "       ^^^^^"],
    ["the end of the line", "abc", 4, undefined, "   ^"],
    ["far behind its end", "abc", 99, undefined, "   ^"],
    ["an empty line", "", 1, undefined, "^"],
    ["column 0", "abc", 0, "abc", "^^^"],
  ])("%s", (_name, line, column, text, mark) => expect(excerpt(line, column, text, 80).mark).toBe(mark));
});

test("tabs, wide characters and combining ones: the mark stands under what is meant on the screen", () => {
  expect(excerpt("\tpriority 300", 11, "300", 80)).toEqual({ line: "    priority 300", mark: "             ^^^" });
  expect(excerpt("# 虚拟 x", 6, "x", 80).mark).toBe("       ^");
  expect(excerpt("e\u0301 x", 4, "x", 80).mark).toBe("  ^");
  expect(excerpt("\u{1f600} x", 4, "x", 80).mark).toBe("   ^");
});

test("what does not print is escaped, and cannot move the mark or the cursor", () => {
  const { line, mark } = excerpt("a\u001b[2J b", 7, "b", 80);
  expect(line).toBe("a\\x1b[2J b");
  expect(mark).toBe("         ^");
});

test("of a long line that part is shown which has the mark", () => {
  const { line, mark } = excerpt(`${"x".repeat(500)} here ${"y".repeat(500)}`, 502, "here", 60);
  expect(line).toMatch(/^…x+ here y+…$/);
  expect(line).toHaveLength(60);
  expect(line.slice(mark.indexOf("^"), mark.length)).toBe("here");
});

test("whatever stands in a file, it fits, and something is marked inside of it", () => {
  const property = (text: string, column: number, columns: number): void => {
    const { line, mark } = excerpt(text.replaceAll("\n", ""), column, undefined, columns);
    expect(mark).toMatch(/^ *\^+$/);
    expect(line).not.toMatch(/\p{Cc}/u);
    if (/^[ -~…]*$/.test(line)) expect(line.length).toBeLessThanOrEqual(columns);
  };
  const column = fc.integer({ min: 0, max: 300 });
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), column, fc.integer({ min: 30, max: 120 }), property),
  );
});
