// Whatever comes, in whatever order: nothing foreign is touched, nothing is held without a lease, events and level tell
// what the kernel has, and the core comes to rest.
import { instant, micros, term } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { desired, eventsOf, holdOf, instanceConfig, ip, peerMac, Rig, second, vip } from "./testing/rig.ts";
import type { ClaimState } from "./types.ts";

const addresses = ["192.0.2.1", "192.0.2.2"] as const;
const foreign = { ifindex: 2, address: ip("192.0.2.250"), prefixLength: 24 };
const configOf = (generation: number, count: number, label: boolean) =>
  desired(
    generation,
    instanceConfig(
      "VI_1",
      addresses.slice(0, count).map((each) => vip(each, { label: label ? "eth0:1" : undefined })),
    ),
  );

type Op =
  | { op: "frame"; state: ClaimState; newTerm: boolean; heard: boolean; age: number; announce: number }
  | { op: "empty-frame" }
  | { op: "event"; type: "became-master" | "became-backup" | "entered-fault" | "instance-stopped"; ahead: number }
  | { op: "pass"; duration: number }
  | { op: "stall"; duration: number }
  | { op: "take-away"; which: 0 | 1 }
  | { op: "reconnect" }
  | { op: "disconnect" }
  | { op: "reload"; count: number; label: boolean }
  | { op: "arp"; which: 0 | 1 };

