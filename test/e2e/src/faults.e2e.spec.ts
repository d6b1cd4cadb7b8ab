// What may break, one thing at a time, while a client asks the virtual address once a millisecond.
import type { ProbeReport } from "@baton/lab";
import { waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { watchHolders } from "./holders.ts";
import { discard, isType, labFor, type Pair, type PairOptions, startPair, stopPair, waitWhole } from "./pair.ts";

const lab = labFor("faults", { beforeAll, afterAll });
const held: { pair?: Pair } = {};
const start = async (options?: PairOptions): Promise<Pair> => {
  held.pair = await startPair(lab.get(), options);
  return held.pair;
};
afterEach(async () => {
  await stopPair(held.pair);
  delete held.pair;
});

/** At advert_int 1: RFC 3768's Master_Down_Interval of r2, and S3's lease, S10's kernel lease. */
const masterDownMs = 3_610;
const leaseMs = 2_000;
const kernelLeaseMs = 4_000;
/** What a busy machine may add; the figures themselves are measured in test/bench. */
const slackMs = 400;

const outageMs = (report: ProbeReport): number => report.outages.reduce((sum, each) => sum + each.durationMs, 0);
const lastAnswer = (report: ProbeReport): string | undefined => report.reigns.at(-1)?.by;

describe("a node that ends", () => {
  test("SIGTERM: the address goes when the successor answers, and no probe is lost", async () => {
    const pair = await start();
    const { lab, r1, r2, probe, holds } = pair;
    const probing = await probe();
    const exit = await r1.stop();
    await probing.waitAnswered("r2");
    const report = await probing.stop();
    expect(exit.code).toBe(0);
    expect(report.lost, JSON.stringify(report.outages)).toBe(0);
    expect(await holds("r1")).toBe(false);
    expect(
      await lab
        .router("r1")
        .exec("nft list tables")
        .then(({ stdout }) => stdout),
    ).not.toContain("baton");
    expect((await pair.event(r2, isType("became-master"), "r2's takeover")).event.data).toMatchObject({
      reason: "priority-zero-received",
    });
  });

  test("SIGKILL of everything: the successor is there after master-down, the dead node's kernel lets go by itself", async () => {
    const pair = await start();
    const { lab, probe, holds } = pair;
    const probing = await probe();
    const killedAt = Date.now();
    await lab.router("r1").killEverything({ keepResponder: true });
    await probing.waitAnswered("r2");
    await waitFor("the kernel to drop the address", async () => !(await holds("r1")));
    expect(Date.now() - killedAt).toBeLessThan(kernelLeaseMs + 1_500 + slackMs);
    const report = await probing.stop();
    expect(outageMs(report)).toBeLessThan(masterDownMs + slackMs);
    expect(lastAnswer(report)).toBe("r2");
  });

  test("link down: the successor after master-down; link up: the higher priority comes back", async () => {
    const pair = await start();
    const { lab, r1, probe, holds } = pair;
    const probing = await probe();
    await lab.linkDown("r1");
    await probing.waitAnswered("r2");
    await r1.waitState("fault");
    await waitFor("r1 to let go", async () => !(await holds("r1")));
    await lab.linkUp("r1");
    await probing.waitAnswered("r1");
    const report = await probing.stop();
    expect(report.outages[0]?.durationMs).toBeLessThan(masterDownMs + slackMs);
    expect((await pair.event(r1, isType("entered-fault"), "the fault")).event.data).toMatchObject({
      causes: ["interface-down"],
    });
  });
});

test("each service, killed one after another, comes back before anybody notices", async () => {
  const pair = await start();
  const { r1, r2, probe, holds } = pair;
  const probing = await probe();
  for (const service of ["election", "dataplane", "health", "notifier", "control"]) {
    const before = r1.servicePid(service);
    r1.killService(service);
    await r1.waitRestarted(service, before);
    await r1.waitState("master");
    // Two more advertisement intervals, and some: whatever it broke would show.
    const answeredBefore = (await probing.report()).answered;
    await waitFor("two intervals of answers", async () => (await probing.report()).answered > answeredBefore + 3_000);
    const { lost, outages, reigns } = await probing.report();
    expect(lost, `${service}: ${JSON.stringify(outages)}`).toBe(0);
    expect(reigns.map(({ by }) => by)).toEqual(["r1"]);
    expect(await holds("r1")).toBe(true);
    expect((await r2.status()).instances[0]?.state).toBe("backup");
    const isItsDeath: Parameters<Pair["event"]>[1] = ({ event }) =>
      event.type === "service-died" && event.data.service === service;
    await pair.event(r1, isItsDeath, `the death of ${service}`);
  }
  await probing.stop();
});

describe("a service that hangs", () => {
  test("election of the master: the lease ends first, then the peer takes over; awake again it does not argue", async () => {
    const pair = await start();
    const { lab, r1, r2, probe, holds } = pair;
    const holders = await watchHolders(lab);
    const probing = await probe();
    r1.stopService("election");
    const stoppedAt = Date.now();
    await waitFor("the addresses to go", async () => !(await holds("r1")));
    expect(Date.now() - stoppedAt).toBeLessThan(leaseMs + slackMs);
    await probing.waitAnswered("r2");
    r1.continueService("election");
    await pair.event(
      r1,
      (each) => isType("became-backup")(each) && each.event.type === "became-backup" && each.event.data.term > 0,
      "r1 to step down",
    );
    // Its priority is the higher one: it comes back by the rules of pre-emption.
    await probing.waitAnswered("r1");
    await r2.waitState("backup");
    await waitFor("r2 to let go", async () => !(await holds("r2")));
    await probing.stop();
    // MD > L: between the lease's end and the takeover nobody holds the address (SAFETY S3).
    expect(holders.longestOverlapMs(), JSON.stringify(holders.holdings())).toBeLessThan(slackMs);
    await holders.stop();
  });

  test("dataplane of the master: election lets go, the kernel drops the address, the peer takes over", async () => {
    const pair = await start();
    const { lab, r1, probe, holds } = pair;
    const holders = await watchHolders(lab);
    const probing = await probe();
    r1.stopService("dataplane");
    const stoppedAt = Date.now();
    await r1.waitState("fault");
    await probing.waitAnswered("r2");
    await waitFor("the kernel to drop the address", async () => !(await holds("r1")));
    expect(Date.now() - stoppedAt).toBeLessThan(kernelLeaseMs + 1_500 + slackMs);
    expect(holders.longestOverlapMs()).toBeLessThan(kernelLeaseMs + 1_500 - leaseMs + slackMs);
    expect((await pair.event(r1, isType("entered-fault"), "the fault")).event.data).toMatchObject({
      causes: ["dataplane-silent"],
    });
    r1.continueService("dataplane");
    await probing.waitAnswered("r1");
    await probing.stop();
    await holders.stop();
  });

  test("election of the backup for 1, 2 and 3 s: it does not steal a healthy master's address", async () => {
    const pair = await start();
    const { r1, r2, probe, holds } = pair;
    const probing = await probe();
    for (const ms of [1_000, 2_000, 3_000]) {
      r2.stopService("election");
      await new Promise((resolve) => setTimeout(resolve, ms));
      r2.continueService("election");
      const answeredBefore = (await probing.report()).answered;
      await waitFor("a master-down of answers", async () => (await probing.report()).answered > answeredBefore + 4_000);
      const { lost, outages, reigns } = await probing.report();
      expect(reigns.map(({ by }) => by)).toEqual(["r1"]);
      expect(lost, `${ms} ms: ${JSON.stringify(outages)}`).toBe(0);
      expect(await holds("r2")).toBe(false);
      expect((await pair.eventsSince(r2)).filter(isType("became-master"))).toEqual([]);
      expect((await r1.status()).instances[0]?.state).toBe("master");
    }
    await probing.stop();
  });
});

describe("a broker that is killed", () => {
  test("nats-server on the master, kept down through a failover: the address moves, and the log is whole afterwards", async () => {
    const pair = await start();
    const { lab, r1, r2, probe, holds } = pair;
    const probing = await probe();
    // The supervisor restarts it at once; stopped, it is away for as long as we like.
    r1.stopService("nats");
    r2.stopService("nats");
    await lab.linkDown("r1");
    await probing.waitAnswered("r2");
    await lab.linkUp("r1");
    await probing.waitAnswered("r1");
    for (const node of [r1, r2]) node.killService("nats");
    const report = await probing.stop();
    expect(report.outages[0]?.durationMs).toBeLessThan(masterDownMs + slackMs);
    expect(await holds("r1")).toBe(true);
    for (const [node, types] of [
      [r1, ["entered-fault", "became-backup", "became-master"]],
      [r2, ["became-master", "became-backup"]],
    ] as const) {
      await waitFor(`${node.name}'s events to be stored`, async () => {
        const told = (await pair.eventsSince(node).catch(() => [])).filter((each) => each.aggregate.kind === "vrrp");
        return types.every((type) => told.some((each) => each.event.type === type));
      });
      await waitWhole(node);
    }
  });

  test("nats-server alone, then Redis: nothing moves, no event is lost", async () => {
    const pair = await start();
    const { r1, probe } = pair;
    const probing = await probe();
    for (const broker of ["nats", "redis"]) {
      const before = r1.servicePid(broker);
      r1.killService(broker);
      await r1.waitRestarted(broker, before);
      expect((await r1.status()).instances[0]?.state).toBe("master");
    }
    await pair.event(r1, (each) => each.event.type === "service-died", "a death");
    const report = await probing.stop();
    expect(report.lost).toBe(0);
    await waitWhole(r1);
  });
});

test("the supervisor alone: the services go on, and a new one takes them over without a lost probe", async () => {
  const pair = await start();
  const { lab, r1, probe, holds } = pair;
  const probing = await probe();
  await r1.killSupervisor();
  const answeredBefore = (await probing.report()).answered;
  await waitFor("answers without a supervisor", async () => (await probing.report()).answered > answeredBefore + 3_000);
  const again = await lab.router("r1").startBaton(lab.router("r1").readFile("/etc/keepalived/keepalived.conf"));
  await again.waitReady();
  await again.waitState("master");
  const report = await probing.stop();
  expect(report.lost, JSON.stringify(report.outages)).toBe(0);
  expect(await holds("r1")).toBe(true);
  await discard(again);
});
