// TCP_CHECK against servers in another namespace, and what holds for every check that connects.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { type IpAddress, micros } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import type { CheckConnection } from "@baton/keepalived-conf";
import { openDescriptors } from "@baton/linux/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { probeTcp } from "./tcp.ts";
import {
  connectionTo,
  families,
  makeProbeWorld,
  ownAddress,
  type ProbeWorld,
  serverAddress,
  times,
} from "./testing/probe-world.ts";

let world: ProbeWorld;
beforeAll(() => {
  world = makeProbeWorld("tcp");
});
afterEach(() => world.clear());
afterAll(() => world.remove());

const never = new AbortController().signal;
const short = micros(150_000);
const probe = (address: IpAddress, port: number, over: Partial<CheckConnection> = {}, signal = never) =>
  world.ours.inside(() =>
    probeTcp({ ...times, type: "TCP_CHECK", connection: connectionTo(address, port, over) }, signal),
  );

describe.each(families)("IPv%i", (family) => {
  const address = serverAddress[family];

  test("up; half-open is up too, nothing more is asked", async () => {
    world.serve(address, 80);
    expect(await probe(address, 80)).toEqual({ ok: true, durationMicros: expect.any(Number) });
  });

  test("down: refused, at once", async () => {
    expect(await probe(address, 81)).toMatchObject({ ok: false, reason: "refused", errno: "ECONNREFUSED" });
  });

  test("blackholed: the timeout, and not before", async () => {
    world.serve(address, 80);
    world.drop("tcp dport 80 drop");
    const outcome = await probe(address, 80, { timeout: short });
    expect(outcome).toMatchObject({ ok: false, reason: "timeout" });
    expect(outcome.ok === false && outcome.durationMicros).toBeGreaterThanOrEqual(short);
  });

  test("rejected by a firewall there: unreachable", async () => {
    world.drop("tcp dport 80 reject with icmpx admin-prohibited");
    expect(await probe(address, 80)).toMatchObject({ ok: false, reason: "unreachable" });
  });

  test("reset right after it was made: up, or reset when that was there first", async () => {
    world.serve(address, 80, (socket) => socket.resetAndDestroy());
    const outcome = await probe(address, 80);
    expect(outcome.ok === true || (outcome.ok === false && outcome.reason === "reset")).toBe(true);
  });

  test("bindto and bind_port: the server sees them; an address that is not here is no verdict", async () => {
    const seen: Socket[] = [];
    const server = world.serve(address, 80, (socket) => seen.push(socket));
    const bindAddress = ownAddress[family];
    const connected = once(server, "connection");
    expect(await probe(address, 80, { bindAddress, bindPort: 12_345 })).toMatchObject({ ok: true });
    await connected;
    expect(seen[0]).toMatchObject({ remoteAddress: bindAddress, remotePort: 12_345 });
    expect(await probe(address, 80, { bindAddress })).toMatchObject({ ok: true });
    expect(await probe(address, 80, { bindAddress: address })).toMatchObject({
      ok: undefined,
      reason: "bind",
      errno: "EADDRNOTAVAIL",
    });
  });

  test("bind_if: only that way; an interface that is not here is no verdict", async () => {
    world.serve(address, 80);
    expect(await probe(address, 80, { bindInterface: "eth0" })).toMatchObject({ ok: true });
    expect(await probe(address, 80, { bindInterface: "lo", timeout: short })).toMatchObject({ ok: false });
    expect(await probe(address, 80, { bindInterface: "eth7" })).toMatchObject({
      ok: undefined,
      reason: "bind",
      errno: "ENODEV",
    });
  });

  test("fwmark: what is sent carries it", async () => {
    world.serve(address, 80);
    const nft = (text: string): string =>
      execFileSync("ip", ["netns", "exec", world.ours.name, "nft", text], { encoding: "utf8" });
    nft("add table inet marks; add chain inet marks out { type filter hook output priority 0; }");
    nft("add rule inet marks out meta mark 4294967295 counter");
    try {
      expect(await probe(address, 80, { mark: 0xffff_ffff })).toMatchObject({ ok: true });
      expect(nft("list table inet marks")).toMatch(/counter packets [1-9]/);
    } finally {
      nft("delete table inet marks");
    }
  });
});

test("no way there: unreachable", async () => {
  for (const address of ["192.0.2.1", "2001:db8:1::1"]) {
    expect(await probe(address as IpAddress, 80)).toMatchObject({
      ok: false,
      reason: "unreachable",
      errno: "ENETUNREACH",
    });
  }
});

test("an abort at any moment ends it without a verdict and leaves nothing open", async () => {
  world.serve(serverAddress[4], 80);
  world.drop("tcp dport 81 drop");
  await probe(serverAddress[4], 80);
  const before = openDescriptors().length;
  const outcomes: Promise<ProbeOutcome>[] = [];
  for (let turn = 0; turn < 20; turn++) {
    const controller = new AbortController();
    if (turn === 0) controller.abort();
    outcomes.push(probe(serverAddress[4], 80 + (turn % 2), {}, controller.signal));
    for (let wait = 0; wait < turn; wait++) await new Promise(setImmediate);
    controller.abort();
  }
  for (const outcome of await Promise.all(outcomes)) {
    expect([true, undefined]).toContain(outcome.ok);
    if (outcome.ok === undefined) expect(outcome.reason).toBe("aborted");
  }
  await world.clear();
  await new Promise(setImmediate);
  expect(openDescriptors().length).toBeLessThanOrEqual(before);
});
