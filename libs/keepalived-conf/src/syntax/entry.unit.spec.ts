// The reader of value blocks' lines, by forms of its own: what a line loses with what is not understood in it.
import { describe, expect, test } from "vitest";
import { integer } from "../keywords/arguments.ts";
import { entryForm, one, option, optionAlias, present } from "../keywords/option.ts";
import { name } from "../keywords/option-arguments.ts";
import { accepted, type EntryForm, type OptionArgument } from "../keywords/table.ts";
import type { Problem } from "../report.ts";
import { textOf } from "../source/text.ts";
import { splitWords } from "../source/words.ts";
import { type CheckOption, optionValue, optionValues, readEntry } from "./entry.ts";

const size = one(integer({ min: 1, max: 9, strict: true }));
const lockable: OptionArgument<string> = {
  syntax: "[lock] NAME",
  range: "",
  read: (words) => (words.peek()?.text === "lock" ? `${words.take()?.text} ${words.take()?.text}` : words.take()?.text),
};

const options = {
  width: option("width", size),
  height: option("height", size, { loses: "entry" }),
  once: option("once", name(), { repeat: "once" }),
  first: option("first", name(), { repeat: "first" }),
  many: option("many", name(), { repeat: "all" }),
  lockable: option("lockable", lockable),
  old: option("old", present, { deprecated: "write new" }),
  later: option("later", present, { support: accepted("warning", "nothing happens") }),
};
const aliased = { ...options, wide: optionAlias("wide", options.width) };
const target = option("(target)", name(3), { loses: "entry" });
const place = option("(place)", name(), { repeat: "all" });

function read(line: string, form: EntryForm, check?: CheckOption) {
  const [head, ...rest] = splitWords(textOf(line)).words;
  if (head === undefined) throw new Error("an empty line is no entry");
  const problems: Problem[] = [];
  const at = (word = head) => ({ file: "f", line: 1, column: word.column, text: word.text });
  const entry = readEntry(
    { words: [head, ...rest], text: textOf(line), order: 0, at },
    form,
    { report: (problem) => problems.push(problem), machine: { hostName: "r1" }, dynamicInterfaces: false },
    { ...(check === undefined ? {} : { value: check }) },
  );
  const told = problems.map(({ code, place: { column } }) => `${code} ${column}`);
  const values = entry?.values.map(({ option: { name: key }, value }) => `${key}=${value}`).join(" ");
  return { values, told, problems, entry };
}

const plain = entryForm(aliased);

describe("values, from left to right", () => {
  test.each([
    ["width 3", "width=3"],
    ["width 3 height 4", "width=3 height=4"],
    ["width 3 width 4", "width=3 width=4"],
    ["wide 3", "width=3"],
    ["many a many b", "many=a many=b"],
    ["lockable x", "lockable=x"],
    ["lockable lock x width 1", "lockable=lock x width=1"],
    ['once "two words"', "once=two words"],
    ["once width", "once=width"],
  ])("%s", (line, values) => expect(read(line, plain)).toMatchObject({ values, told: [] }));

  test("the one that counts is the last, or the first where keepalived keeps that", () => {
    const { entry } = read("width 1 width 2 first a", plain);
    if (entry === undefined) throw new Error("not read");
    expect(optionValue(entry, options.width)?.value).toBe(2);
    expect(optionValues(entry, options.width)).toHaveLength(2);
    expect(optionValue(entry, options.first)?.value).toBe("a");
    expect(optionValue(entry, options.many)).toBeUndefined();
  });
});

describe("places of their own", () => {
  const form = entryForm(options, { first: target, rest: place });
  test.each([
    ["abc", "(target)=abc"],
    ["width width 3", undefined],
    ["abc width 3 else where", "(target)=abc width=3 (place)=else (place)=where"],
  ])("%s", (line, values) => expect(read(line, form).values).toBe(values));

  test("the first word is never a name", () => {
    expect(read("old width 3", entryForm(options, { first: target })).values).toBe("(target)=old width=3");
  });
});

describe("words that are not understood", () => {
  test.each([
    ["height 4 widht 3", "word", "height=4", ["unknown-option 10", "unknown-option 16"]],
    ["height 4 widht 3 width 2", "rest", "height=4", ["unknown-option 10"]],
    ["height 4 widht 3 width 2", "entry", undefined, ["unknown-option 10"]],
    ["toString", "word", "", ["unknown-option 1"]],
    ["width 10 height 2", "word", "height=2", ["invalid-number 7"]],
    ["height 10 width 2", "word", undefined, ["invalid-number 8"]],
    ["height 3x", "word", undefined, ["invalid-number 8"]],
  ] as const)("%s, losing the %s", (line, unknownWord, values, told) => {
    expect(read(line, entryForm(options, { unknownWord }))).toMatchObject({ values, told });
  });

  test("the nearest known one is named, or all of them", () => {
    const hintOf = (line: string) => {
      const hint = read(line, plain).problems[0]?.hint;
      return typeof hint === "function" ? hint() : hint;
    };
    expect(hintOf("widht")).toBe("did you mean width?");
    expect(hintOf("xyz")).toMatch(/^known are width, height, /);
  });

  test("what is lost is said", () => {
    expect(read("widht", plain).problems[0]?.message).toContain("it is ignored");
    expect(read("widht", entryForm(options, { unknownWord: "entry" })).problems[0]?.message).toContain("line is left");
    expect(read("height 10", plain).problems[0]?.message).toContain("line is left out");
    expect(read("width 10", plain).problems[0]?.message).not.toContain("line");
    expect(read("abcd", entryForm(options, { first: target })).problems[0]?.message).toBe(
      "'abcd' is not usable; the line is left out",
    );
  });
});

describe("a missing value", () => {
  test.each([
    ["old width", "option", "old=true", "missing-value 5", "general-error"],
    ["old width", "entry", undefined, "missing-value 5", "general-error"],
    ["old width", "ends", undefined, "missing-parameter 5", "missing-parameter"],
    ["old lockable lock", "entry", undefined, "missing-value 14", "general-error"],
  ] as const)("%s, losing the %s", (line, missingValue, values, told, errorClass) => {
    const result = read(line, entryForm(options, { missingValue }));
    expect(result.values).toBe(values);
    expect(result.told).toEqual(["deprecated 1", told]);
    expect(result.problems.at(-1)).toMatchObject({ errorClass });
  });
});

describe("repeated", () => {
  test.each([
    ["once a once b", undefined, ["repeated 8"]],
    ["first a first b", "first=a", ["repeated 9"]],
    ["first a first b width 1", "first=a width=1", ["repeated 9"]],
  ])("%s", (line, values, told) => expect(read(line, plain)).toMatchObject({ values, told }));
});

test("what is old, or not carried out, is told and kept", () => {
  expect(read("old later", plain)).toMatchObject({
    values: "old=true later=true",
    told: ["deprecated 1", "accepted 5"],
  });
});

test("a line that the caller cannot use is not read further", () => {
  const seen: string[] = [];
  const result = read("width 1 height 2 nonsense", plain, ({ option: { name: key } }, before) => {
    seen.push(`${key} after ${before.length}`);
    return key !== "height";
  });
  expect(result).toMatchObject({ values: undefined, told: [] });
  expect(seen).toEqual(["width after 0", "height after 1"]);
});
