import { describe, expect, test } from "vitest";
import { splitScript } from "./script-words.ts";
import { textOf } from "./text.ts";
import { splitWords } from "./words.ts";

describe("standard words", () => {
  test.each([
    ["a b\tc", ["a", "b", "c"]],
    ["a\u000bb\fc", ["a", "b", "c"]],
    ['a "b c" d', ["a", "b c", "d"]],
    ['a"b c"', ["a", "b c"]],
    ['"a""b"', ["a", "b"]],
    ["a 'b c'", ["a", "'b", "c'"]],
    ['a "\\" b', ["a", "\\", "b"]],
    ['a ""', ["a", ""]],
    ["", []],
  ])("%j", (line, expected) => {
    const { words, openQuote } = splitWords(textOf(line));
    expect(words.map(({ text }) => text)).toEqual(expected);
    expect(openQuote).toBeUndefined();
  });

  test("what follows an open quote is lost", () => {
    expect(splitWords(textOf('a b "c d'))).toEqual({
      words: [
        { text: "a", column: 1 },
        { text: "b", column: 3 },
      ],
      openQuote: 5,
    });
  });

  test("columns are those of the words, quotes included", () => {
    const { words } = splitWords(textOf('ab  "c d" e', 4));
    expect(words.map(({ column }) => column)).toEqual([4, 8, 14]);
    expect(splitWords(textOf(" \u00a0a \ufeff")).words).toEqual([
      { text: "\u00a0a", column: 2 },
      { text: "\ufeff", column: 5 },
    ]);
  });
});

describe("script words", () => {
  test.each([
    ["a b", ["a", "b"]],
    [`a 'b c' "d e"`, ["a", "b c", "d e"]],
    [`a'b c'd`, ["ab cd"]],
    [`"a"'b'`, ["ab"]],
    [`a "" b`, ["a", "", "b"]],
    [`"it's"`, ["it's"]],
    ["", []],
    ["  ", []],
  ])("%j", (text, expected) => expect(splitScript(text, true)).toEqual({ ok: true, words: expected }));

  test.each([
    ["\\a\\b\\E\\f\\n\\r\\t\\v", "\x07\b\x1b\f\n\r\t\v"],
    ["\\1\\12\\101\\1019", "\x01\nAA9"],
    ["\\x41\\x4g\\x414", "A\x04gA4"],
    ["\\cA\\ca", "\x01\x01"],
    ["a\\ b", "a b"],
    ["\\q\\\\", "q\\"],
    ['"a\\"b"', 'a"b'],
    ["'a\\'b'", "a'b"],
  ])("the escapes of %j", (text, expected) => expect(splitScript(text, true)).toEqual({ ok: true, words: [expected] }));

  test("escapes make octets, and octets make characters", () => {
    expect(splitScript("\\xc3\\xa9 \\346\\243\\200é \\xe9", true)).toEqual({ ok: true, words: ["é", "检é", "\xe9"] });
    expect(splitScript("\\cé", true)).toEqual({ ok: true, words: ["\x03\xa9"] });
  });

  test("a NUL ends its word", () => {
    expect(splitScript("a\\0b c\\x00 \\c@d e", true)).toEqual({ ok: true, words: ["a", "c", "", "e"] });
  });

  test("without escapes a backslash keeps the next character from ending a quote, and stays", () => {
    expect(splitScript('a "b\\"c" d\\ e', false)).toEqual({ ok: true, words: ["a", 'b\\"c', "d\\ e"] });
  });

  test.each(["a 'b", 'a "b', "a\\"])("%j cannot be split", (text) => {
    expect(splitScript(text, true)).toMatchObject({ ok: false });
  });
});
