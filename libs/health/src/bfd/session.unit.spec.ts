// Two ends of a session on a wire that a test can cut: RFC 5880 section 6, its numbers beside each test.
import { addMicros, type Instant, instant, type Micros, micros } from "@baton/domain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BfdPacket } from "./packet.ts";
import {
  type BfdEffect,
  type BfdInput,
  type BfdSession,
  type BfdSessionConfig,
  detectionTime,
  nextBfdDeadline,
  startBfd,
  stepBfd,
} from "./session.ts";

const config = (over: Partial<BfdSessionConfig> = {}): BfdSessionConfig => ({
  name: "core",
  neighbor: "10.0.0.2",
  minReceiveInterval: micros(10_000),
  minTransmitInterval: micros(10_000),
  idleTransmitInterval: micros(1_000_000),
  multiplier: 5,
  passive: false,
  ...over,
});

interface End {
  session: BfdSession;
  readonly told: string[];
  readonly sent: { readonly at: Instant; readonly packet: BfdPacket }[];
}

/** Both ends and what is under way between them; `delay` each way, nothing passes while `cut`. */
class Wire {
  now = instant(1_000_000);
  cut = false;
  readonly ends: readonly [End, End];
  readonly #flying: { to: 0 | 1; at: Instant; packet: BfdPacket }[] = [];
  readonly #random: () => number;
  readonly #delay: Micros;

  constructor(left: BfdSessionConfig, right: BfdSessionConfig, random: () => number = () => 0.5, delay = micros(200)) {
    this.#random = random;
    this.#delay = delay;
    this.ends = [this.#start(left, 7), this.#start(right, 9)];
    for (const side of [0, 1] as const)
      this.#carryOut(side, startBfd(side === 0 ? left : right, 1, "fresh", this.#moment()).effects);
  }

  #start(of: BfdSessionConfig, discriminator: number): End {
    return { session: startBfd(of, discriminator, "fresh", this.#moment()).state, told: [], sent: [] };
  }

  #moment() {
    return { now: this.now, random: this.#random() };
  }

  #carryOut(side: 0 | 1, effects: readonly BfdEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "append-event")
        this.ends[side].told.push(`${effect.event.type} ${effect.event.data.diagnostic}`);
      else {
        this.ends[side].sent.push({ at: this.now, packet: effect.packet });
        if (!this.cut)
          this.#flying.push({ to: side === 0 ? 1 : 0, at: addMicros(this.now, this.#delay), packet: effect.packet });
      }
    }
  }

