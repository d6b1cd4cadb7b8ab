import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { learnFile, readTrackedNumber } from "./file-tracker.ts";

describe("the number of a file", () => {
  test.each([
    ["", 0],
    ["5\n", 5],
    ["-12", -12],
    [" \t\n+7 apples", 7],
    ["0x1F", 31],
    ["010", 8],
    ["09", 0],
    ["0x", 0],
    ["- 5", 0],
    ["five", 0],
    ["-0", 0],
    ["\x005", 0],
    ["2147483648", 2147483648],
    ["-2147483648", -2147483648],
    ["2147483649", undefined],
    ["-2147483649", undefined],
    ["99999999999999999999999999", undefined],
  ])("%j", (text, value) => {
    expect(readTrackedNumber(text)).toBe(value);
  });

  test("any text is a number in range, or none", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = readTrackedNumber(text);
        expect(value === undefined || (Number.isInteger(value) && Math.abs(value) <= 2 ** 31)).toBe(true);
      }),
    );
  });

  test("what is written is read", () => {
    fc.assert(fc.property(fc.integer(), (value) => void expect(readTrackedNumber(`${value}\n`)).toBe(value)));
  });
});

describe("a tracked file", () => {
  const unread = { name: "f", path: "/f", value: undefined };

  test("the first reading is told, the same number again is not", () => {
    const first = learnFile(unread, "3");
    expect(first.event).toEqual({ type: "file-changed", data: { file: "f", path: "/f", value: 3 } });
    expect(learnFile(first.state, "3 more").event).toBeUndefined();
  });

  test("a file that is not there says 0", () => {
    expect(learnFile(unread, undefined).state.value).toBe(0);
    expect(learnFile({ ...unread, value: 4 }, undefined).event?.data.value).toBe(0);
  });

  test("a number beyond all bounds changes nothing", () => {
    const before = { ...unread, value: 4 };
    expect(learnFile(before, "99999999999")).toEqual({ state: before, event: undefined, ignored: true });
  });
});
