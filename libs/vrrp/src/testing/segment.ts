// Several routers on one segment in simulated time: the election machines as they run, a network that delays and may
// be cut, and a dataplane that keeps leases as SAFETY S3 says. It is the machine's own test bed: no sockets, no clock.
import { type Instant, type IpAddress, instant, type Micros, micros, parseIp, vrid } from "@baton/domain";
import { initialState, nextDeadline, step } from "../election.ts";
import { heartbeatInterval, kernelLeaseSeconds, leaseLength } from "../timers.ts";
import type { Effect, ElectionConfig, ElectionState, Input } from "../types.ts";

export const second = 1_000_000;

/** What a router is put through; times are seconds from the start. */
export interface Trial {
  readonly at: number;
  readonly router: number;
  /** `stall`: its election does not run. */
  readonly what: "link-down" | "link-up" | "stall" | "stop" | "dataplane-hangs" | "dataplane-back";
  readonly seconds: number;
}

export interface Schedule {
  readonly routers: readonly ElectionConfig[];
  readonly startsAt: readonly number[];
  readonly trials: readonly Trial[];
  /** No packet arrives anywhere for that long. */
  readonly cut: { readonly at: number; readonly seconds: number } | undefined;
  /** Of each packet to each receiver in turn, in microseconds. */
  readonly delays: readonly number[];
}

interface Event {
  readonly at: Instant;
  readonly run: () => void;
}

/** Events in the order of their instants, first come first served within one. */
class Timeline {
  now: Instant = instant(0);
  readonly #events: Event[] = [];

  at(when: number, run: () => void): void {
    const event = { at: instant(Math.max(this.now, Math.round(when))), run };
    const behind = this.#events.findIndex((each) => each.at > event.at);
    this.#events.splice(behind < 0 ? this.#events.length : behind, 0, event);
  }

  runUntil(end: number): void {
    for (;;) {
      const next = this.#events[0];
      if (next === undefined || next.at > end) break;
      this.#events.shift();
      this.now = next.at;
      next.run();
    }
    this.now = instant(end);
  }
}

type Claim = Extract<Effect, { type: "claim" }>;

/** A time during which a router answered for the addresses. */
export interface Holding {
  readonly from: Instant;
  readonly until: Instant;
}

/** Takes half a millisecond for everything; forgets an election that is silent for a lease. */
class Dataplane {
  hangs = false;
  readonly holdings: Holding[] = [];
  readonly #timeline: Timeline;
  readonly #config: ElectionConfig;
  readonly #answer: (input: Input) => void;
  #held: { readonly since: Instant; readonly leaseUntil: Instant } | undefined;
  #endedTerm = 0;

  constructor(timeline: Timeline, config: ElectionConfig, answer: (input: Input) => void) {
    this.#timeline = timeline;
    this.#config = config;
    this.#answer = answer;
  }

  receive(claim: Claim, sentAt: Instant): void {
    this.#timeline.at(this.#timeline.now + 500, () => this.#judge(claim, sentAt));
  }

