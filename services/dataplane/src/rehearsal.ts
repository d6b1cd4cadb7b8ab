// A process's first takeover is the one that counts, and it would run in code that has never run: 4.5 ms to the last
// announcement instead of 1 (measured). So at start the whole path is rehearsed, on cores of its own and on calls to the
// kernel that name an interface that cannot exist. Nothing of it is seen outside. Where the configuration has an instance
// of more addresses than one send adds, a part of it is rehearsed as well: else V8 would begin to optimize in the middle
// of that takeover, by threads that do not run in real time, and would wait for them on a busy machine.

import { setFlagsFromString } from "node:v8";
import { ClaimState, LeaseFrame, LeaseReply } from "@baton/contracts";
import { type Instant, type IpAddress, instant, ipFamily, micros, parseIp, term } from "@baton/domain";
import type { Host } from "@baton/host";
import { type AddressChange, type AddressInfo, echoOf, type LinkInfo, limits } from "@baton/linux";
import { Core } from "./core.ts";
import { addressKey, type Desired, type DesiredInstance, type ManagedAddress } from "./desired.ts";
import { repairsMax } from "./drift-limit.ts";
import { execute, type Outputs } from "./effects/execute.ts";
import type { Kernel } from "./effects/kernel.ts";
import { frameFromWire, statusToWire } from "./lease-wire.ts";
import type { Frame, Input } from "./types.ts";

/** The first rounds at once, a fifth of what there is to win; the others in slices that a takeover can come between. */
const rounds = { atOnce: 20, perSlice: 5, inAll: 300, ofCrowd: 100 } as const;
const sliceEveryMs = 20;
/** More than one send adds: announced part by part. */
const crowdSize = limits.changesPerSend + 20;
/** Interface numbers count up from 1; the kernel answers ENODEV and ENXIO. */
const noInterface = 0x7fff_fff0;
const name = "rehearsal";
/** When it begins: of more bits than V8's small numbers have, as every time is from half an hour after the machine's start. */
const beginning: Instant = instant(2 ** 40);

