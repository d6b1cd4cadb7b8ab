import fc from "fast-check";
import { expect, test } from "vitest";
import { readReloadTime } from "./reload-time.ts";

const now = Date.UTC(2026, 1, 28, 12, 0, 0);
const utc = (...fields: [number, number, number, number, number, number]) => Date.UTC(...fields);
const local = (year: number, month: number, day: number, hour: number) => new Date(year, month, day, hour).getTime();

test.each([
  ["12:00:01Z", utc(2026, 1, 28, 12, 0, 1), false],
  ["12:00:00Z\n", utc(2026, 2, 1, 12, 0, 0), false],
  ["26-02-28 12:00:01Z", utc(2026, 1, 28, 12, 0, 1), true],
  ["2026-12-31 23:59:59Z\nnever mind", utc(2026, 11, 31, 23, 59, 59), true],
  ["2027-03-04 05:00:00", local(2027, 2, 4, 5), true],
])("%s", (text, at, isOnce) => expect(readReloadTime(text, now)).toEqual({ at, isOnce }));

test.each([
  ["2026-02-28 12:00:00Z", "passed"],
  ["69-01-01 00:00:00Z", "passed"],
  ["2026-02-30 12:00:00Z", "no such time"],
  ["2026-13-01 12:00:00Z", "no such time"],
  ["24:00:00Z", "no such time"],
  ["12:60:00", "no such time"],
  ["0012-01-01 00:00:00", "no such time"],
  ["", "HH:MM:SS"],
  ["12:00", "HH:MM:SS"],
  ["12:00:00 Z", "HH:MM:SS"],
  ["12:00:00z", "HH:MM:SS"],
  ["2026-2-3 12:00:00", "HH:MM:SS"],
])("%j is none", (text, why) => expect(readReloadTime(text, now)).toContain(why));

test("whatever a file holds, a time that is found lies ahead, and one without a day within two", () => {
  const time = fc
    .tuple(fc.nat(25), fc.nat(61), fc.nat(61))
    .map((parts) => parts.map((part) => `${part}`.padStart(2, "0")).join(":"));
  const date = fc
    .tuple(fc.nat(9999), fc.nat(13), fc.nat(32))
    .map(([y, m, d]) => `${`${y}`.padStart(4, "0")}-${`${m}`.padStart(2, "0")}-${`${d}`.padStart(2, "0")} `);
  const line = fc.tuple(fc.option(date, { nil: "" }), time, fc.constantFrom("", "Z")).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(fc.string(), line), fc.integer({ min: 0, max: 4e12 }), (text, at) => {
      const found = readReloadTime(text, at);
      if (typeof found === "string") return;
      expect(found.at).toBeGreaterThan(at);
      if (!found.isOnce) expect(found.at - at).toBeLessThanOrEqual(2 * 86_400_000);
    }),
  );
});
