// The prober against a known quantity: what a client loses behind a pair of keepalived is a matter of the protocol's
// timers, so the figures must come out here before any figure of Baton's is believed.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KeepalivedNode } from "./keepalived-node.ts";
import { createLab, type Lab } from "./lab.ts";
import type { Outage } from "./probe-ledger.ts";
import { virtualAddress } from "./topology.ts";
import { waitFor } from "./wait.ts";

const config = (state: string, priority: number): string => `
vrrp_instance VI_1 {
  interface eth0
  state ${state}
  virtual_router_id 51
  priority ${priority}
  advert_int 1
  virtual_ipaddress { ${virtualAddress}/16 dev eth0 }
}
`;

/** RFC 3768 section 6.1: Skew_Time of the backup, and its Master_Down_Interval. */
const skewMs = ((256 - 100) / 256) * 1000;
const masterDownMs = 3000 + skewMs;

describe("a pair of keepalived", () => {
  const held: { lab?: Lab } = {};
  const lab = (): Lab => {
    if (held.lab === undefined) throw new Error("no lab");
    return held.lab;
  };
  const nodes = new Map<string, KeepalivedNode>();

  beforeAll(async () => {
    held.lab = await createLab({ name: "keepalived" });
  });
  afterAll(() => held.lab?.destroy());

  const start = async (name: string, state: string, priority: number): Promise<void> => {
    nodes.set(name, await lab().router(name).startKeepalived(config(state, priority)));
  };
  const node = (name: string): KeepalivedNode => {
    const found = nodes.get(name);
    if (found === undefined) throw new Error(`keepalived does not run on ${name}`);
    return found;
  };
  /** Whatever a test, or its first try, has left is gone. */
  const settled = async (): Promise<void> => {
    for (const each of nodes.values()) await each.stop();
    await lab().linkUp("r1");
    await lab().healVrrp();
    await start("r1", "MASTER", 101);
    await start("r2", "BACKUP", 100);
    await node("r1").waitState("MASTER");
    await node("r2").waitState("BACKUP");
  };

  /** The outage around a disturbance that ends r1's reign. */
  const measure = async (disturb: () => Promise<unknown>): Promise<Outage> => {
    const probe = await lab().client.probe({ address: virtualAddress });
    await probe.waitAnswered("r1");
    await disturb();
    await probe.waitAnswered("r2");
    const { outages, lost, pauses } = await probe.stop();
    const outage = outages.find(
      ({ answeredBefore, answeredAfter }) => answeredBefore === "r1" && answeredAfter === "r2",
    );
    if (outage === undefined) throw new Error(`no outage between r1 and r2: ${JSON.stringify(outages)}`);
    // Every probe that this process could send on time counts, and no other. A busy machine sends some a few ms late, which is
    // no pause yet.
    const skipped = pauses.reduce((sum, pause) => sum + pause.skipped, 0);
    expect(Math.abs(outage.lost + skipped - outage.durationMs)).toBeLessThan(20 + skipped);
    expect(lost).toBe(outages.reduce((sum, each) => sum + each.lost, 0));
    console.info(
      `keepalived: ${outage.lost} probes lost in ${outage.durationMs.toFixed(1)} ms; own pauses skipped ${skipped}`,
    );
    return outage;
  };

  test("SIGTERM of the master: the client waits for the backup's skew time", async () => {
    await settled();
    const { durationMs } = await measure(async () => node("r1").signal("SIGTERM"));
    expect(durationMs).toBeGreaterThan(skewMs - 20);
    expect(durationMs).toBeLessThan(skewMs + 250);
    await node("r1").exited;
    expect(await lab().router("r1").addresses()).toEqual(["172.16.1.1/16"]);
    expect(await lab().router("r2").addresses()).toEqual(["172.16.1.2/16", `${virtualAddress}/16`]);
  });

  test("the cable pulled: the client waits for the master-down interval", async () => {
    await settled();
    const { durationMs } = await measure(() => lab().linkDown("r1"));
    // The last advert left up to one second before the cable was pulled.
    expect(durationMs).toBeGreaterThan(masterDownMs - 1000 - 20);
    expect(durationMs).toBeLessThan(masterDownMs + 250);
    await lab().linkUp("r1");
    await node("r1").waitLog(/Entering MASTER STATE[\s\S]*Entering MASTER STATE/, 15_000);
  });

  test("VRRP cut, all else whole: both are master, until it is healed", async () => {
    await settled();
    const r2 = lab().router("r2");
    await lab().cutVrrp("r1");
    await waitFor("r2 to be master too", async () => (await r2.addresses()).includes(`${virtualAddress}/16`));
    expect(await lab().router("r1").addresses()).toContain(`${virtualAddress}/16`);
    await lab().healVrrp();
    await waitFor("r2 to step down", async () => !(await r2.addresses()).includes(`${virtualAddress}/16`));
  });

  test("a capture holds the adverts", async () => {
    await settled();
    const capture = await lab().capture({ filter: "ip proto 112" });
    await waitFor("an advert", async () => {
      const { stdout } = await lab().router("r1").exec(["tcpdump", "-r", capture.file, "-n"]);
      return /172\.16\.1\.1 > 224\.0\.0\.18: VRRPv2, Advertisement, vrid 51, prio 101/.test(stdout);
    });
    await capture.stop();
  });
});