export function rehearse(kernel: Kernel, host: Pick<Host, "now">, desired: Desired): { close(): void } {
  // V8 throws away compiled code that has not run for some collections: a master may hold for months in between.
  setFlagsFromString("--no-flush-bytecode");
  const stage = makeStage(kernel, host, instanceOf(addresses.map(managedOf)));
  const crowd = crowdOf(desired);
  const crowdStage = crowd && makeStage(kernel, host, crowd);
  let round = 0;
  const perform = (count: number): void => {
    for (let i = 0; i < count; i++) stage.takeOver(++round);
  };
  perform(rounds.atOnce);
  let crowdRound = 0;
  const timer = setInterval(() => {
    if (round < rounds.inAll) perform(rounds.perSlice);
    else if (crowdStage !== undefined && crowdRound < rounds.ofCrowd) crowdStage.takeOver(++crowdRound);
    else clearInterval(timer);
  }, sliceEveryMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

/** A part of the largest instance, of the very objects that its takeover will find: code is optimized for their shape. */
function crowdOf({ instances }: Desired): DesiredInstance | undefined {
  let crowd: DesiredInstance | undefined;
  for (const instance of instances.values()) {
    if (!instance.isStatic && instance.addresses.length > (crowd?.addresses.length ?? 0)) crowd = instance;
  }
  const on = crowd?.addresses[0]?.interface;
  const addresses = crowd?.addresses.filter((each) => each.family === 4 && each.interface === on) ?? [];
  if (crowd === undefined || addresses.length <= limits.changesPerSend) return undefined;
  return { ...crowd, addresses: addresses.slice(0, crowdSize), routing: [], links: [] };
}

/** Of both families: documentation addresses (RFC 5737, RFC 3849). */
const addresses: readonly IpAddress[] = ["192.0.2.1", "2001:db8::1"].flatMap((text) => parseIp(text) ?? []);
const mac = "02:00:00:00:00:00";

const linkOf = (interfaceName: string): LinkInfo => ({
  ifindex: noInterface,
  name: interfaceName,
  up: true,
  mac,
  type: 1,
  kind: "veth",
  mtu: 1_500,
  noArp: false,
});

// These in the order of desired.ts: objects with the same names in another order are others to V8.
function instanceOf(managed: readonly ManagedAddress[]): DesiredInstance {
  const garp = {
    delay: micros(0),
    repeat: 1,
    refresh: micros(0),
    refreshRepeat: 1,
    lowerPriorityDelay: micros(0),
    lowerPriorityRepeat: 0,
    extraInterval: micros(0),
    extraKeys: new Set<string>(),
    virtualKeys: new Set<string>(),
  };
  const own = { routing: [], links: [], accepts: true };
  return { name, isStatic: false, addresses: managed, ...own, garp, leaseLength: micros(1_000_000), kernelLease: 3 };
}

function desiredOf(instance: DesiredInstance): Desired {
  const filter = { priority: -1, counters: false };
  const instances = new Map([[instance.name, instance]]);
  const pauses = { garp: micros(0), gna: micros(0), groups: [] };
  return { generation: 1, instances, promoting: [], kernelLease: true, pauses, filter, localIgmp: true, repairsMax };
}

const prefixOf = (ip: IpAddress): number => (ipFamily(ip) === 4 ? 32 : 128);

const managedOf = (ip: IpAddress): ManagedAddress => ({
  key: addressKey(name, ip, prefixOf(ip)),
  instance: name,
  address: ip,
  family: ipFamily(ip),
  prefixLength: prefixOf(ip),
  interface: name,
  label: undefined,
  broadcast: undefined,
  scope: 0,
  noPrefixRoute: false,
  detectDuplicates: false,
  preferredLifetime: undefined,
  peer: undefined,
  homeAddress: false,
  manageTemporary: false,
  autojoin: false,
  owner: false,
});

function makeStage(
  kernel: Kernel,
  host: Pick<Host, "now">,
  instance: DesiredInstance,
): { takeOver(round: number): void } {
  const on = instance.addresses[0]?.interface ?? name;
  let present: AddressInfo[] = [];
  const change = (changes: readonly AddressChange[]): readonly { readonly ok: true }[] => {
    kernel.change(changes);
    kernel.addresses();
    // A takeover of a crowd comes in parts; what is let go of, goes as one.
    const added = echoOf(changes.flatMap((each) => (each.op === "delete" ? [] : labelled(each, on))));
    present = added.length === 0 ? [] : [...present, ...added];
    return changes.map(() => ({ ok: true }));
  };
  const mute = (): void => undefined;
  let now = beginning;
  const outputs: Outputs = {
    host: {
      // The clock is rehearsed as well; what it says is of no use here.
      now: () => {
        host.now();
        return now;
      },
      tracer: { span: () => ({ traceparent: "", end: mute }) },
      log: { info: mute, warn: mute, error: mute },
      events: silentEvents,
    },
    kernel: {
      ...kernel,
      change,
      addresses: () => present,
      announce: (...frames) => announceNowhere(kernel, ...frames),
    },
    leases: { greet: mute, end: mute, answer: ({ leases }) => encode(leases.map(statusToWire)) },
    timer: { arm: mute },
  };
  const core = new Core(
    {
      desired: desiredOf(instance),
      links: [linkOf(on)],
      addresses: [],
      routing: { routes: [], rules: [] },
      silenced: [],
    },
    now,
  );
  const feed = (input: Input): void => {
    now = instant(now + 10);
    for (const effect of core.step(input, now)) {
      const answer = execute(effect, outputs);
      if (answer !== undefined) feed(answer);
    }
  };
  feed({ type: "stream-opened", stream: 1 });
  return {
    takeOver: (round) => {
      const cause = { id: name, correlationId: name, traceparent: undefined };
      feed({ type: "frame-received", stream: 1, frame: frameOf(instance.name, round, ClaimState.HOLD, now) });
      const transition = { instance: instance.name, term: term(round), cause, at: now };
      feed({ type: "transitions-seen", transitions: [{ type: "became-master", ...transition }] });
      feed({ type: "addresses-changed", events: present.map((info) => ({ type: "set", address: info })) });
      feed({ type: "tick" });
      feed({ type: "frame-received", stream: 1, frame: frameOf(instance.name, round, ClaimState.RELEASE, now) });
      feed({ type: "transitions-seen", transitions: [{ type: "became-backup", ...transition }] });
    },
  };
}

/** The kernel gives the interface's name where no label was set. */
const labelled = (change: Exclude<AddressChange, { op: "delete" }>, interfaceName: string): AddressChange => ({
  ...change,
  spec: { ...change.spec, label: change.spec.label ?? interfaceName },
});

function announceNowhere(kernel: Kernel, ...[ifindex, addresses, from]: Parameters<Kernel["announce"]>) {
  kernel.announce(ifindex, addresses, from);
  return { sent: addresses.length, error: undefined };
}

const silentEvents: Outputs["host"]["events"] = {
  append: (aggregate, event) => ({
    id: name,
    time: "",
    at: 0,
    node: "",
    service: "dataplane",
    aggregate,
    epoch: 0,
    version: 0,
    correlationId: name,
    causationId: name,
    event,
  }),
  version: () => 0,
  follow: () => ({ close: () => undefined }),
  subscribe: () => ({ close: () => undefined }),
};

function encode(leases: ReturnType<typeof statusToWire>[]): void {
  LeaseReply.encode({ reply: { $case: "confirm", value: { sequence: 1, sentAt: 1, leases, partial: true } } }).finish();
}

/** As it comes from the wire. */
function frameOf(
  instance: string,
  round: number,
  state: typeof ClaimState.HOLD | typeof ClaimState.RELEASE,
  now: Instant,
): Frame {
  const claim = {
    lease: instance,
    term: round,
    state,
    lengthMicros: 1_000_000,
    priority: 100,
    lastAdvertAt: now,
    peerHeardAt: 0,
    authCounter: 0,
    instances: [instance],
    announce: 0,
    announceReason: name,
    eventId: name,
    correlationId: name,
    traceparent: "",
    successorHeard: false,
  };
  const frame = {
    sequence: round,
    sentAt: now,
    configGeneration: 1,
    claims: [claim],
    partial: true,
    forgotten: [],
    adverts: [],
  };
  const bytes = LeaseFrame.encode(frame).finish();
  const decoded = frameFromWire(LeaseFrame.decode(bytes));
  if (!decoded.ok) throw new Error(`the rehearsal's frame makes no sense: ${decoded.reason}`);
  return decoded.frame;
}