  /** Whether it hangs or not, the addresses go with the lease: the kernel drops them then (SAFETY S10). */
  expire(): void {
    if (this.#held === undefined) return;
    const kernel = this.hangs ? kernelLeaseSeconds(this.#config) * second - leaseLength(this.#config) : 0;
    const until = instant(this.#held.leaseUntil + kernel);
    if (until > this.#timeline.now) return;
    this.holdings.push({ from: this.#held.since, until });
    this.#held = undefined;
  }

  #judge(claim: Claim, sentAt: Instant): void {
    if (this.hangs) return;
    const heldBefore = this.#held !== undefined;
    this.expire();
    if (heldBefore && this.#held === undefined) this.#endedTerm = claim.term;
    const about = { term: claim.term };
    if (claim.term <= this.#endedTerm) {
      this.#answer({ type: "lease-lost", ...about, reason: "released", detail: "" });
      return;
    }
    const letGo = claim.state === "release" || claim.successorHeard;
    if (letGo || claim.state === "silent") this.close();
    else {
      const leaseUntil = instant(sentAt + leaseLength(this.#config));
      this.#held = { since: this.#held?.since ?? this.#timeline.now, leaseUntil };
    }
    this.#answer(letGo ? { type: "addresses-released", ...about } : { type: "lease-confirmed", ...about, sentAt });
  }

  close(): void {
    this.expire();
    if (this.#held !== undefined) this.holdings.push({ from: this.#held.since, until: this.#timeline.now });
    this.#held = undefined;
  }
}

interface Packet {
  readonly from: Router;
  readonly priority: number;
  readonly advertInterval: Micros;
  readonly wireId: number;
}

/** A router and its shell, which hears what waits before it acts on a deadline (SAFETY S2). */
export class Router {
  state: ElectionState;
  readonly address: IpAddress;
  /** When adverts above 0 left. */
  readonly spoke: Instant[] = [];
  readonly #dataplane: Dataplane;
  readonly #timeline: Timeline;
  readonly #send: (packet: Packet) => void;
  #wireId = 0;
  #started = false;
  #linkUp = true;
  #stalledUntil: Instant = instant(0);
  #inbox: Input[] = [];
  #claimed: Claim | undefined;

  constructor(timeline: Timeline, config: ElectionConfig, index: number, send: (packet: Packet) => void) {
    const address = parseIp(`10.0.0.${index + 1}`);
    if (address === undefined) throw new Error(`no address for router ${index}`);
    this.address = address;
    this.#timeline = timeline;
    this.#send = send;
    this.#dataplane = new Dataplane(timeline, config, (input) => this.take(input));
    this.state = initialState(config);
  }

  /** It can serve: it runs, has a link and a dataplane. */
  get healthy(): boolean {
    return this.#started && this.#linkUp && !this.#dataplane.hangs && this.state.kind !== "stopped";
  }

  get holdings(): readonly Holding[] {
    return this.#dataplane.holdings;
  }

  start(): void {
    this.#started = true;
    this.#feed({
      type: "startup",
      dataplaneConnected: true,
      interfaceUp: this.#linkUp,
      primaryAddress: this.address,
      resume: undefined,
      highestTerm: this.state.highestTerm,
      recentResumes: 0,
    });
    this.#heartbeat();
  }

  /** Waits while the election does not run; otherwise is taken in at once. */
  take(input: Input): void {
    if (!this.#started) return;
    if (this.#timeline.now < this.#stalledUntil) this.#inbox.push(input);
    else this.#feed(input);
  }

  receive({ from, priority, advertInterval, wireId }: Packet): void {
    if (!this.#linkUp) return;
    const { version, addresses } = this.state.config;
    const advert = { version, vrid: vrid(51), priority, advertInterval, addresses };
    this.take({ type: "advertisement-received", advert, source: from.address, wireId });
  }

  undergo({ what, seconds }: Trial): void {
    switch (what) {
      case "link-down":
      case "link-up":
        this.#linkUp = what === "link-up";
        return this.take({ type: "interface-changed", up: this.#linkUp });
      case "stall":
        return this.#stall(seconds * second);
      case "stop":
        return this.take({ type: "shutdown", reason: "stop" });
      default:
        this.#dataplane.hangs = what === "dataplane-hangs";
    }
  }

  finish(): void {
    this.#dataplane.close();
  }

  #stall(duration: number): void {
    const until = instant(this.#timeline.now + Math.round(duration));
    this.#stalledUntil = instant(Math.max(until, this.#stalledUntil));
    this.#timeline.at(until, () => {
      if (this.#timeline.now < this.#stalledUntil) return;
      for (const input of this.#inbox.splice(0)) this.#feed(input);
      this.#wake();
    });
  }

  #feed(input: Input): void {
    const { state, effects } = step(this.state, input, this.#timeline.now);
    this.state = state;
    for (const effect of effects) this.#execute(effect);
    const due = nextDeadline(state);
    if (due !== undefined) this.#timeline.at(due, () => this.#wake());
  }

  #wake(): void {
    const due = nextDeadline(this.state);
    const { now } = this.#timeline;
    if (due === undefined || due > now || now < this.#stalledUntil) return;
    this.#feed({ type: "deadline-reached", lateness: micros(now - due) });
  }

  #execute(effect: Effect): void {
    if (effect.type === "claim") {
      this.#claimed = effect;
      this.#ask();
    }
    if (effect.type !== "send-advertisement" || !this.#linkUp) return;
    if (effect.priority > 0) this.spoke.push(this.#timeline.now);
    const { advertInterval } = this.state.config;
    this.#send({ from: this, priority: effect.priority, advertInterval, wireId: ++this.#wireId });
  }

  #ask(): void {
    if (this.#claimed !== undefined) this.#dataplane.receive(this.#claimed, this.#timeline.now);
  }

  #heartbeat(): void {
    this.#timeline.at(this.#timeline.now + heartbeatInterval(this.state.config), () => {
      if (this.#timeline.now >= this.#stalledUntil) this.#ask();
      this.#dataplane.expire();
      this.#heartbeat();
    });
  }
}

/** Runs the schedule for `seconds` and hands out the routers as they are then. */
export function simulate(schedule: Schedule, seconds: number): Router[] {
  const timeline = new Timeline();
  const { cut, delays } = schedule;
  let sent = 0;
  const cutNow = (): boolean =>
    cut !== undefined && timeline.now >= cut.at * second && timeline.now < (cut.at + cut.seconds) * second;
  const send = (packet: Packet): void => {
    for (const router of routers) {
      if (router === packet.from || cutNow()) continue;
      timeline.at(timeline.now + (delays[sent++ % delays.length] ?? 0), () => router.receive(packet));
    }
  };
  const routers = schedule.routers.map((config, index) => new Router(timeline, config, index, send));
  for (const [index, router] of routers.entries()) {
    timeline.at((schedule.startsAt[index] ?? 0) * second, () => router.start());
  }
  for (const trial of schedule.trials) {
    timeline.at(trial.at * second, () => routers[trial.router % routers.length]?.undergo(trial));
  }
  timeline.runUntil(seconds * second);
  for (const router of routers) router.finish();
  return routers;
}

/** The longest time during which two routers answered for the same address. */
export function longestOverlap(routers: readonly Router[]): number {
  let longest = 0;
  for (const [index, one] of routers.entries()) {
    for (const other of routers.slice(index + 1)) {
      for (const a of one.holdings) {
        for (const b of other.holdings)
          longest = Math.max(longest, Math.min(a.until, b.until) - Math.max(a.from, b.from));
      }
    }
  }
  return longest;
}
