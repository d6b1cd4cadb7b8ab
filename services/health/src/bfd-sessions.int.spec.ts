// BFD over real sockets between two namespaces: with ourselves, and with keepalived's BFD process as the neighbor.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IpAddress, micros, parseIp } from "@baton/domain";
import type { BfdConfig } from "@baton/keepalived-conf";
import { config as configWith } from "@baton/keepalived-conf/testing";
import { openUdpSocket } from "@baton/linux";
import { makeNamespacePair, type Namespace } from "@baton/linux/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type BfdSessions, createBfdSessions } from "./bfd-sessions.ts";
import { healthHost, snapshot } from "./testing/fixtures.ts";

let sides: readonly [ours: Namespace, theirs: Namespace];
const directory = mkdtempSync(join(tmpdir(), "baton-bfd-"));
beforeAll(() => {
  sides = makeNamespacePair("bfd");
  for (const [index, side] of sides.entries()) {
    side.ip("address", "add", `2001:db8::${index + 1}/64`, "dev", "eth0", "nodad");
  }
});
afterAll(() => {
  for (const side of sides) side.remove();
  rmSync(directory, { recursive: true });
});

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});
beforeEach(() => sides[1].ip("link", "set", "eth0", "up"));

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};
const bfd = (over: Partial<BfdConfig> = {}): BfdConfig => ({
  name: "core",
  neighbor: ip("10.99.0.2"),
  source: ip("10.99.0.1"),
  minReceiveInterval: micros(50_000),
  minTransmitInterval: micros(50_000),
  idleTransmitInterval: micros(1_000_000),
  multiplier: 5,
  passive: false,
  ttl: 255,
  maxHops: 0,
  multihop: false,
  weight: 0,
  reverse: false,
  tells: { vrrp: true, checker: true },
  ...over,
});
const mirrored = (over: Partial<BfdConfig> = {}): BfdConfig =>
  bfd({ name: "back", neighbor: ip("10.99.0.1"), source: ip("10.99.0.2"), ...over });

function start(side: 0 | 1, ...sessions: readonly BfdConfig[]) {
  const host = healthHost(snapshot([]));
  const running: BfdSessions = sides[side].inside(() => {
    const made = createBfdSessions(host);
    made.apply(configWith({ bfdInstances: sessions }), "fresh");
    return made;
  });
  cleanUp.push(() => running.close());
  const told = () =>
    host.appended.map(({ event }) =>
      event.type === "bfd-session-up" || event.type === "bfd-session-down"
        ? `${event.type.slice(12)} ${event.data.diagnostic}`
        : event.type,
    );
  const until = (last: string) => vi.waitFor(() => expect(told().at(-1)).toBe(last), { timeout: 15_000, interval: 5 });
  const counter = (name: string, labels: Record<string, string>) =>
    running
      .counters()
      .find(
        (each) =>
          each.name.includes(name) && Object.entries(labels).every(([key, value]) => each.labels[key] === value),
      )?.value ?? 0;
  return { running, told, until, counter };
}

describe.each<[string, Partial<BfdConfig>, Partial<BfdConfig>]>([
  ["IPv4, one hop", {}, {}],
  ["IPv4, several hops", { multihop: true, maxHops: 10 }, { multihop: true, maxHops: 10 }],
  [
    "IPv6",
    { neighbor: ip("2001:db8::2"), source: ip("2001:db8::1"), ttl: 64 },
    { neighbor: ip("2001:db8::1"), source: ip("2001:db8::2"), ttl: 64 },
  ],
  ["without a source of its own, the neighbor passive", { source: undefined }, { passive: true }],
])("%s", (_name, ours, theirs) => {
  test("the two come up; the end of one is told to the other", async () => {
    const left = start(0, bfd(ours));
    const right = start(1, mirrored(theirs));
    expect(left.told()).toEqual(["down none"]);
    await left.until("up none");
    await right.until("up none");
    right.running.close();
    await left.until("down neighbor-signaled-down");
  });
});

test("a way that is cut is found by silence, and found again when it is mended", async () => {
  const left = start(0, bfd());
  const right = start(1, mirrored());
  await left.until("up none");
  await right.until("up none");
  sides[1].ip("link", "set", "eth0", "down");
  await left.until("down detection-time-expired");
  sides[1].ip("link", "set", "eth0", "up");
  await left.until("up none");
});

test("packets of other routers, of a wrong TTL, and noise are counted and change nothing", async () => {
  const left = start(0, bfd());
  const right = start(1, mirrored({ ttl: 254 }));
  await vi.waitFor(() => expect(left.counter("discards", { reason: "ttl" })).toBeGreaterThan(0), { timeout: 15_000 });
  const noise = sides[1].inside(() =>
    openUdpSocket({
      family: 4,
      ports: { from: 50_000, to: 50_100 },
      ttl: 255,
      bufferBytes: 64,
      onDatagrams: () => undefined,
    }),
  );
  cleanUp.push(() => noise.close());
  noise.send(Uint8Array.of(1, 2, 3), ip("10.99.0.1"), 3784);
  noise.send(new Uint8Array(200), ip("10.99.0.1"), 3784);
  await vi.waitFor(
    () => {
      expect(left.counter("discards", { reason: "too-short" })).toBe(1);
      expect(left.counter("discards", { reason: "truncated" })).toBe(1);
    },
    { timeout: 15_000 },
  );
  expect(left.told()).toEqual(["down none"]);
  expect(right.told()).toEqual(["down none"]);
});

test("a reload: other intervals take nothing down; another neighbor is another session", async () => {
  const left = start(0, bfd());
  const right = start(1, mirrored());
  await left.until("up none");
  await right.until("up none");
  const apply = (...sessions: BfdConfig[]) =>
    sides[0].inside(() => left.running.apply(configWith({ bfdInstances: sessions }), "fresh"));
  const before = right.counter("packets", { direction: "received" });
  apply(bfd({ minTransmitInterval: micros(20_000), minReceiveInterval: micros(20_000) }));
  await vi.waitFor(() => expect(right.counter("packets", { direction: "received" })).toBeGreaterThan(before + 20), {
    timeout: 15_000,
  });
  expect([left.told(), right.told()]).toEqual([
    ["down none", "up none"],
    ["down none", "up none"],
  ]);
  apply();
  await right.until("down neighbor-signaled-down");
  expect(left.running.states()).toEqual([]);
});

describe("keepalived as the neighbor", () => {
  function keepalived(lines: string): () => string {
    const file = (name: string) => join(directory, name);
    writeFileSync(file("conf"), `bfd_instance back {\n${lines}\n}\n`);
    const pids = ["-p", file("pid"), "-r", file("vrrp"), "-c", file("check"), "-b", file("bfd")];
    const child = spawn(
      "ip",
      ["netns", "exec", sides[1].name, "keepalived", "-n", "-l", "-D", "-f", file("conf"), ...pids],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: unknown) => (log += String(text)));
    const exited = once(child, "exit");
    cleanUp.push(async () => {
      child.kill("SIGTERM");
      await exited;
    });
    return () => log;
  }

  test("up with it, down with it, and it says the same", async () => {
    const log = keepalived("neighbor_ip 10.99.0.1\n source_ip 10.99.0.2\n min_rx 50\n min_tx 50\n multiplier 5");
    const left = start(0, bfd());
    await left.until("up none");
    await vi.waitFor(() => expect(log()).toMatch(/Entering UP state/i), { timeout: 15_000, interval: 20 });
    left.running.close();
    await vi.waitFor(() => expect(log()).toMatch(/Entering (Admin)?DOWN state/i), { timeout: 15_000, interval: 20 });
  });
});
