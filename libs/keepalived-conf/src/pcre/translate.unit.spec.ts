// The translation matches where PCRE2 does, by its documentation, and refuses the rest at its place.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RegexOption } from "../config/checker.ts";
import { translatePattern } from "./translate.ts";

/** Where the first match begins and what it is. */
function find(
  pattern: string,
  subject: string,
  options: readonly RegexOption[] = [],
): readonly [number, string] | undefined {
  const translated = translatePattern({ pattern, options });
  if (!translated.ok) throw new Error(`${pattern}: ${translated.reason}`);
  const found = new RegExp(translated.source, translated.unicode ? "u" : "").exec(subject);
  return found === null ? undefined : [found.index, found[0]];
}

describe("the same", () => {
  test.each<[pattern: string, subject: string, found: readonly [number, string] | undefined, options?: RegexOption[]]>([
    ["abc", "xabcx", [1, "abc"]],
    ["a.c", "a\nc", undefined],
    ["a.c", "a\nc", [0, "a\nc"], ["dotall"]],
    ["a.c", "a\rc", [0, "a\rc"]],
    ["a\\Nc", "a\nc", undefined, ["dotall"]],
    ["ABC", "xabc", undefined],
    ["ABC", "xabc", [1, "abc"], ["caseless"]],
    ["\xe9", "\xc3\xa9", [0, "\xc3\xa9"]],
    ["[^a]", "\xff", [0, "\xff"]],
    ["a(?i)b|c", "C", [0, "C"]],
    ["(?i:a)b", "AB", undefined],
    ["(?i)[x-z]+", "aXyZ", [1, "XyZ"]],
    ["(?i)[^x]", "Xx", undefined],
    ["^b", "a\nb", undefined],
    ["^b", "a\nb", [2, "b"], ["multiline"]],
    ["^", "\n", [0, ""], ["multiline"]],
    ["a$", "a\n", [0, "a"]],
    ["a$", "a\n", undefined, ["dollar_endonly"]],
    ["a$", "a\nb", [0, "a"], ["multiline"]],
    ["a\\z", "a\n", undefined],
    ["a\\Z", "a\n", [0, "a"]],
    ["\\Aa", "ba", undefined],
    ["\\s", "\xa0", undefined],
    ["\\h", "\xa0", [0, "\xa0"]],
    ["\\v+", "a\x0b\r\n", [1, "\x0b\r\n"]],
    ["\\R", "a\r\nb", [1, "\r\n"]],
    ["\\R\\n", "\r\n", undefined],
    ["\\bfoo\\b", "a foo b", [2, "foo"]],
    ["[[:digit:][:upper:]]+", "ab1C", [2, "1C"]],
    ["[^[:alpha:]]", "ab-", [2, "-"]],
    ["[]a]+", "b]a", [1, "]a"]],
    ["[a\\]b]+", "]", [0, "]"]],
    ["[\\x41-\\x{43}]+", "xABCD", [1, "ABC"]],
    ["[\\b]", "\b", [0, "\b"]],
    ["\\Qa.b\\E+", "a.bb", [0, "a.bb"]],
    ["a{2}", "aaa", [0, "aa"]],
    ["a{,2}", "xa{,2}", [1, "a{,2}"]],
    ["a{x", "a{x", [0, "a{x"]],
    ["a+?", "aaa", [0, "a"]],
    ["a+", "aaa", [0, "a"], ["ungreedy"]],
    ["a+?", "aaa", [0, "aaa"], ["ungreedy"]],
    ["a++a", "aaa", undefined],
    ["(?>a|ab)c", "abc", undefined],
    ["x*+y", "xxy", [0, "xxy"]],
    ["(a)(b)\\2\\1", "abba", [0, "abba"]],
    ["(?<q>['\"])x\\k<q>", '\'x""x"', [3, '"x"']],
    ["(?P<n>a)(?P=n)", "aa", [0, "aa"]],
    ["(?'n'a)\\g{n}\\g1", "aaa", [0, "aaa"]],
    ["a b # comment\nc", "abc", [0, "abc"], ["extended"]],
    ["a(?#note)b", "ab", [0, "ab"]],
    ["(?<=a)b", "ab", [1, "b"]],
    ["(?<!a)b", "abb", [2, "b"]],
    ["a(?!b)", "abac", [2, "a"]],
    ["(?:a|b)+", "cab", [1, "ab"]],
    ["\\x41\\060\\cA\\e", "A0\x01\x1b", [0, "A0\x01\x1b"]],
    ["/", "a/b", [1, "/"]],
    ["-\\-[-a]", "--a", [0, "--a"]],
    ["(?s).(?-s).", "\n\n", undefined],
    ["h.llo", "h\u00e9llo", [0, "h\u00e9llo"], ["utf"]],
    ["[\u00e0-\u00ff]", "\u00e9", [0, "\u00e9"], ["utf"]],
    ["(a)", "a", [0, "a"], ["no_auto_capture"]],
    ["", "abc", [0, ""]],
  ])("%j in %j", (pattern, subject, found, options) => {
    expect(find(pattern, subject, options)).toEqual(found);
  });
});

