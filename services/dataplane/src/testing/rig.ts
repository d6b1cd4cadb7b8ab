// A core with a kernel in memory and a clock that the test moves: what goes in and what comes out, in order.
import { type CauseRef, type Instant, type IpAddress, instant, micros, priority, term } from "@baton/domain";
import type { InstanceConfig, VirtualAddressConfig } from "@baton/keepalived-conf";
import {
  config as exampleConfig,
  instanceConfig as exampleInstance,
  virtualAddress as vip,
} from "@baton/keepalived-conf/testing";
import type {
  AddressChange,
  AddressEvent,
  AddressInfo,
  AddressSpec,
  AddressTable,
  LinkInfo,
  RouteInfo,
  RoutingChange,
  RuleSpec,
} from "@baton/linux";
import { type InMemoryAddressTable, inMemoryAddressTable } from "@baton/linux/testing";
import { Core } from "../core.ts";
import { type Desired, desiredFrom } from "../desired.ts";
import { routingProtocols } from "../routing/managed.ts";
import type { Burst, Claim, Effect, Frame, Input, LeaseStanding, Transition, TransitionType } from "../types.ts";
import { InMemoryRouting } from "./in-memory-routing.ts";

export const second = 1_000_000;
export const ownMac = "02:00:00:00:00:01";
export const peerMac = "02:00:00:00:00:02";

export { ip, virtualAddress as vip } from "@baton/keepalived-conf/testing";

export const instanceConfig = (
  name: string,
  addresses: readonly VirtualAddressConfig[],
  more: Partial<InstanceConfig> = {},
): InstanceConfig => exampleInstance({ name, priority: priority(101), addresses, ...more });

export const desired = (generation: number, ...instances: InstanceConfig[]): Desired =>
  desiredFrom(generation, exampleConfig({ instances }));

export const link = (name: string, ifindex: number, more: Partial<LinkInfo> = {}): LinkInfo => ({
  ifindex,
  name,
  up: true,
  mac: ownMac,
  type: 1,
  kind: "veth",
  mtu: 1_500,
  noArp: false,
  ...more,
});

export interface RigOptions {
  readonly desired?: Desired;
  /** Present before the core starts, made by somebody else. */
  readonly found?: readonly AddressSpec[];
  readonly foundRouting?: readonly RoutingChange[];
  readonly silenced?: readonly IpAddress[];
  readonly links?: readonly LinkInfo[];
}

const VI_1 = "VI_1";
export const theVip = "192.0.2.1";
export const oneInstance = (generation = 1): Desired => desired(generation, instanceConfig(VI_1, [vip(theVip)]));

/** What a test reads: the effects without those that every step has. */
export type Seen = Exclude<Effect, { type: "arm" }>;

export class Rig {
  now: Instant = instant(1_000 * second);
  readonly kernel: InMemoryAddressTable;
  readonly table: AddressTable;
  readonly routing = new InMemoryRouting();
  readonly core: Core;
  /** Everything the core asked for, oldest first. */
  readonly effects: Seen[] = [];
  readonly silenced = new Set<IpAddress>();
  armed: Instant | undefined;
  /** Looks at a burst at the moment it goes out. */
  onAnnounce: ((burst: Burst) => void) | undefined;
  readonly #untold: AddressEvent[] = [];
  #sequence = 0;
  #links: readonly LinkInfo[];

