// Routers that do not hear each other, or were told different things: where keepalived leaves the client without an
// answer for seconds.
import type { ProbeReport } from "@baton/lab";
import { virtualAddress, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { backupConf, labFor, masterConf, type Pair, type PairOptions, startPair, stopPair } from "./pair.ts";

const lab = labFor("disagreement", { beforeAll, afterAll });
const held: { pair?: Pair } = {};
const start = async (options: PairOptions): Promise<Pair> => {
  held.pair = await startPair(lab.get(), options);
  return held.pair;
};
afterEach(async () => {
  await lab.get().healVrrp();
  await stopPair(held.pair);
  delete held.pair;
});

const intervalMs = 500;
const quick = { before: "global_defs {\n  vrrp_version 3\n}", password: "", advertInt: intervalMs / 1_000 };
const outageMs = ({ outages }: ProbeReport): number => outages.reduce((sum, each) => sum + each.durationMs, 0);

/** The length of a cut is what is tried, not what is waited for. */
async function elapsed(ms: number): Promise<void> {
  const end = performance.now() + ms;
  await waitFor(`${ms} ms`, () => performance.now() >= end, { deadlineMs: ms + 5_000 });
}

test("VRRP alone is cut for 3.3 intervals and for 6, and healed: the client is answered within two intervals", async () => {
  const { lab: here, r1, r2, probe } = await start({ r1: masterConf(quick), r2: backupConf(quick) });
  const probing = await probe();
  for (const intervals of [3.3, 6]) {
    const before = outageMs(await probing.report());
    await here.cutVrrp();
    await elapsed(intervals * intervalMs);
    await here.healVrrp();
    await r1.waitState("master");
    await r2.waitState("backup");
    // Until r1 has announced it, r2 answers for it (SAFETY S12).
    await probing.waitAnswered("r1");
    const { answered } = await probing.report();
    await waitFor("a second of answers", async () => (await probing.report()).answered > answered + 1_000);
    const report = await probing.report();
    expect(outageMs(report) - before, JSON.stringify(report.outages)).toBeLessThan(2 * intervalMs);
  }
  await probing.stop();
});

test("different lists of addresses: each router holds its own, and what the successor never announces goes all the same", async () => {
  const [inBoth, ofFirst, ofSecond] = [virtualAddress, "172.16.100.2", "172.16.100.3"];
  const {
    lab: here,
    r1,
    r2,
    holds,
  } = await start({
    r1: masterConf({ ...quick, addresses: [`${inBoth}/16`, `${ofFirst}/16`] }),
    r2: backupConf({ ...quick, addresses: [`${inBoth}/16`, `${ofSecond}/16`] }),
  });
  await waitFor("r1 to hold its list", () => holds("r1", ofFirst));
  // Who was ready first may have been master for a moment: what r1 never announces goes after 2 s (SAFETY S12).
  await waitFor("r2 to hold nothing", async () => !(await holds("r2", inBoth)) && !(await holds("r2", ofSecond)));
  await r1.stop();
  await r2.waitState("master");
  await waitFor("r2 to hold its list", async () => (await holds("r2", inBoth)) && holds("r2", ofSecond));
  expect(await holds("r2", ofFirst)).toBe(false);
  expect((await here.router("r1").addresses()).filter((each) => each.startsWith("172.16.100."))).toEqual([]);
});
