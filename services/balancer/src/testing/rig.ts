// The core with a kernel in memory, by hand: every question is answered when the test says so.
import type { VirtualServerState } from "@baton/contracts";
import { assert, type BatonEvent, type CauseRef, instant } from "@baton/domain";
import { ipvsadmRules, MemoryTable, type Operation } from "@baton/ipvs";
import { type Config, parseConfig } from "@baton/keepalived-conf";
import { Core } from "../core.ts";
import { IpvsKeeper } from "../ipvs/ipvs-keeper.ts";
import type { Ask } from "../keeper.ts";
import type { Effect, Input, OwnRecord } from "../types.ts";
import type { Wish } from "../wish.ts";
import { MemoryKernel } from "./memory-kernel.ts";

export function configOf(text: string): Config {
  const { config, diagnostics } = parseConfig({ file: "keepalived.conf", hostName: "r1", readFile: () => ({ text }) });
  assert(config !== undefined, diagnostics.map(({ message }) => message).join("\n"));
  return config;
}

/** `192.0.2.1 80`, with servers on 10.0.0.N port 80. */
export const virtualServer = (id: string, servers: readonly number[], lines = ""): string =>
  `virtual_server ${id} {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\n${lines}\n${servers
    .map((each) => `real_server 10.0.0.${each} 80 {\n}\n`)
    .join("")}}\n`;

/** As health says it: servers 10.0.0.N by weight. */
export const pool = (
  name: string,
  weights: Readonly<Record<number, number>>,
  drains: readonly number[] = [],
): VirtualServerState => ({
  name,
  quorum: 1,
  hysteresis: 0,
  quorumUp: true,
  sorry: false,
  held: "",
  servers: drains.map((each) => ({
    server: `10.0.0.${each}:80`,
    alive: true,
    drain: "draining",
    drainUntil: 0,
    configuredWeight: 1,
    failing: [],
  })),
  destinations: Object.entries(weights).map(([each, weight]) => ({
    server: `10.0.0.${each}:80`,
    role: "real",
    weight,
  })),
  liveWeight: 0,
  since: 0,
  lastEventId: "",
  correlationId: "",
  traceparent: "",
});

export const cause = (id: string): CauseRef => ({ id, correlationId: `story ${id}` });

/** `destinations-changed`, as it is heard. */
export const change = (
  virtualServer: string,
  set: Readonly<Record<number, number>>,
  removed: readonly number[] = [],
  id = "e1",
): Input & { readonly type: "pools-changed" } => ({
  type: "pools-changed",
  changes: [
    {
      kind: "destinations",
      virtualServer,
      change: {
        set: Object.entries(set).map(([each, weight]) => ({ server: `10.0.0.${each}:80`, role: "real", weight })),
        removed: removed.map((each) => `10.0.0.${each}:80`),
      },
      cause: cause(id),
    },
  ],
});

/** `drain-started`, or what ends it. */
export const drain = (virtualServer: string, server: number, what: "started" | "ended", id: string): Input => ({
  type: "pools-changed",
  changes: [{ kind: "drain", virtualServer, server: `10.0.0.${server}:80`, drain: what, cause: cause(id) }],
});

export interface Told {
  readonly event: BatonEvent;
  readonly cause: string | undefined;
}

const nothingOwn: OwnRecord = { services: [], daemons: undefined, timeouts: undefined };

export class Rig {
  readonly table: MemoryTable;
  readonly core: Core;
  readonly asked: Ask[] = [];
  readonly told: Told[] = [];
  readonly kernel: MemoryKernel;
  /** How often health was to say everything again. */
  healthAsked = 0;
  /** What is written down. */
  own: OwnRecord;
  #now = instant(1_000_000_000);

  constructor(
    text: string,
    given: { readonly table?: MemoryTable; readonly own?: OwnRecord; readonly flush?: boolean } = {},
  ) {
    this.table = given.table ?? new MemoryTable();
    this.kernel = new MemoryKernel(this.table);
    this.own = given.own ?? nothingOwn;
    const makeKeeper = (wanted: Wish, own: ReadonlySet<string>) =>
      new IpvsKeeper({ wanted, own, flush: given.flush === true });
    this.core = new Core({ config: configOf(text), own: this.own, makeKeeper }, this.#now);
  }

  /** What `ipvsadm -Sn` would print, in order of its text. */
  get rules(): string[] {
    return ipvsadmRules(this.table.dump())
      .map((line) => line.trim())
      .toSorted();
  }

  get events(): string[] {
    return this.told.map(({ event }) => event.type);
  }

  feed(...inputs: readonly Input[]): this {
    for (const input of inputs) this.#take(this.core.step(input, this.#now));
    return this;
  }

  /** One question and its answer; false: none is left. */
  once(): boolean {
    const ask = this.core.next();
    if (ask === undefined) {
      this.feed({ type: "idle" });
      return false;
    }
    this.asked.push(ask);
    this.feed({ type: "answered", ask, answer: this.kernel.carryOut(ask), elapsedMicros: 100 });
    return true;
  }

  run(): this {
    for (let turns = 0; this.once(); turns++) assert(turns < 10_000, "it never ends");
    return this;
  }

  /** The next time at which the kernel is looked at, whatever is saved by not looking. */
  tick(): this {
    return this.wait(60_000_000).feed({ type: "tick" }).run();
  }

  wait(micros: number): this {
    this.#now = instant(this.#now + micros);
    return this;
  }

  /** What has been told since the last time, and what was asked, is forgotten. */
  forget(): this {
    this.told.length = 0;
    this.asked.length = 0;
    return this;
  }

  /** Somebody else's doing. */
  interfere(operation: Operation): this {
    const error = this.table.apply(operation);
    assert(error === undefined, `the kernel says ${error}`);
    return this;
  }

  #take(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === "remember") this.own = effect.own;
      else if (effect.type === "ask-health") this.healthAsked++;
      else this.told.push({ event: effect.event, cause: effect.cause?.id });
    }
  }
}
