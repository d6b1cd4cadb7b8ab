// Grammar section 2: physical lines. Each case was put to keepalived 2.4.3.
import { describe, expect, test } from "vitest";
import { linesOf, readLines } from "../testing/read-lines.ts";

const x = (count: number): string => "x".repeat(count);

describe("1: a line is 1023 octets at most, its end among them", () => {
  test.each([
    ["1022 fit", `${x(1022)}\nb`, [x(1022), "b"], false],
    ["of 1023 nothing is left", `${x(1023)}\nb`, ["b"], true],
    ["of more, what is behind the first 1023", `${x(1023)}yz\nb`, ["yz", "b"], true],
    ["of twice as many, what is behind them", `${x(2046)}yz\nb`, ["yz", "b"], true],
    ["a return counts", `${x(1021)}\r\nb`, [x(1021), "b"], false],
    ["so one less fits with it", `${x(1022)}\r\nb`, ["b"], true],
    ["a last line without its end", x(1022), [x(1022)], false],
    ["that is too long", x(1023), [], true],
    ["comments count", `a #${x(1030)}\nb`, [x(10), "b"], true],
    ["octets, not characters: 340 of three fit", `${"检".repeat(340)}\nb`, ["检".repeat(340), "b"], false],
    ["341 do not", `${"检".repeat(341)}yz\nb`, ["yz", "b"], true],
    ["the cut goes through a character", `x${"检".repeat(341)}y\nb`, ["\x80y", "b"], true],
  ])("%s", (_what, text, lines, tooLong) => {
    const result = readLines(text);
    expect(result.lines).toEqual(lines);
    expect(result.codes.filter((code) => code === "line-too-long")).toHaveLength(tooLong ? 1 : 0);
  });

  test("the line that is lost ends a definition, as an empty one does", () => {
    expect(linesOf(`$A=a \\\n${x(1023)}\nb\n$A`)).toEqual(["b", "a"]);
  });

  test("what is left stands where it stands", () => {
    const { problems, places } = readLines(`a\n${x(1023)} "y\nz`);
    expect(places).toEqual(["main:1", "main:2", "main:3"]);
    expect(problems.map(({ code, place }) => `${code} ${place.line}:${place.column}`)).toEqual([
      "open-quote 2:1025",
      "line-too-long 2:1",
    ]);
  });
});

describe("2: NUL and line ends", () => {
  test.each([
    ["a NUL takes its line away", "a\nb\0 c\nd", ["a", "d"]],
    ["wherever it is", "\0a\nb\0\nc", ["c"]],
    ["and ends a definition", "$A=a \\\nb\0\nc\n$A", ["c", "a"]],
    ["CRLF, and more of them", "a\r\n\r\n \t b \t\r\r\n\nc", ["a", "b", "c"]],
    ["CR alone ends no line", "a\rb\nc", ["a\rb", "c"]],
    ["CR that blanks follow goes too, as the comment behind it does", "a\r \nb\r # c\nd", ["a", "b", "d"]],
  ])("%s", (_what, text, lines) => expect(linesOf(text)).toEqual(lines));

  test("NUL is reported once a line", () => {
    expect(readLines("a\0\0b\n\0").codes).toEqual(["nul-octet", "nul-octet"]);
  });
});

test("3: the last line may lack its end", () => {
  expect(linesOf("a\nb")).toEqual(["a", "b"]);
  expect(linesOf("a\nb\n")).toEqual(["a", "b"]);
  expect(linesOf("")).toEqual([]);
});

test("4: blanks and tabs around a line go, other white space stays", () => {
  expect(linesOf(" \t a b\t \n\f c \v")).toEqual(["a b", "\f c \v"]);
});

describe("6: a backslash continues definitions only", () => {
  test.each([
    ["a \\\nb", ["a\\", "b"]],
    ["a \t\\\nb", ["a\\", "b"]],
    ["a\\ \nb", ["a\\", "b"]],
    ["a \\\\\nb", ["a \\\\", "b"]],
    ["\\\nb", ["\\", "b"]],
    ["$A=a \\\nb\n$A", ["a", "b"]],
    ["$A=a \\ \nb\n$A", ["a", "b"]],
  ])("%j", (text, lines) => expect(linesOf(text)).toEqual(lines));
});

describe("encodings", () => {
  const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

  test("a byte-order mark is dropped and reported: keepalived takes it for a part of the first word", () => {
    const { lines, codes, classes } = readLines("\uFEFF! comment\na");
    expect(lines).toEqual(["a"]);
    expect(codes).toEqual(["byte-order-mark"]);
    expect(classes).toEqual(["unknown-keyword"]);
  });

  test("UTF-8 is read as such, and columns count characters", () => {
    const { lines, problems } = readLines(Buffer.from('检 é "x'));
    expect(lines).toEqual(['检 é "x']);
    expect(problems[0]?.place).toMatchObject({ column: 5 });
  });

  test("GBK in comments breaks nothing, even where its second octet is a backslash", () => {
    const gbk = latin1("a # \xca\xa7\xb0\xdc\xbb\x5c\n# \xd4\x7b\x0ab\n");
    expect(readLines(gbk)).toMatchObject({ lines: ["a", "b"], codes: [] });
  });

  test("elsewhere a line that is no UTF-8 is Latin-1, and only that line", () => {
    const { lines, problems } = readLines(Buffer.concat([Buffer.from("é\n"), latin1(" caf\xe9\n\xca\xff\n")]));
    expect(lines).toEqual(["é", "café", "Êÿ"]);
    expect(problems.map(({ code, place }) => `${code} ${place.line}:${place.column}`)).toEqual([
      "encoding 2:5",
      "encoding 3:1",
    ]);
  });

  test("its length is counted in its own octets", () => {
    expect(readLines(latin1(`${"\xe9".repeat(1022)}\nb`)).codes).toEqual(["encoding"]);
    expect(readLines(latin1(`${"\xe9".repeat(1023)}yz\nb`)).lines).toEqual(["yz", "b"]);
  });

  test("UTF-16 is nothing but NULs", () => {
    const { lines, codes } = readLines(Buffer.from("a\nb\n", "utf16le"));
    expect(lines).toEqual([]);
    expect(new Set(codes)).toEqual(new Set(["nul-octet"]));
  });
});
