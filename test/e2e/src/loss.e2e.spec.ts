// Adverts lost at random, one in ten, three in ten and every second one: a backup takes over from a living master no more
// often than chance makes it, and gives back each time it hears it. What chance makes is `expectedTakeovers`: three adverts
// in a row are lost. keepalived, whose timers are the same, comes to the same figures (`npm run bench -- loss`).
import { type BatonNode, lossConfig, lossInstance, lossShares, type Machine, vridsOf, waitFor } from "@baton/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Metrics, readMetrics } from "./metrics.ts";
import { labFor } from "./pair.ts";

const lab = labFor("loss", { beforeAll, afterAll });

/** What is waited for of those of which one in ten is lost: a quarter of a minute. */
const advertsMin = 5_400;

test("10, 30 and 50 % of the adverts are lost: no more false takeovers than chance makes, and each is undone", async () => {
  const here = lab.get();
  const start = (router: string, priority: number): Promise<BatonNode> =>
    here.router(router).startBaton(lossConfig(priority));
  const [r1, r2] = await Promise.all([start("r1", 150), start("r2", 100)]);
  const isAll = async (node: BatonNode, wanted: string): Promise<boolean> =>
    (await node.status()).instances.every(({ state }) => state === wanted);
  const settled = async (): Promise<boolean> => (await isAll(r1, "master")) && isAll(r2, "backup");
  await Promise.all([r1.waitReady(40_000), r2.waitReady(40_000)]);
  await waitFor("r1 to be master of all", settled, { deadlineMs: 20_000 });
  const before = await countsAtRest(here.router("r2"));

  const loss = await here.loseVrrp(lossShares);
  await waitFor("enough adverts", async () => ((await loss.counted("r2"))[0]?.arrived ?? 0) >= advertsMin, {
    deadlineMs: 60_000,
    everyMs: 200,
  });
  await loss.stop();

  await waitFor("r1 to be the only master again", settled);
  const after = await countsAtRest(here.router("r2"));
  for (const [index, { percent, arrived, lost, expectedTakeovers }] of (await loss.counted("r2")).entries()) {
    const share = percent / 100;
    const deviation = Math.abs(lost - arrived * share);
    expect(deviation, `${lost} of ${arrived} lost`).toBeLessThan(4 * Math.sqrt(arrived * share * (1 - share)));
    // Poisson: the standard deviation of a count of what is rare is the root of its mean.
    const most = expectedTakeovers + 4 * Math.sqrt(expectedTakeovers);
    // The test would notice a backup that does not wait for the third.
    expect(arrived * (1 - share) * share ** 2).toBeGreaterThan(most);
    const takeovers = (after[index] ?? 0) - (before[index] ?? 0);
    expect(takeovers, `${percent} %: ${expectedTakeovers} by chance`).toBeLessThanOrEqual(most);
    // Where chance hardly fails to make some: they are what is counted.
    if (expectedTakeovers > 30) expect(takeovers).toBeGreaterThan(expectedTakeovers / 2);
  }
});

/** Takeovers of each share's instances, once what the page tells of them is no older than what they are: all backups. */
async function countsAtRest(router: Machine): Promise<readonly number[]> {
  const transitions = "vrrp_transitions_total";
  const sum = (metrics: Metrics, end: "from" | "to", vrids: readonly number[]): number =>
    vrids.reduce(
      (total, vrid) => total + metrics.sum(transitions, { vrrp_instance_name: lossInstance(vrid), [end]: "master" }),
      0,
    );
  return waitFor("as many to have given back as took over", async () => {
    const metrics = await readMetrics(router);
    const all = lossShares.flatMap(vridsOf);
    if (sum(metrics, "from", all) !== sum(metrics, "to", all)) return undefined;
    return lossShares.map((share) => sum(metrics, "to", vridsOf(share)));
  });
}
