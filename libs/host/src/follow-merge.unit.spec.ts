import type { AggregateState, Snapshot } from "@baton/contracts";
import type { EventEnvelope, ServiceName } from "@baton/domain";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { FollowMerge } from "./follow-merge.ts";

const told: string[] = [];
let merge: FollowMerge;

beforeEach(() => {
  told.length = 0;
  merge = newMerge();
});

const newMerge = (): FollowMerge =>
  new FollowMerge("election", ["vrrp", "service"], {
    snapshot: (states) => told.push(`snapshot ${states.map(({ id, version }) => `${id}:${version}`).join(" ")}`),
    event: ({ aggregate, epoch, version }) => told.push(`${aggregate.id}:${version}${epoch === 1 ? "" : `@${epoch}`}`),
  });

const event = (id: string, version: number, epoch = 1, service: ServiceName = "election"): EventEnvelope => ({
  id: `${id}-${epoch}-${version}`,
  time: "2026-01-01T00:00:00.000000Z",
  at: version,
  node: "r1",
  service,
  aggregate: { kind: service === "election" ? "vrrp" : "service", id },
  epoch,
  version,
  correlationId: "",
  causationId: "",
  traceparent: undefined,
  event: { type: "service-stopped", data: { service, reason: "" } },
});

const state = (id: string, version: number): AggregateState => ({ kind: "vrrp", id, version, state: undefined });
const snapshot = (states: AggregateState[], epoch = 1): Snapshot => ({
  service: "election",
  epoch,
  aggregates: states,
});
const pulse = (versions: Record<string, number>, epoch = 1) => ({
  epoch,
  versions: Object.entries(versions).map(([id, version]) => ({ kind: "vrrp", id, version })),
  counters: [],
});

test("snapshot first, then each event once, whichever path brings it", () => {
  expect(merge.event(event("A", 4))).toBe("fine");
  merge.snapshot(snapshot([state("A", 3)]));
  merge.pulse(pulse({ A: 3 }));
  merge.event(event("A", 4));
  merge.event(event("A", 5));
  merge.event(event("A", 5));
  merge.event(event("A", 3));
  expect(told).toEqual(["snapshot A:3", "A:4", "A:5"]);
});

test("what a snapshot says already is not told again as an event", () => {
  merge.event(event("A", 2));
  merge.event(event("A", 3));
  merge.snapshot(snapshot([state("A", 3)]));
  merge.pulse(pulse({ A: 3 }));
  expect(told).toEqual(["snapshot A:3"]);
  expect(merge.holding).toBe(false);
});

test("an event that overtook another waits for it", () => {
  merge.snapshot(snapshot([state("A", 1)]));
  merge.pulse(pulse({ A: 1 }));
  expect(merge.event(event("A", 3))).toBe("gap");
  expect(merge.event(event("A", 2))).toBe("fine");
  expect(told).toEqual(["snapshot A:1", "A:2", "A:3"]);
});

test("a gap that nobody fills is closed by the next snapshot", () => {
  merge.snapshot(snapshot([state("A", 1)]));
  merge.pulse(pulse({ A: 1 }));
  merge.event(event("A", 3));
  expect(merge.holding).toBe(true);
  merge.snapshot(snapshot([state("A", 2)]));
  expect(merge.pulse(pulse({ A: 2 }))).toBe("fine");
  expect(told).toEqual(["snapshot A:1", "snapshot A:2", "A:3"]);
  expect(merge.holding).toBe(false);
});

test("a pulse that knows more than was heard asks for a snapshot: a lost last event is no silent gap", () => {
  merge.snapshot(snapshot([state("A", 1)]));
  expect(merge.pulse(pulse({ A: 1 }))).toBe("fine");
  expect(merge.pulse(pulse({ A: 1 }))).toBe("fine");
  expect(merge.pulse(pulse({ A: 2 }))).toBe("resnapshot");
  expect(merge.pulse(pulse({ A: 1, B: 1 }))).toBe("resnapshot");
});

test("NATS being ahead of a pulse is no gap", () => {
  merge.snapshot(snapshot([state("A", 1)]));
  merge.pulse(pulse({ A: 1 }));
  merge.event(event("A", 2));
  expect(merge.pulse(pulse({ A: 1 }))).toBe("fine");
});

test("an aggregate that the snapshot does not list has its base line from the first pulse", () => {
  merge.snapshot(snapshot([]));
  merge.event(event("A", 8));
  expect(told).toEqual(["snapshot "]);
  expect(merge.pulse(pulse({ A: 7 }))).toBe("fine");
  expect(told).toEqual(["snapshot ", "A:8"]);
});

test("a new aggregate begins with version 1", () => {
  merge.snapshot(snapshot([]));
  merge.pulse(pulse({}));
  expect(merge.event(event("new", 1))).toBe("fine");
  expect(merge.event(event("other", 2))).toBe("gap");
  expect(told).toEqual(["snapshot ", "new:1"]);
});

