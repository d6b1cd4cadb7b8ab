// How often a backup takes over from a master that lives, when adverts are lost at random: Baton and keepalived in turn, on
// the same sixty instances of version 3 at 0.1 s. `theory`: what chance alone makes of the adverts that came.
import { createLab, type Lab, lossConfig, lossInstance, lossShares, vridsOf, waitFor } from "@baton/lab";
import { type MeasuredRouter, type System, startRouterWith } from "./routers.ts";
import { sleep } from "./sleep.ts";
import { rounded } from "./statistics.ts";

export async function measureLoss(seconds: number, keepalived: string): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const system of ["baton", "keepalived"] as const) {
    const lab = await createLab({ name: `loss-${system}` });
    try {
      results[system] = await measureOnce(lab, system, seconds, keepalived);
    } finally {
      await lab.destroy();
    }
    process.stderr.write(`loss ${system}: ${JSON.stringify(results[system])}\n`);
  }
  return results;
}

/** False takeovers for each instance and minute. */
async function measureOnce(
  lab: Lab,
  system: System,
  seconds: number,
  keepalived: string,
): Promise<Record<string, unknown>> {
  await startRouterWith(lab, system, "r1", lossConfig(150), keepalived);
  const backup = await startRouterWith(lab, system, "r2", lossConfig(100), keepalived);
  const addresses = async (): Promise<number[]> =>
    Promise.all(["r1", "r2"].map(async (name) => (await lab.router(name).addresses()).length));
  const wanted = [1 + lossShares.flatMap(vridsOf).length, 1].join();
  await waitFor("r1 to be master of all", async () => (await addresses()).join() === wanted, { deadlineMs: 30_000 });
  const before = takeovers(backup);
  const loss = await lab.loseVrrp(lossShares);
  await sleep(seconds * 1_000);
  await loss.stop();
  const [after, counts] = [takeovers(backup), await loss.counted("r2")];
  return Object.fromEntries(
    lossShares.map((share, index) => {
      const vrids = vridsOf(share);
      const aMinute = (count: number): number => rounded((count / vrids.length / seconds) * 60);
      const count = vrids.reduce((sum, vrid) => sum + (after.get(vrid) ?? 0) - (before.get(vrid) ?? 0), 0);
      return [
        `${share.percent} %`,
        { theory: aMinute(counts[index]?.expectedTakeovers ?? 0), takeovers: aMinute(count) },
      ];
    }),
  );
}

/** So far, by VRID. */
function takeovers(router: MeasuredRouter): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const lines = router
    .log()
    .split("\n")
    .filter((line) => /"became-master"|Entering MASTER STATE/.test(line));
  for (const vrid of lossShares.flatMap(vridsOf)) {
    counts.set(vrid, lines.filter((line) => new RegExp(`\\b${lossInstance(vrid)}\\b`).test(line)).length);
  }
  return counts;
}