const frame = fc.record({
  op: fc.constant("frame" as const),
  state: fc.constantFrom<ClaimState>("hold", "hold", "hold", "silent", "leaving", "release"),
  newTerm: fc.boolean(),
  heard: fc.boolean(),
  age: fc.constantFrom(0, 0, 0, 100_000, 900_000, 1_100_000, 2_500_000),
  announce: fc.integer({ min: 0, max: 2 }),
});
const ops: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: frame },
  { weight: 1, arbitrary: fc.constant<Op>({ op: "empty-frame" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("event" as const),
      type: fc.constantFrom("became-master", "became-master", "became-backup", "entered-fault", "instance-stopped"),
      ahead: fc.integer({ min: -1, max: 1 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant("pass" as const), duration: fc.constantFrom(1_000, 400_000, 2_100_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("stall" as const),
      duration: fc.constantFrom(300_000, 1_300_000, 3_500_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("take-away" as const), which: fc.constantFrom(0, 1) }) },
  { weight: 1, arbitrary: fc.constant<Op>({ op: "reconnect" }) },
  { weight: 1, arbitrary: fc.constant<Op>({ op: "disconnect" }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("reload" as const),
      count: fc.integer({ min: 0, max: 2 }),
      label: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("arp" as const), which: fc.constantFrom(0, 1) }) },
);

class Play {
  readonly rig = new Rig({ desired: configOf(1, 2, false), found: [foreign] });
  #term = 0;
  #stream = 0;
  #generation = 1;
  sentAt = instant(0);

  act(op: Op): void {
    const { rig } = this;
    switch (op.op) {
      case "frame": {
        if (op.newTerm || this.#term === 0) this.#term++;
        const { state, heard, announce, age } = op;
        const claim = holdOf({ state, announce, term: term(this.#term), successorHeard: heard && state === "leaving" });
        rig.frame([claim], this.#frameOptions(age));
        return;
      }
      case "empty-frame":
        rig.frame([], this.#frameOptions(0));
        return;
      case "event":
        rig.see(op.type, { term: Math.max(0, this.#term + op.ahead) });
        return;
      case "pass":
        rig.pass(op.duration);
        return;
      case "stall":
        rig.stall(op.duration);
        return;
      case "take-away":
        rig.interfere([{ op: "delete", spec: { ifindex: 2, address: ip(addresses[op.which]), prefixLength: 32 } }]);
        return;
      case "reconnect":
        rig.connect(++this.#stream);
        return;
      case "disconnect":
        rig.feed({ type: "stream-closed", stream: this.#stream });
        return;
      case "reload":
        rig.feed({ type: "configured", desired: configOf(++this.#generation, op.count, op.label) });
        return;
      case "arp":
        rig.feed({
          type: "neighbours-heard",
          heard: [{ interface: "eth0", mac: peerMac, address: ip(addresses[op.which]) }],
        });
        return;
    }
  }

  /** A sender's clock does not run backwards. */
  #frameOptions(age: number) {
    this.sentAt = instant(Math.max(this.sentAt, this.rig.now - age));
    return { stream: this.#stream, sentAt: this.sentAt, configGeneration: this.#generation };
  }

  /** Lets everything that is due or under way come to its end. */
  rest(): void {
    this.rig.pass(150_000);
  }

  /** What the events say is there. */
  toldPresent(): string[] {
    const present = new Set<string>();
    for (const { type, data } of eventsOf(this.rig.effects)) {
      const { address } = data as { address: string };
      if (type === "vip-added") present.add(address);
      if (type === "vip-removed") present.delete(address);
    }
    return [...present].sort();
  }

  present(): string[] {
    return this.rig
      .addresses()
      .flatMap((each) => (each.endsWith("/32") ? [each.replace("/32", "")] : []))
      .sort();
  }
}

test("invariants hold under any sequence of inputs", () => {
  fc.assert(
    fc.property(fc.array(ops, { minLength: 1, maxLength: 40 }), (sequence) => {
      const play = new Play();
      play.rig.connect(0);
      for (const op of sequence) {
        play.act(op);
        expect(play.rig.addresses()).toContain("192.0.2.250/24");
      }
      play.rest();
      const level = play.rig.core.states().flatMap((state) => state.addresses.filter(({ present }) => present));
      const shown = level.map(({ address }) => address).sort();
      // What somebody takes away in a war stays away, and is told as failed, not as removed.
      const failed = eventsOf(play.rig.effects).some(({ type }) => type === "vip-failed");
      expect(shown).toEqual(play.present().filter((each) => shown.includes(each)));
      if (!failed) expect(play.toldPresent()).toEqual(play.present());
      for (const silent of play.rig.silenced) expect(play.present()).toContain(silent);
      play.rig.pass(2 * second + 200_000);
      expect(play.present()).toEqual([]);
      expect(play.rig.silenced.size).toBe(0);
      if (!failed) expect(play.toldPresent()).toEqual([]);
      play.rig.pass(10 * second);
      expect(play.rig.armed).toBeUndefined();
    }),
    { numRuns: 150 },
  );
});

test("nothing is announced that is not there, nor without a young claim to hold it", () => {
  fc.assert(
    fc.property(fc.array(ops, { minLength: 1, maxLength: 40 }), (sequence) => {
      const play = new Play();
      play.rig.connect(0);
      let heldUntil = 0;
      play.rig.onAnnounce = ({ addresses: announced }) => {
        expect(play.present()).toEqual(expect.arrayContaining([...announced]));
        expect(play.rig.now).toBeLessThan(heldUntil);
        for (const each of announced) expect(play.rig.silenced).not.toContain(each);
      };
      for (const op of sequence) {
        const sentAt = op.op === "frame" ? Math.max(play.sentAt, play.rig.now - op.age) : 0;
        if (op.op === "frame" && op.state === "hold") heldUntil = Math.max(heldUntil, sentAt + 2 * second);
        play.act(op);
      }
    }),
    { numRuns: 150 },
  );
});

test("nothing is added without a young frame that claims it", () => {
  fc.assert(
    fc.property(fc.array(ops, { minLength: 1, maxLength: 40 }), (sequence) => {
      const play = new Play();
      play.rig.connect(0);
      let youngHold = false;
      for (const op of sequence) {
        // Age counts when the frame is read; afterwards a living process may wait two milliseconds for the event.
        const age = op.op === "frame" ? Math.min(op.age, play.rig.now - play.sentAt) : 0;
        if (op.op === "frame") youngHold ||= op.state === "hold" && age <= micros(second);
        play.act(op);
        if (!youngHold) expect(play.present()).toEqual([]);
      }
    }),
    { numRuns: 100 },
  );
});
