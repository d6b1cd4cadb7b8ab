import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { atCommonTimes, untilCommon } from "./common-times.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const millis = (): number => Number(process.hrtime.bigint() / 1_000_000n);

test("whoever begins when, all act at the same points", () => {
  const acted: number[][] = [[], []];
  const first = atCommonTimes(1_000, () => acted[0]?.push(millis()));
  vi.advanceTimersByTime(370);
  const second = atCommonTimes(1_000, () => acted[1]?.push(millis()));
  vi.advanceTimersByTime(3_000);
  expect(acted[0]).toHaveLength(3);
  expect(acted[1]).toEqual(acted[0]);
  expect(acted[0]?.map((at) => at % 1_000)).toEqual([0, 0, 0]);
  first.close();
  second.close();
});

test("every third second is one of the seconds", () => {
  const acted: number[] = [];
  const { close } = atCommonTimes(3_000, () => acted.push(millis()));
  vi.advanceTimersByTime(9_000);
  expect(acted.map((at) => at % 3_000)).toEqual([0, 0, 0]);
  close();
  vi.advanceTimersByTime(9_000);
  expect(acted).toHaveLength(3);
});

test("a timer that fires a moment early does not act twice", () => {
  vi.advanceTimersByTime(1_000 - (millis() % 1_000) - 1);
  expect(untilCommon(1_000)).toBe(1_001);
});
