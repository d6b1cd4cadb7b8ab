import { expect, test } from "vitest";
import { formatWall, wallFormatter } from "./clock.ts";
import { randomPool, uuidSource } from "./ids.ts";

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("ids are UUIDv7 of the time given", () => {
  const uuid = uuidSource(randomPool());
  const id = uuid(1_767_225_600_123_456);
  expect(id).toMatch(pattern);
  expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(1_767_225_600_123);
});

test("ids rise strictly: in one millisecond, beyond the counter, and when the clock steps back", () => {
  const uuid = uuidSource(randomPool());
  const ids: string[] = [];
  for (let i = 0; i < 10_000; i++) ids.push(uuid(1_767_225_600_000_000));
  for (let i = 0; i < 100; i++) ids.push(uuid(1_767_225_500_000_000));
  ids.push(uuid(1_767_225_700_000_000));
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(pattern);
});

test("the pool hands out fresh bytes across its refills", () => {
  const random = randomPool();
  const seen = new Set<string>();
  for (let i = 0; i < 5_000; i++) seen.add(Buffer.from(random(8)).toString("hex"));
  expect(seen.size).toBe(5_000);
});

test.each([
  [0, "1970-01-01T00:00:00.000000Z"],
  [1_767_225_600_000_001, "2026-01-01T00:00:00.000001Z"],
  [1_767_225_600_999_999, "2026-01-01T00:00:00.999999Z"],
])("%d µs is %s", (micros, text) => {
  expect(formatWall(micros)).toBe(text);
  const format = wallFormatter();
  expect([format(micros), format(micros + 1_000_000), format(micros)]).toEqual([
    text,
    formatWall(micros + 1_000_000),
    text,
  ]);
});
