import { type Instant, instant, type Micros, micros } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  failureHold,
  firstOnGrid,
  heartbeatInterval,
  kernelLeaseSeconds,
  leaseLength,
  listeningInterval,
  longestSkew,
  masterDownInterval,
  nextOnGrid,
  resumeLimit,
  shortestMasterDown,
  silenceLimit,
  skewTime,
  successorWait,
} from "./timers.ts";

const second = 1_000_000;
const of = (version: 2 | 3, seconds: number, downTimerAdverts = 3) => ({
  version,
  advertInterval: micros(Math.round(seconds * second)),
  downTimerAdverts,
});

test.each([
  // RFC 3768 section 6.1: parts of a second, whatever the interval
  [2, 100, 1, 609_375],
  [2, 100, 5, 609_375],
  [2, 255, 1, 3_906],
  [2, 1, 1, 996_093],
  // RFC 9568 section 6.1: parts of the master's interval
  [3, 100, 1, 609_375],
  [3, 100, 0.1, 60_937],
  [3, 254, 0.01, 78],
  [3, 1, 40.95, 40_790_039],
] as const)("v%i, priority %i, %d s: skew %i µs", (version, priority, seconds, skew) => {
  const masterAdvertInterval = micros(Math.round(seconds * second));
  expect(skewTime({ version, priority, masterAdvertInterval })).toBe(skew);
  const down = masterDownInterval({ version, priority, masterAdvertInterval, downTimerAdverts: 3 });
  expect(down).toBe(3 * masterAdvertInterval + skew);
});

test.each([0, 256, -1])("%i is no local priority", (priority) => {
  expect(() => skewTime({ version: 2, priority, masterAdvertInterval: micros(second) })).toThrow("wire only");
});

test.each([
  // [intervals, L, heartbeat, K, shortest master-down, resume limit, longest skew]
  ["v2 1 s", of(2, 1), 2 * second, 500_000, 4, 3_007_812, 2_507_812, second],
  ["v2 5 s", of(2, 5), 10 * second, 2.5 * second, 16, 15_007_812, 12_507_812, second],
  ["v3 100 ms", of(3, 0.1), second, 250_000, 3, 300_000, 250_000, 100_000],
  ["v3 1 s", of(3, 1), 2 * second, 500_000, 4, 3_000_000, 2_500_000, second],
  ["v3 1.5 s", of(3, 1.5), 3 * second, 750_000, 6, 4_510_000, 3_760_000, 1_500_000],
  ["v2 1 s, 2 adverts", of(2, 1, 2), second, 250_000, 3, 2_007_812, 1_507_812, second],
  ["v3 40.95 s", of(3, 40.95), 10 * second, 2.5 * second, 164, 123_160_000, 102_685_000, 40_950_000],
] as const)("the durations of %s", (_, intervals, lease, heartbeat, kernel, shortest, resume, skew) => {
  expect(leaseLength(intervals)).toBe(lease);
  expect(heartbeatInterval(intervals)).toBe(heartbeat);
  expect(kernelLeaseSeconds(intervals)).toBe(kernel);
  expect(shortestMasterDown(intervals)).toBe(shortest);
  expect(resumeLimit(intervals)).toBe(resume);
  expect(longestSkew(intervals)).toBe(skew);
  expect(successorWait(intervals)).toBe(skew + 100_000);
});

test("the hold after a failure doubles from 2 s to 5 min", () => {
  const holds = [1, 2, 3, 7, 8, 9, 1_000].map((failures) => failureHold(failures) / second);
  expect(holds).toEqual([2, 4, 8, 128, 256, 300, 300]);
});

const intervals = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const),
    seconds: fc.integer({ min: 1, max: 255 }),
    centiseconds: fc.integer({ min: 1, max: 4_095 }),
    downTimerAdverts: fc.integer({ min: 1, max: 100 }),
  })
  .map(({ version, seconds, centiseconds, downTimerAdverts }) => ({
    version,
    advertInterval: micros(version === 2 ? seconds * second : centiseconds * 10_000),
    downTimerAdverts,
  }));
const priority = fc.integer({ min: 1, max: 255 });