  constructor(options: RigOptions = {}) {
    this.#links = options.links ?? [link("eth0", 2)];
    this.kernel = inMemoryAddressTable({ interfaces: this.#links, now: () => this.now });
    this.table = this.kernel.open();
    if (options.found !== undefined) this.interfere(options.found.map((spec) => ({ op: "add", spec })));
    for (const address of options.silenced ?? []) this.silenced.add(address);
    this.routing.change(options.foundRouting ?? []);
    const first = options.desired ?? oneInstance();
    this.core = new Core(
      {
        desired: first,
        links: this.#links,
        addresses: this.table.list(),
        routing: this.routing.list(routingProtocols(first.instances.values())),
        silenced: options.silenced ?? [],
      },
      this.now,
    );
    this.feed({ type: "tick" });
  }

  /**
   * Feeds one input and carries out what follows; returns what the core asked for. What the kernel did by itself during
   * a stall is told after it: netlink is read in its turn.
   */
  feed(input: Input): Seen[] {
    const from = this.effects.length;
    this.#feed(input);
    const events = this.#untold.splice(0);
    if (events.length > 0) this.#feed({ type: "addresses-changed", events });
    return this.effects.slice(from);
  }

  #feed(input: Input): void {
    const answers = this.core.step(input, this.now).flatMap((effect) => this.#carryOut(effect) ?? []);
    for (const answer of answers) this.#feed(answer);
  }

  /** The kernel ends what is over. */
  #expire(): void {
    const before = this.table.list();
    this.kernel.expire(this.now);
    const after = new Set(this.addresses());
    for (const address of before) {
      if (!after.has(`${address.address}/${address.prefixLength}`)) this.#untold.push({ type: "removed", address });
    }
  }

  #carryOut(effect: Effect): Input | undefined {
    if (effect.type === "arm") {
      this.armed = effect.at;
      return undefined;
    }
    this.effects.push(effect);
    switch (effect.type) {
      case "change-addresses": {
        const results = this.table.change(effect.changes);
        const heralded = effect.heralds.map(({ addresses, after }) =>
          results.slice(after - addresses.length, after).every(({ ok }) => ok) ? addresses.length : 0,
        );
        return { type: "addresses-applied", results, heralded, addresses: this.table.list() };
      }
      case "change-routing": {
        const results = this.routing.change(effect.changes);
        return { type: "routing-applied", results, tables: this.routing.list(effect.protocols) };
      }
      case "read-routing":
        return { type: "routing-read", tables: this.routing.list(effect.protocols) };
      case "renew-addresses":
        this.table.change(effect.specs.map((spec) => ({ op: "replace", spec })));
        return undefined;
      case "read-addresses":
        return { type: "addresses-read", addresses: this.table.list() };
      case "announce": {
        const { addresses, repeat } = effect.burst;
        this.onAnnounce?.(effect.burst);
        return {
          type: "announced",
          burst: effect.burst,
          sent: addresses.length * repeat,
          error: undefined,
          startedAt: this.now,
          endedAt: this.now,
        };
      }
      case "silence":
        for (const address of effect.addresses) this.silenced.add(address);
        return undefined;
      case "unsilence":
        for (const address of effect.addresses) this.silenced.delete(address);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Lets time pass, with every tick at its time, as a process that is scheduled does. */
  pass(duration: number): Seen[] {
    const from = this.effects.length;
    const end = instant(this.now + duration);
    for (let turns = 0; this.armed !== undefined && this.armed <= end; turns++) {
      if (turns > 10_000) throw new Error(`the core never rests: armed at ${this.armed}, now ${this.now}`);
      this.now = instant(Math.max(this.now, this.armed));
      this.#expire();
      this.feed({ type: "tick" });
    }
    this.now = end;
    this.#expire();
    return this.effects.slice(from);
  }

  /** Time passes and nobody runs: the kernel alone goes on. */
  stall(duration: number): void {
    this.now = instant(this.now + duration);
    this.#expire();
  }

  /** Somebody else changes addresses; the core hears of it as events. */
  interfere(changes: readonly AddressChange[]): Seen[] {
    const before = this.table.list();
    this.kernel.interfere(changes);
    const after = this.table.list();
    const key = (info: AddressInfo): string => `${info.ifindex} ${info.address}/${info.prefixLength} ${info.label}`;
    const removed = before.filter((info) => !after.some((other) => key(other) === key(info)));
    const set = after.filter((info) => !before.some((other) => key(other) === key(info)));
    if (this.core === undefined) return [];
    return this.feed({
      type: "addresses-changed",
      events: [
        ...removed.map((address) => ({ type: "removed" as const, address })),
        ...set.map((address) => ({ type: "set" as const, address })),
      ],
    });
  }

  /** Somebody else takes routes or rules away. */
  takeRouting(fits: (object: RouteInfo | RuleSpec) => boolean): Seen[] {
    return this.feed({ type: "routing-changed", events: this.routing.takeAway(fits) });
  }

  connect(stream = 1): Seen[] {
    return this.feed({ type: "stream-opened", stream });
  }

  frame(claims: readonly Claim[], more: Partial<Frame> & { stream?: number } = {}): Seen[] {
    const { stream = 1, ...rest } = more;
    const sequence = ++this.#sequence;
    const plain = { sequence, sentAt: this.now, configGeneration: 1, partial: false, forgotten: [], adverts: [] };
    const frame: Frame = { ...plain, claims, ...rest };
    return this.feed({ type: "frame-received", stream, frame });
  }

  see(type: TransitionType, of: { instance?: string; term?: number; at?: Instant; id?: string } = {}): Seen[] {
    const transition: Transition = {
      type,
      instance: of.instance ?? VI_1,
      term: term(of.term ?? 1),
      cause: causeOf(of.id ?? `${type}-${of.term ?? 1}`),
      at: of.at ?? this.now,
    };
    return this.feed({ type: "transitions-seen", transitions: [transition] });
  }

  /** A master: connected, claimed, started, confirmed. */
  master(claim = holdOf()): Seen[] {
    this.connect();
    const first = this.frame([claim]);
    return [...first, ...this.see("became-master", { term: claim.term })];
  }

  /** A living election: a frame every fifth of two seconds, for as long as asked. */
  heartbeats(
    claims: readonly Claim[],
    duration: number,
    more: { stream?: number; configGeneration?: number } = {},
  ): Seen[] {
    const from = this.effects.length;
    for (let left = duration; left > 0; left -= 400_000) {
      this.pass(Math.min(left, 400_000));
      this.frame(claims, more);
    }
    return this.effects.slice(from);
  }

  addresses(): string[] {
    return this.table.list().map(({ address, prefixLength }) => `${address}/${prefixLength}`);
  }

  infoOf(address: string): AddressInfo | undefined {
    return this.table.list().find((info) => info.address === address);
  }
}

export const causeOf = (id: string): CauseRef => ({ id, correlationId: `story of ${id}`, traceparent: undefined });

export const holdOf = (more: Partial<Claim> = {}): Claim => ({
  lease: VI_1,
  term: term(1),
  state: "hold",
  length: micros(2 * second),
  instances: [VI_1],
  announce: 0,
  announceReason: "master-down-expired",
  successorHeard: false,
  cause: undefined,
  memory: { priority: 101, lastAdvertAt: 0, peerHeardAt: 0, authCounter: 0 },
  ...more,
});

export const ofType = <T extends Effect["type"]>(effects: readonly Effect[], type: T): Extract<Effect, { type: T }>[] =>
  effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type);

export const typesOf = (effects: readonly Effect[]): string[] => effects.map(({ type }) => type);

/** The events told, as `type key=value …`. */
export const told = (effects: readonly Effect[]): string[] =>
  ofType(effects, "report").flatMap(({ events }) => events.map(({ type }) => type));

export const eventsOf = (effects: readonly Effect[]): { type: string; data: unknown }[] =>
  ofType(effects, "report").flatMap(({ events }) => events.map(({ type, data }) => ({ type, data })));

export const lastStanding = (effects: readonly Effect[]): LeaseStanding | undefined =>
  ofType(effects, "answer").at(-1)?.leases[0];