  feed(side: 0 | 1, input: BfdInput): void {
    const { state, effects } = stepBfd(this.ends[side].session, input, this.#moment());
    this.ends[side].session = state;
    this.#carryOut(side, effects);
  }

  /** Lets `duration` pass, event by event. */
  run(duration: number): void {
    const end = addMicros(this.now, duration);
    for (;;) {
      const deadlines = this.ends.map(({ session }) => nextBfdDeadline(session));
      const times = [...deadlines, ...this.#flying.map(({ at }) => at)].filter((at) => at !== undefined);
      const next = times.reduce<number>((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
      if (next > end) break;
      this.now = instant(Math.max(next, this.now));
      for (const each of this.#flying.splice(0)) {
        if (each.at > this.now) this.#flying.push(each);
        else if (!this.cut) this.feed(each.to, { type: "packet-received", packet: each.packet, receivedAt: each.at });
      }
      for (const side of [0, 1] as const) {
        const deadline = nextBfdDeadline(this.ends[side].session);
        if (deadline !== undefined && deadline <= this.now) this.feed(side, { type: "deadline-reached" });
      }
    }
    this.now = end;
  }

  get states(): readonly string[] {
    return this.ends.map(({ session }) => session.state);
  }
}

const second = 1_000_000;

describe("two ends", () => {
  test("come up together within three idle intervals, and say so once (6.2)", () => {
    const wire = new Wire(config(), config());
    expect(wire.ends.map(({ told }) => told)).toEqual([["bfd-session-down none"], ["bfd-session-down none"]]);
    wire.run(3 * second);
    expect(wire.states).toEqual(["up", "up"]);
    for (const { told } of wire.ends) expect(told.slice(1)).toEqual(["bfd-session-up none"]);
  });

  test("once up they send at the agreed interval, a quarter earlier at most (6.8.7)", () => {
    const wire = new Wire(
      config({ minTransmitInterval: micros(20_000) }),
      config({ minReceiveInterval: micros(50_000) }),
    );
    wire.run(5 * second);
    const [left] = wire.ends;
    const before = left.sent.length;
    wire.run(second);
    const times = left.sent.slice(before).map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? at));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(37_500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(50_000);
  });

  test("before that at most once a second, whatever is configured (6.8.3)", () => {
    const wire = new Wire(config(), config());
    wire.cut = true;
    wire.run(10 * second);
    expect(wire.ends[0].sent.length).toBeGreaterThanOrEqual(10);
    expect(wire.ends[0].sent.length).toBeLessThanOrEqual(14);
  });

  test("a cut way is found in the detection time: multiplier times the slower interval (6.8.4)", () => {
    const wire = new Wire(config({ multiplier: 3 }), config({ minTransmitInterval: micros(30_000) }));
    wire.run(5 * second);
    expect(detectionTime(wire.ends[0].session)).toBe(5 * 30_000);
    expect(detectionTime(wire.ends[1].session)).toBe(3 * 10_000);
    wire.cut = true;
    wire.run(29_000 - 10_000);
    expect(wire.states).toEqual(["up", "up"]);
    wire.run(150_000);
    expect(wire.states).toEqual(["down", "down"]);
    for (const { told } of wire.ends) expect(told.at(-1)).toBe("bfd-session-down detection-time-expired");
    wire.cut = false;
    wire.run(5 * second);
    expect(wire.states).toEqual(["up", "up"]);
  });

  test("who hears nothing tells the other, who still hears (6.8.6)", () => {
    const wire = new Wire(config(), config());
    wire.run(5 * second);
    const [left] = wire.ends;
    const heard = left.session.heardAt;
    left.session = { ...left.session, heardAt: instant(heard - 10 * second) };
    wire.feed(0, { type: "deadline-reached" });
    wire.run(10_000);
    expect(wire.ends[1].told).toContain("bfd-session-down neighbor-signaled-down");
    wire.run(5 * second);
    expect(wire.states).toEqual(["up", "up"]);
  });

  test("a passive end is silent until it is spoken to (6.1)", () => {
    const wire = new Wire(config({ passive: true }), config({ passive: true }));
    wire.run(5 * second);
    expect(wire.ends.map(({ sent }) => sent.length)).toEqual([0, 0]);
    const mixed = new Wire(config({ passive: true }), config());
    mixed.run(5 * second);
    expect(mixed.states).toEqual(["up", "up"]);
  });

  test("a stop is told, and is no failure to come back from by itself (6.8.16)", () => {
    const wire = new Wire(config(), config());
    wire.run(5 * second);
    wire.feed(0, { type: "stop" });
    wire.run(10_000);
    expect(wire.ends[1].told.at(-1)).toBe("bfd-session-down neighbor-signaled-down");
    expect(nextBfdDeadline(wire.ends[0].session)).toBeUndefined();
    wire.run(5 * second);
    expect(wire.states).toEqual(["admin-down", "down"]);
  });

  test("slower intervals of a reload count when the neighbor has confirmed them, and nothing goes down (6.8.3)", () => {
    const wire = new Wire(config(), config());
    wire.run(5 * second);
    const slower = config({ minTransmitInterval: micros(300_000), minReceiveInterval: micros(300_000) });
    wire.feed(0, { type: "configure", config: slower });
    expect(wire.ends[0].session.used.transmit).toBe(10_000);
    wire.run(second);
    expect(wire.ends[0].session).toMatchObject({ polling: false, used: { transmit: 300_000, receive: 300_000 } });
    wire.feed(0, { type: "configure", config: config() });
    wire.run(second);
    expect(wire.ends.map(({ told }) => told.length)).toEqual([2, 2]);
    expect(wire.ends[0].session.used).toEqual({ transmit: 10_000, receive: 10_000 });
  });
});

const packet = (over: Partial<BfdPacket> = {}): BfdPacket => ({
  diagnostic: "none",
  state: "down",
  poll: false,
  final: false,
  demand: false,
  multiplier: 3,
  myDiscriminator: 9,
  yourDiscriminator: 7,
  desiredMinTransmit: micros(10_000),
  requiredMinReceive: micros(10_000),
  ...over,
});
const at = (now: number, random = 0) => ({ now: instant(now), random });

/** The states of section 6.8.6, each with each: what it becomes. */
describe("state by state", () => {
  test.each([
    ["down", "admin-down", "down"],
    ["down", "down", "init"],
    ["down", "init", "up"],
    ["down", "up", "down"],
    ["init", "admin-down", "down"],
    ["init", "down", "init"],
    ["init", "init", "up"],
    ["init", "up", "up"],
    ["up", "admin-down", "down"],
    ["up", "down", "down"],
    ["up", "init", "up"],
    ["up", "up", "up"],
  ] as const)("%s, hears %s: %s", (state, heard, expected) => {
    const session = { ...startBfd(config(), 7, "fresh", at(0)).state, state };
    const received: BfdInput = { type: "packet-received", packet: packet({ state: heard }), receivedAt: instant(10) };
    expect(stepBfd(session, received, at(10)).state.state).toBe(expected);
  });
});

test("a poll is answered at once, with final (6.5)", () => {
  const { state } = startBfd(config(), 7, "fresh", at(0));
  const received: BfdInput = { type: "packet-received", packet: packet({ poll: true }), receivedAt: instant(10) };
  expect(stepBfd(state, received, at(10)).effects).toMatchObject([
    { type: "send", packet: { final: true, poll: false, yourDiscriminator: 9 } },
  ]);
});

test("who wants no packets gets none but answers to polls (6.8.7)", () => {
  const { state } = startBfd(config(), 7, "fresh", at(0));
  const quiet = packet({ state: "init", requiredMinReceive: micros(0) });
  const up = stepBfd(state, { type: "packet-received", packet: quiet, receivedAt: instant(10) }, at(10)).state;
  expect([up.state, up.sendAt]).toEqual(["up", undefined]);
});

test("a packet that came in time counts, however late it is read; one that came too late does not", () => {
  const { state } = startBfd(config(), 7, "fresh", at(0));
  const heard = (session: BfdSession, of: BfdPacket, receivedAt: number, now: number) =>
    stepBfd(session, { type: "packet-received", packet: of, receivedAt: instant(receivedAt) }, at(now));
  const up = heard(state, packet({ state: "init" }), 10, 10).state;
  // Detection time: 3 times 10 ms.
  expect(heard(up, packet({ state: "up" }), 30_009, 5_000_000).state.state).toBe("up");
  const late = heard(up, packet({ state: "up" }), 30_010, 5_000_000);
  expect(late.state.state).toBe("down");
});

test("after a restart others keep what they knew, until the neighbor had time to answer (SAFETY S15)", () => {
  const { state, effects } = startBfd(config(), 7, "resumed", at(0));
  expect([effects, state.status]).toEqual([[], "unknown"]);
  const before = stepBfd(state, { type: "deadline-reached" }, at(4_999_999));
  expect(before.effects.filter(({ type }) => type === "append-event")).toEqual([]);
  expect(stepBfd(state, { type: "deadline-reached" }, at(5_000_000)).effects).toMatchObject([
    { type: "append-event", event: { type: "bfd-session-down" } },
    { type: "send" },
  ]);
});

test("whatever the chance, the delays and the losses: told and state agree, and a whole way comes up", () => {
  const chance = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(
      chance,
      fc.integer({ min: 0, max: 4_000 }),
      fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 6 }),
      (draws, delay, cuts) => {
        let drawn = 0;
        const wire = new Wire(
          config(),
          config({ multiplier: 3 }),
          () => draws[drawn++ % draws.length] ?? 0,
          micros(delay),
        );
        wire.run(5 * second);
        for (const length of cuts) {
          wire.cut = true;
          wire.run(length);
          wire.cut = false;
          wire.run(length / 2);
          for (const { session } of wire.ends) expect(session.status === "up").toBe(session.state === "up");
        }
        wire.run(10 * second);
        expect(wire.states).toEqual(["up", "up"]);
      },
    ),
    { numRuns: 100 },
  );
});
