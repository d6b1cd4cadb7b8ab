import { expect, test } from "vitest";
import { createProbeLedger, limits, type ProbeLedger } from "./probe-ledger.ts";

const millisecond = 1000;
const rtt = 100;

/** Sends one probe each millisecond; `answer` says who answers the n-th, if anybody. */
function probe(ledger: ProbeLedger, count: number, answer: (n: number) => string | undefined): void {
  for (let n = 0; n < count; n++) {
    ledger.sent(n, n * millisecond);
    const by = answer(n);
    if (by !== undefined) ledger.answered(n, n * millisecond + rtt, by);
    ledger.settle(n * millisecond + rtt);
  }
  ledger.finish(count * millisecond + limits.settleMicros);
}

test("all answered: no outage, one reign", () => {
  const ledger = createProbeLedger();
  probe(ledger, 100, () => "r1");
  expect(ledger.report()).toEqual({
    sent: 100,
    answered: 100,
    lost: 0,
    outages: [],
    reigns: [{ by: "r1", firstAt: 0, lastAt: 99 * millisecond, answers: 100 }],
    pauses: [],
    forgotten: 0,
  });
});

test("a takeover: how many were lost, for how long, from whom to whom", () => {
  const ledger = createProbeLedger();
  probe(ledger, 1000, (n) => (n < 100 ? "r1" : n < 712 ? undefined : "r2"));
  const { outages, reigns, lost } = ledger.report();
  expect(lost).toBe(612);
  expect(outages).toEqual([
    {
      lost: 612,
      firstLostAt: 100 * millisecond,
      lastLostAt: 711 * millisecond,
      lastAnsweredAt: 99 * millisecond,
      answeredAgainAt: 712 * millisecond,
      answeredBefore: "r1",
      answeredAfter: "r2",
      durationMs: 613,
    },
  ]);
  expect(reigns.map(({ by, answers }) => [by, answers])).toEqual([
    ["r1", 100],
    ["r2", 288],
  ]);
});

test("a single lost probe is an outage of its own", () => {
  const ledger = createProbeLedger();
  probe(ledger, 10, (n) => (n === 5 ? undefined : "r1"));
  expect(ledger.report().outages).toMatchObject([{ lost: 1, firstLostAt: 5 * millisecond, durationMs: 2 }]);
});

test("lost at the beginning and never answered at the end", () => {
  const ledger = createProbeLedger();
  probe(ledger, 30, (n) => (n >= 10 && n < 20 ? "r1" : undefined));
  expect(ledger.report().outages).toMatchObject([
    { lost: 10, lastAnsweredAt: undefined, answeredBefore: undefined, answeredAfter: "r1" },
    { lost: 10, answeredBefore: "r1", answeredAgainAt: undefined, answeredAfter: undefined },
  ]);
});

test("a handover without a loss is two reigns and no outage", () => {
  const ledger = createProbeLedger();
  probe(ledger, 20, (n) => (n < 10 ? "r1" : "r2"));
  const { outages, reigns } = ledger.report();
  expect([outages.length, reigns.length]).toEqual([0, 2]);
});

test("an answer that comes too late is a loss", () => {
  const ledger = createProbeLedger();
  ledger.sent(0, 0);
  ledger.answered(0, limits.answerMicrosMax + 1, "r1");
  ledger.finish(2 * limits.settleMicros);
  expect(ledger.report()).toMatchObject({ answered: 0, lost: 1 });
});

test("unless it is this process that read it late", () => {
  const ledger = createProbeLedger();
  ledger.sent(0, 0);
  ledger.paused(300_000, 300, 299);
  ledger.answered(0, 300_100, "r1");
  ledger.finish(2 * limits.settleMicros);
  expect(ledger.report()).toMatchObject({ answered: 1, lost: 0, pauses: [{ ms: 300, skipped: 299 }] });
});

test("duplicates and strangers are not counted", () => {
  const ledger = createProbeLedger();
  ledger.sent(0, 0);
  ledger.answered(0, 100, "r1");
  ledger.answered(0, 200, "r2");
  ledger.answered(77, 200, "r2");
  ledger.finish(2 * limits.settleMicros);
  expect(ledger.report()).toMatchObject({ sent: 1, answered: 1, reigns: [{ by: "r1" }] });
});

test("what may still be answered at the end is not counted at all", () => {
  const ledger = createProbeLedger();
  ledger.sent(0, 0);
  ledger.answered(0, 100, "r1");
  ledger.sent(1, 1000);
  ledger.sent(2, 2000);
  ledger.finish(2100);
  expect(ledger.report()).toMatchObject({ sent: 1, answered: 1, lost: 0, outages: [] });
});

test("memory is bounded: the oldest outages are forgotten, never the counts", () => {
  const ledger = createProbeLedger();
  const rounds = limits.entriesMax + 5;
  probe(ledger, 2 * rounds, (n) => (n % 2 === 0 ? "r1" : undefined));
  const report = ledger.report();
  expect(report.outages).toHaveLength(limits.entriesMax);
  expect(report).toMatchObject({ lost: rounds, answered: rounds, forgotten: 5 });
});