test("the owner's next life goes on where its journal ended", () => {
  merge.snapshot(snapshot([state("A", 5)]));
  merge.pulse(pulse({ A: 5 }));
  merge.event(event("A", 6, 2));
  expect(merge.pulse(pulse({ A: 6 }, 2))).toBe("resnapshot");
  merge.snapshot(snapshot([state("A", 6)], 2));
  merge.pulse(pulse({ A: 6 }, 2));
  merge.event(event("A", 7, 2));
  merge.event(event("A", 9, 1));
  expect(told).toEqual(["snapshot A:5", "A:6@2", "snapshot A:6", "A:7@2"]);
});

test("an owner that lost its journal begins again at 1, and is believed", () => {
  merge.snapshot(snapshot([state("A", 5)]));
  merge.pulse(pulse({ A: 5 }));
  expect(merge.event(event("A", 1, 2))).toBe("gap");
  merge.snapshot(snapshot([state("A", 1)], 2));
  merge.pulse(pulse({ A: 1 }, 2));
  merge.event(event("A", 2, 2));
  expect(told).toEqual(["snapshot A:5", "snapshot A:1", "A:2@2"]);
});

test("a snapshot that is older than what NATS brought is not handed out", () => {
  merge.snapshot(snapshot([state("A", 1)]));
  merge.pulse(pulse({ A: 1 }));
  merge.event(event("A", 2));
  expect(merge.snapshot(snapshot([state("A", 1)]))).toBe("resnapshot");
  expect(merge.snapshot(snapshot([state("A", 2)]))).toBe("fine");
  expect(told).toEqual(["snapshot A:1", "A:2", "snapshot A:2"]);
});

test("events of others, and of kinds not asked for, are not handed out", () => {
  merge.snapshot(snapshot([{ kind: "tracker", id: "T", version: 1, state: undefined }]));
  merge.pulse(pulse({}));
  merge.event(event("health", 1, 1, "health"));
  merge.event({ ...event("T", 1), aggregate: { kind: "tracker", id: "T" } });
  expect(told).toEqual(["snapshot "]);
});

test("held events are bounded", () => {
  merge.snapshot(snapshot([]));
  merge.pulse(pulse({}));
  for (let i = 0; i < 5_000; i++) merge.event(event(`A${i}`, 2));
  expect(merge.holding).toBe(true);
  merge.snapshot(snapshot(Array.from({ length: 5_000 }, (_, i) => state(`A${i}`, 2))));
  merge.pulse(pulse({}));
  expect(merge.holding).toBe(false);
});

test("whatever two lossy, reordering paths do, versions only rise, and the end is the owner's", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("append" as const), id: fc.constantFrom("A", "B") }),
    fc.record({ do: fc.constant("restart" as const) }),
    fc.record({ do: fc.constant("deliver" as const), pick: fc.nat(30) }),
    fc.record({ do: fc.constant("pulse" as const) }),
    fc.record({ do: fc.constant("snapshot" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      // Versions that the reader was handed, as (epoch, version): by event or as the state of a snapshot.
      const handed = new Map<string, [number, number]>();
      const rising = (id: string, epoch: number, version: number, orEqual: boolean): void => {
        const [lastEpoch, lastVersion] = handed.get(id) ?? [0, 0];
        const order = epoch - lastEpoch || version - lastVersion;
        expect(orEqual ? order >= 0 : order > 0, `${id} ${lastEpoch}.${lastVersion} -> ${epoch}.${version}`).toBe(true);
        handed.set(id, [epoch, version]);
      };
      let epoch = 1;
      let snapshotEpoch = 1;
      const reader = new FollowMerge("election", ["vrrp"], {
        snapshot: (states) => {
          for (const { id, version } of states) rising(id, snapshotEpoch, version, true);
        },
        event: (given) => rising(given.aggregate.id, given.epoch, given.version, false),
      });
      const versions: Record<string, number> = { A: 0, B: 0 };
      const wires: EventEnvelope[] = [];
      const current = () => snapshot([state("A", versions.A ?? 0), state("B", versions.B ?? 0)], epoch);
      const resync = () => {
        snapshotEpoch = epoch;
        reader.snapshot(current());
        reader.pulse(pulse(versions, epoch));
      };
      for (const next of steps) {
        if (next.do === "append") {
          versions[next.id] = (versions[next.id] ?? 0) + 1;
          wires.push(event(next.id, versions[next.id] ?? 0, epoch));
        } else if (next.do === "restart") epoch++;
        else if (next.do === "deliver") {
          const given = wires[next.pick % Math.max(1, wires.length)];
          if (given !== undefined) reader.event(given);
        } else if (next.do === "pulse") {
          if (reader.pulse(pulse(versions, epoch)) === "resnapshot") resync();
        } else resync();
      }
      resync();
      expect(handed.get("A")?.[1] ?? 0).toBe(versions.A);
      expect(handed.get("B")?.[1] ?? 0).toBe(versions.B);
      expect(reader.holding).toBe(false);
    }),
    { numRuns: 500 },
  );
});