describe("refused, and where", () => {
  test.each<[pattern: string, reason: RegExp, at: number, options?: RegexOption[]]>([
    ["a(?R)", /\(\?R\)/, 1],
    ["(a)(?1)", /begins with/, 3],
    ["(?(1)a|b)", /begins with/, 0],
    ["(*UTF)a", /verb/, 0],
    ["(?|a|b)", /begins with/, 0],
    ["a\\Kb", /\\K/, 1],
    ["\\Gb", /\\G/, 0],
    ["\\p{L}", /\\p/, 0],
    ["\\C", /\\C/, 0],
    ["(a)?\\1", /may take no part/, 4],
    ["(?:(a)|b)\\1", /may take no part/, 9],
    ["(?:(a))+\\1", /may take no part/, 8],
    ["(?!(a))\\1", /may take no part/, 7],
    ["\\1(a)", /not over/, 0],
    ["(a\\1)", /not over/, 2],
    ["\\2(a)", /there is not/, 0],
    ["\\k<x>", /there is not/, 0],
    ["(a)\\11", /two digits/, 3],
    ["(?i)(a)\\1", /regard to case/, 7],
    ["(?<=a++)b", /lookbehind/, 5],
    ["*a", /nothing to repeat/, 0],
    ["a**", /nothing to repeat/, 2],
    ["(a", /without an end/, 0],
    ["a)", /closing/, 1],
    ["[a", /without an end/, 0],
    ["[z-a]", /falls/, 1],
    ["[\\d-z]", /range/, 1],
    ["[[:nope:]]", /no class/, 1],
    ["[[.a.]]", /collating/, 1],
    ["a\\", /backslash/, 1],
    ["a{70000}", /number of times/, 1],
    ["a{3,2}", /number of times/, 1],
    ["\\x{100}", /beyond/, 0],
    ["(?<n>a)(?<n>b)", /two groups/, 7],
    ["(?J)a", /\(\?J\)/, 0],
    ["a", /ucp/, 0, ["ucp"]],
    ["\u00e9", /case beyond/, 0, ["utf", "caseless"]],
    [`${"(".repeat(300)}`, /nested/, 251],
  ])("%j", (pattern, reason, at, options = []) => {
    expect(translatePattern({ pattern, options })).toEqual({ ok: false, reason: expect.stringMatching(reason), at });
  });
});

test("whatever comes is translated into what RegExp takes, or refused", () => {
  const tokens = [..."ab01()[]{}*+?|^$.\\-,:=!<>'&#iPRQEdswbBAzZNkgxonc \n\u00e9"];
  const pattern = fc.array(fc.constantFrom(...tokens, "(?", "\\Q", "\\E", "[[:alpha:]]", "(?<", "{2,3}"), {
    maxLength: 25,
  });
  const options = fc.subarray<RegexOption>(["caseless", "dotall", "extended", "multiline", "utf", "allow_empty_class"]);
  fc.assert(
    fc.property(pattern, options, (parts, chosen) => {
      const translated = translatePattern({ pattern: parts.join(""), options: chosen });
      if (translated.ok) new RegExp(translated.source, translated.unicode ? "u" : "").exec("ab01\n");
      else expect(translated.at).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 3_000 },
  );
});