test("the higher priority is never the slower one, and no skew reaches its unit", () => {
  fc.assert(
    fc.property(intervals, priority, priority, ({ version, advertInterval, downTimerAdverts }, a, b) => {
      const timing = (p: number) => ({ version, priority: p, masterAdvertInterval: advertInterval, downTimerAdverts });
      const [high, low] = [Math.max(a, b), Math.min(a, b)];
      expect(skewTime(timing(high))).toBeLessThanOrEqual(skewTime(timing(low)));
      expect(skewTime(timing(low))).toBeLessThan(longestSkew({ version, advertInterval, downTimerAdverts }));
    }),
  );
});

test("within a microsecond of the exact skew: nothing is lost before the division", () => {
  fc.assert(
    fc.property(intervals, priority, ({ version, advertInterval }, p) => {
      const unit = BigInt(version === 2 ? second : advertInterval);
      const exact = (BigInt(256 - p) * unit) / 256n;
      expect(BigInt(skewTime({ version, priority: p, masterAdvertInterval: advertInterval }))).toBe(exact);
    }),
  );
});

test("no peer waits less than the shortest master-down, whole centiseconds or not", () => {
  fc.assert(
    fc.property(intervals, fc.integer({ min: 1, max: 254 }), ({ version, advertInterval, downTimerAdverts }, p) => {
      const shortest = shortestMasterDown({ version, advertInterval, downTimerAdverts });
      const exact = masterDownInterval({
        version,
        priority: p,
        masterAdvertInterval: advertInterval,
        downTimerAdverts,
      });
      // keepalived's own arithmetic for v3: whole centiseconds all the way
      const centiseconds = Math.floor(((256 - p) * (advertInterval / 10_000)) / 256);
      const coarse = downTimerAdverts * advertInterval + centiseconds * 10_000;
      expect(exact).toBeGreaterThanOrEqual(shortest);
      if (version === 3) expect(coarse).toBeGreaterThanOrEqual(shortest);
    }),
  );
});

test("the lease and what hangs on it", () => {
  fc.assert(
    fc.property(intervals, priority, (each, p) => {
      const lease = leaseLength(each);
      expect(lease).toBeGreaterThanOrEqual(second);
      expect(lease).toBeLessThanOrEqual(10 * second);
      expect(heartbeatInterval(each) * 4).toBeLessThanOrEqual(lease);
      expect(kernelLeaseSeconds(each) * second).toBeGreaterThanOrEqual(lease + second);
      // Killed with all its processes right after an advert, a master answers until the slowest peer has taken over.
      const timing = { ...each, priority: p, masterAdvertInterval: each.advertInterval };
      expect(kernelLeaseSeconds(each) * second).toBeGreaterThanOrEqual(masterDownInterval(timing));
      // A leaver outwaits every peer's skew; a healthy master never takes itself for a late one.
      expect(successorWait(each)).toBeGreaterThan(longestSkew(each));
      expect(silenceLimit(each)).toBeGreaterThan(each.advertInterval);
      expect(resumeLimit(each)).toBeLessThan(shortestMasterDown(each));
      expect(listeningInterval(each, p)).toBeGreaterThan(each.advertInterval);
    }),
  );
});

test("the advert grid: always in the future, never further than one interval, in step while nothing is missed", () => {
  const moment = fc.integer({ min: 0, max: 10 ** 12 });
  fc.assert(
    fc.property(
      moment,
      fc.integer({ min: 1, max: 10 ** 8 }),
      fc.integer({ min: 0, max: 10 ** 9 }),
      (at, step, late) => {
        const [due, interval, now] = [instant(at), step as Micros, instant(at + late)];
        const next: Instant = nextOnGrid(due, interval, now);
        expect(next).toBeGreaterThan(now);
        expect(next - now).toBeLessThanOrEqual(interval);
        if (late < step) expect(next).toBe(due + interval);
      },
    ),
  );
});

test("the first of a grid: never later than an interval, sooner by less than a 250th of it and 4 ms, alike for neighbours", () => {
  const moment = fc.integer({ min: 0, max: 10 ** 12 });
  const intervals = fc.constantFrom(10_000, 100_000, 200_000, 1_000_000, 3_000_000, 255_000_000);
  fc.assert(
    fc.property(moment, intervals, (at, step) => {
      const interval = step as Micros;
      const early = at + step - firstOnGrid(interval, instant(at));
      expect(early).toBeGreaterThanOrEqual(0);
      expect(early).toBeLessThan(Math.min(4_000, step / 250));
      expect(firstOnGrid(interval, instant(at - Math.min(at, early)))).toBe(firstOnGrid(interval, instant(at)));
    }),
  );
});
