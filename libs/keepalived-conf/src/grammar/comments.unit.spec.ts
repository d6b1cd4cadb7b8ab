// Grammar section 3: comments. Each case was put to keepalived 2.4.3.
import { describe, expect, test } from "vitest";
import { linesOf, readLines } from "../testing/read-lines.ts";

describe("1: # and ! outside double quotes", () => {
  test.each([
    ["a # b", ["a"]],
    ["a ! b", ["a"]],
    ["a#b", ["a"]],
    ['a "# b" ! c', ['a "# b"']],
    ["a '# b'", ["a '"]],
    ['a "b"#c', ['a "b"']],
    ["# only\n!\n#", []],
    ["a # b # c ! d", ["a"]],
    ["失败 #失败检测几次", ["失败"]],
  ])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines));
});

describe("2: escapes", () => {
  test.each([
    ['a "\\# b"', ['a "\\# b"'], []],
    ["a \\n b", ["a \\n b"], []],
    ["a \\\\ b", ["a \\\\ b"], []],
    ['a \\" b', ['a \\" b'], []],
    ["a \\\\# b", ["a \\\\"], []],
    // keepalived's parent takes the backslash away, and its children see a comment.
    ["a \\# b", ["a"], ["escaped-comment"]],
    ["a\\!b", ["a"], ["escaped-comment"]],
  ])("%j", (text, lines, codes) => expect(readLines(text)).toMatchObject({ lines, codes }));

  test("a line that starts with one is no line, where keepalived takes it for a mark of its own and may crash", () => {
    expect(linesOf("\\# a\n\\! b\nc")).toEqual(["c"]);
  });
});

test("3: a comment swallows a backslash, and so ends a definition", () => {
  expect(linesOf("a # b \\\nc")).toEqual(["a", "c"]);
  expect(linesOf("$A=a \\\n# b \\\nc\n$A")).toEqual(["c", "a"]);
  expect(linesOf("$A=a \\\nb # c \\\nd\n$A")).toEqual(["d", "a", "b"]);
});

describe("4: after substitution comments are looked for again", () => {
  test.each([
    ["a §{_HASH} b", ["a"]],
    ["a §{_BANG} b", ["a"]],
    ['a "§{_HASH}§{_BANG}" b', ['a "#!" b']],
    ['$Q="\na $Q # b"', ['a "']],
    ['$Q="\na §{Q}§{_HASH}b §{Q} §{_HASH}', ['a "#b "']],
  ])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines));
});

describe("5: a quote that stays open", () => {
  test("is reported where it stands", () => {
    expect(readLines(' a "b').problems).toMatchObject([
      { code: "open-quote", errorClass: "unmatched-quote", place: { line: 1, column: 4 } },
    ]);
  });

  test("a quote in a comment is none, nor one behind a backslash", () => {
    expect(readLines('a # "b\nc \\" d').codes).toEqual([]);
  });

  test("what a definition brings is looked at where it is used", () => {
    expect(readLines('$A=x "y\na\n§{A} z').problems.map(({ place }) => place.line)).toEqual([1, 3]);
  });
});
