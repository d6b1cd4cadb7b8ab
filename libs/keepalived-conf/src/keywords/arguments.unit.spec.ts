import { describe, expect, test } from "vitest";
import type { Problem } from "../report.ts";
import { textOf } from "../source/text.ts";
import { splitWords } from "../source/words.ts";
import { addressPort, hostPort, virtualServerId } from "./address-arguments.ts";
import { bool, choice, integer, interfaceName, milliseconds, seconds } from "./arguments.ts";
import { editDistance } from "./nearest.ts";
import type { Argument } from "./table.ts";

/** The value of `words` after a keyword, and the codes of what is wrong with them. */
function parse<T>(argument: Argument<T>, words: string): [T | undefined, ...string[]] {
  const text = textOf(`keyword ${words}`);
  const [keyword, ...args] = splitWords(text).words;
  if (keyword === undefined) throw new Error("no word");
  const problems: Problem[] = [];
  const at = (word = keyword) => ({ file: "f", line: 1, column: word.column });
  const value = argument.parse({ keyword, args, text, at }, (problem) => problems.push(problem));
  return [value, ...problems.map(({ code }) => code)];
}

describe("numbers", () => {
  const byte = integer({ min: 0, max: 255 });
  const strict = integer({ min: 0, max: 255, strict: true, instead: 7 });
  const signed = integer({ min: -5, max: 5 });
  test.each<[Argument<number>, string, (number | undefined)[], boolean]>([
    [byte, "0", [0], true],
    [byte, "255", [255], true],
    [byte, "+7", [7], true],
    [byte, '" 12"', [12], true],
    [byte, "256", [undefined], false],
    [byte, "-1", [undefined], false],
    [byte, "5s", [5], false],
    [byte, "5.5", [5], false],
    [byte, "x", [undefined], false],
    [byte, '""', [0], true],
    [byte, '"7 "', [7], false],
    [byte, '"-0"', [0], false],
    [byte, "0x10", [0], false],
    [byte, "99999999999999999999999", [undefined], false],
    [strict, "5s", [7], false],
    [strict, "300", [7], false],
    [signed, "-5", [-5], true],
    [signed, '" -5"', [-5], true],
    [signed, "-6", [undefined], false],
    [signed, "3x", [3], false],
    [signed, "-x", [undefined], false],
  ])("%# %s", (argument, words, [value], good) => {
    expect(parse(argument, words)).toEqual(good ? [value] : [value, "invalid-number"]);
  });
});

describe("times", () => {
  test.each([
    [seconds(), "1", 1_000_000, true],
    [seconds(), "0.25", 250_000, true],
    [seconds(), ".5", 500_000, true],
    [seconds(), ".", 0, true],
    [seconds(), '""', 0, true],
    [seconds(), '" 1"', 1_000_000, true],
    [seconds(), "+1", 1_000_000, true],
    [seconds(), "-1", undefined, false],
    [seconds(), '" -1"', undefined, false],
    [seconds(), "5s", 5, false],
    [seconds(), "1.5s", 15, false],
    [seconds(), "1.2.3", 12, false],
    [seconds(), "x", undefined, false],
    [seconds({ min: 0.01 }), "5s", undefined, false],
    [seconds(), "9".repeat(400), undefined, false],
    [seconds(), "1.", 1_000_000, true],
    [seconds(), "1.1234567", 1_123_457, false],
    [seconds({ decimals: 3 }), "1.5", 1_500_000, true],
    [seconds({ decimals: 3 }), "1.2345", 1_235_000, false],
    [seconds({ decimals: 0 }), "3", 3_000_000, true],
    [seconds({ min: 0.01, max: 255 }), "300", undefined, false],
    [seconds({ min: 0.01, max: 255 }), "0.01", 10_000, true],
    [seconds({ zeroIsOne: true }), "0", 1_000_000, false],
    [milliseconds(1, 1000), "10.5", 10_500, true],
    [milliseconds(1, 1000), "0", undefined, false],
  ])("%# %s", (argument, words, micros, good) => {
    expect(parse(argument, words)).toEqual(good ? [micros] : [micros, "invalid-number"]);
  });
});

test.each([
  ["", true],
  ["on", true],
  ["yes", true],
  ["true", true],
  ["off", false],
  ["no", false],
  ["false", false],
])("boolean %j", (words, value) => expect(parse(bool, words)).toEqual([value]));

test("what is no boolean, choice or name", () => {
  expect(parse(bool, "maybe")).toEqual([undefined, "invalid-value"]);
  expect(parse(bool, "constructor")).toEqual([undefined, "invalid-value"]);
  expect(parse(choice("PASS", "AH"), "pass")).toEqual([undefined, "invalid-value"]);
  expect(parse(choice("PASS", "AH"), "AH")).toEqual(["AH"]);
  expect(parse(interfaceName, "abcdefghijklmno")).toEqual(["abcdefghijklmno"]);
  expect(parse(interfaceName, "abcdefghijklmnop")).toEqual([undefined, "invalid-value"]);
});

describe("addresses", () => {
  test.each([
    ["10.0.0.1", { address: "10.0.0.1", port: 0 }],
    ["10.0.0.1 80", { address: "10.0.0.1", port: 80 }],
    ["10.0.0.1 0", { address: "10.0.0.1", port: 0 }],
    ["2001:DB8::1 80", { address: "2001:db8::1", port: 80 }],
    ["10.0.0.1 65536", undefined],
    ["10.0.0 80", undefined],
    ["10.0.0.1 http", undefined],
  ])("%s", (words, expected) => expect(parse(addressPort, words)[0]).toEqual(expected));

  test.each([
    ["fwmark 7", { kind: "fwmark", mark: 7 }],
    ["group web", { kind: "group", name: "web" }],
    ["10.0.0.1 53", { kind: "address", address: "10.0.0.1", port: 53 }],
    ["fwmark", undefined],
    ["fwmark x", undefined],
    ["group", undefined],
  ])("virtual server %s", (words, expected) => expect(parse(virtualServerId, words)[0]).toEqual(expected));

  test.each([
    ["127.0.0.1", { host: "127.0.0.1", port: 25 }],
    ["mail.example.net 2525", { host: "mail.example.net", port: 2525 }],
    ["<smtp.example.net>", undefined],
    ["**", undefined],
    ["mail 99999", undefined],
  ])("mail server %s", (words, expected) => expect(parse(hostPort(25), words)[0]).toEqual(expected));
});

test.each([
  ["priority", "priority", 3, 0],
  ["priority", "prioriti", 3, 1],
  ["priority", "pirority", 3, 1],
  ["priority", "prio", 3, undefined],
  ["", "abc", 3, 3],
  ["abc", "", 2, undefined],
])("%s to %s within %i", (a, b, limit, distance) => expect(editDistance(a, b, limit)).toBe(distance));
