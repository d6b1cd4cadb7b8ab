import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bootNow, wallMicros } from "./clock.ts";

test("bootNow is the machine's uptime in microseconds, and does not go back", () => {
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  const now = bootNow();
  expect(now / 1_000_000).toBeGreaterThanOrEqual(uptime);
  expect(now / 1_000_000).toBeLessThan(uptime + 60);
  let last = now;
  for (let i = 0; i < 10_000; i++) {
    const next = bootNow();
    expect(next).toBeGreaterThanOrEqual(last);
    last = next;
  }
});

test("the wall clock is that of Node", () => {
  const before = Date.now();
  const wall = wallMicros() / 1_000;
  expect(Math.floor(wall)).toBeGreaterThanOrEqual(before);
  expect(wall).toBeLessThanOrEqual(Date.now() + 1);
});
