// A process's first takeover is the one that counts, and it would run in code that has never run. So the whole path, from
// a deadline to the bytes of the frame that claims, is rehearsed at start on an instance that exists nowhere else:
// its adverts, claims, events and spans go nowhere.
import { setFlagsFromString } from "node:v8";
import { LeaseFrame } from "@baton/contracts";
import {
  type Instant,
  type IpAddress,
  ipFamily,
  ipToBytes,
  micros,
  parseIp,
  priority,
  term,
  vrid,
} from "@baton/domain";
import type { Host } from "@baton/host";
import { type AdvertPacket, openAdvertSocket } from "@baton/linux";
import { decodePacket, vrrpProtocol } from "@baton/vrrp";
import type { RunnerConfig } from "./config.ts";
import { createCounters } from "./counters.ts";
import type { LeaseClient } from "./effects/lease-client.ts";
import { Unit } from "./unit.ts";

/** The first rounds at once; the others in slices that an advert can come between. */
const rounds = { atOnce: 20, perSlice: 5, inAll: 300 } as const;
const sliceEveryMs = 20;

export function rehearse(host: Host): { close(): void } {
  // V8 throws away compiled code that has not run for some collections: a backup may wait for months in between.
  setFlagsFromString("--no-flush-bytecode");
  for (const address of loopback) rehearseSending(address);
  const takeOver = makeStage(host);
  let round = 0;
  const perform = (count: number): void => {
    for (let i = 0; i < count; i++) takeOver(++round);
  };
  perform(rounds.atOnce);
  const timer = setInterval(() => {
    perform(rounds.perSlice);
    if (round >= rounds.inAll) clearInterval(timer);
  }, sliceEveryMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

const loopback = ["127.0.0.1", "::1"].flatMap((text) => parseIp(text) ?? []);
const loopbackIndex = 1;

/**
 * The kernel's calls as well: the first of each takes a tenth of a millisecond to prepare. The machine talks to itself, with
 * packets that are no adverts.
 */
function rehearseSending(address: IpAddress): void {
  const family = ipFamily(address);
  try {
    const socket = openAdvertSocket({
      ...{ interface: "lo", ifindex: loopbackIndex, family, protocol: vrrpProtocol, address },
      onDatagrams: () => {},
      onError: () => {},
    });
    const bytes = family === 4 ? emptyPacket(address) : new Uint8Array(8);
    for (let i = 0; i < rounds.atOnce; i++) {
      socket.send({ bytes, source: address, destination: address, hopLimit: undefined });
    }
    socket.drain();
    socket.close();
  } catch {
    // Without a loopback interface, or without IPv6, the first takeover takes that much longer.
  }
}

/** An IPv4 header of protocol 112, and nothing that any version of VRRP would know. */
function emptyPacket(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(28);
  bytes.set([0x45, 0xc0, 0, bytes.length, 0, 0, 0, 0, 1, vrrpProtocol]);
  for (const at of [12, 16]) bytes.set(ipToBytes(address), at);
  return bytes;
}

/** Documentation addresses (RFC 5737). */
const [source, virtual] = [parseIp("192.0.2.1"), parseIp("192.0.2.100")] as [IpAddress, IpAddress];

function makeStage(host: Host): (round: number) => void {
  const clock = { now: host.now() };
  const stageHost = inertHost(host, () => clock.now);
  const leases = inertLeases();
  const sent: Uint8Array[] = [];
  const socket = {
    send: ({ bytes }: AdvertPacket) => void sent.push(bytes),
    drain: () => [],
    expect: () => {},
    missed: () => 0,
    close: () => {},
  };
  return (round) => {
    sent.length = 0;
    const unit = new Unit(
      {
        host: stageHost,
        counters: createCounters(),
        leases,
        socket: () => socket,
        testimonies: { ask: () => {}, deny: () => {} },
        onStepped: () => {},
      },
      { group: undefined, members: [config(round)] },
    );
    unit.feedAll({
      type: "startup",
      interfaceUp: true,
      primaryAddress: source,
      dataplaneConnected: true,
      resume: undefined,
      highestTerm: term(round),
      recentResumes: 0,
    });
    clock.now = unit.deadline() ?? clock.now;
    unit.judge(micros(0), clock.now);
    const claim = leases.claimed("rehearsal");
    const frame = {
      sequence: round,
      sentAt: clock.now,
      configGeneration: 1,
      claims: claim === undefined ? [] : [claim],
      partial: true,
      forgotten: [],
      adverts: [],
    };
    LeaseFrame.decode(LeaseFrame.encode(frame).finish());
    unit.feedAll({ type: "lease-confirmed", term: term(round + 1), sentAt: clock.now });
    const packet = decodePacket({ family: 4, bytes: sent[0] ?? new Uint8Array() });
    if (packet.ok) unit.runner("rehearsal").onPacket(packet.packet);
    unit.feedAll({ type: "shutdown", reason: "rehearsal" });
    leases.forget("rehearsal");
  };
}

/** Stamps and traces like the real one, and keeps nothing. */
function inertHost(host: Host, now: () => Instant): Pick<Host, "now" | "events" | "tracer" | "log"> {
  const envelope = {
    id: "rehearsal",
    time: "",
    at: 0,
    node: "",
    service: "election",
    epoch: 0,
    version: 1,
    correlationId: "rehearsal",
    causationId: "rehearsal",
  } as const;
  const span = { traceparent: `00-${"0".repeat(31)}1-${"0".repeat(15)}1-00`, end: () => {} };
  return {
    now,
    events: {
      append: (aggregate, event) => ({ ...envelope, aggregate, event }),
      version: () => 1,
      follow: host.events.follow,
      subscribe: host.events.subscribe,
    },
    tracer: { span: () => span },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  };
}

function inertLeases(): LeaseClient {
  const claims = new Map<string, Parameters<LeaseClient["claim"]>[0]>();
  return {
    claim: (claim) => void claims.set(claim.lease, claim),
    forget: (lease) => void claims.delete(lease),
    claimed: (lease) => claims.get(lease),
    advertSent: () => {},
    refreshNow: () => {},
    ran: () => undefined,
    connected: () => true,
    received: () => 0,
    close: () => {},
  };
}

const config = (round: number): RunnerConfig => ({
  name: "rehearsal",
  interface: "rehearsal",
  family: 4,
  version: 2,
  vrid: vrid((round % 255) + 1),
  priority: priority(100),
  initialState: "backup",
  advertInterval: micros(1_000_000),
  downTimerAdverts: 3,
  preempt: true,
  preemptDelay: micros(0),
  authentication: { type: "pass", password: "rehearse" },
  authHmac: undefined,
  multicastGroup: undefined,
  unicast: undefined,
  lacksPeers: false,
  trackInterfaces: [],
  trackScripts: [],
  trackFiles: [],
  trackProcesses: [],
  trackBfds: [],
  trackPrimary: true,
  addresses: [{ address: virtual }],
  v3ChecksumAsV2: false,
  lowerPriorityNoAdvert: false,
  higherPrioritySendAdvert: false,
  ownerIgnoreAdverts: false,
  skipCheckAddresses: false,
});
