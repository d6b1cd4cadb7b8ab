// What every Host does: run against the real one (host.int.spec.ts) and the one in memory (test-host.unit.spec.ts).
import type { AggregateState } from "@baton/contracts";
import type { BatonEvent, EventEnvelope } from "@baton/domain";
import { until } from "@baton/event-log/testing";
import { parseTraceparent } from "@baton/telemetry";
import { expect, test } from "vitest";
import type { Host } from "../api.ts";
import type { ConfigSnapshot } from "../snapshot.ts";
import { exampleSnapshot } from "./example-snapshot.ts";

export interface HostsUnderTest {
  /** Two services of one node. */
  readonly election: Host;
  readonly dataplane: Host;
  applyConfig(snapshot: ConfigSnapshot): Promise<void>;
  close(): Promise<void>;
}

const changed = (instance: string, to: number): BatonEvent => ({
  type: "priority-changed",
  data: { instance, vrid: 51, from: 100, to, base: 100, tracker: "", reason: "test" },
});

const vrrp = (id: string) => ({ kind: "vrrp", id }) as const;

function instanceState(id: string, priority: number): AggregateState {
  const texts = { state: "backup", interface: "eth0", master: "", reason: "", primaryAddress: "" };
  const ids = { lastEventId: "", correlationId: "", traceparent: "" };
  const numbers = { vrid: 51, basePriority: 100, effectivePriority: priority, term: 0, masterPriority: 0, since: 0 };
  const standing = {
    leaseConfirmed: false,
    degraded: false,
    preemptHeldUntil: 0,
    staleTrackers: [],
    masterAdvertMicros: 0,
  };
  const value = { name: id, ...texts, ...ids, ...numbers, addresses: [], faultCauses: [], ...standing };
  return { kind: "vrrp", id, version: 0, state: { $case: "instance", value } };
}

export function hostContract(name: string, make: () => Promise<HostsUnderTest>): void {
  const on = (what: string, body: (under: HostsUnderTest) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const under = await make();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });

  on("an appended event is stamped: ids, versions, time, cause", async ({ election }) => {
    const first = election.events.append(vrrp("A"), changed("A", 99));
    const cause = {
      id: first.id,
      correlationId: first.correlationId,
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    };
    const second = election.events.append(vrrp("A"), changed("A", 98), cause);
    const other = election.events.append(
      vrrp("B"),
      changed("B", 98),
      cause,
      `00-${"a".repeat(32)}-${"c".repeat(16)}-01`,
    );
    expect([first.version, second.version, other.version]).toEqual([1, 2, 1]);
    expect(election.events.version(vrrp("A"))).toBe(2);
    expect(election.events.version(vrrp("C"))).toBe(0);
    expect(first.id < second.id && second.id < other.id).toBe(true);
    expect(first.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(first).toMatchObject({ correlationId: first.id, causationId: first.id, service: "election" });
    expect(second).toMatchObject({ correlationId: first.id, causationId: first.id, traceparent: cause.traceparent });
    expect(other.traceparent).toContain("c".repeat(16));
    expect(first.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(second.at).toBeGreaterThanOrEqual(first.at);
    expect(second.epoch).toBe(first.epoch);
  });

  on("a follower gets the snapshot first, then each event once", async ({ election, dataplane }) => {
    const priorities = new Map([["A", 100]]);
    const append = (priority: number) => {
      priorities.set("A", priority);
      election.events.append(vrrp("A"), changed("A", priority));
    };
    append(99);
    append(98);
    await election.serveWatch({ states: () => [...priorities].map(([id, priority]) => instanceState(id, priority)) });
    const snapshots: (readonly AggregateState[])[] = [];
    const events: EventEnvelope[] = [];
    const following = dataplane.events.follow("election", ["vrrp"], {
      snapshot: (states) => snapshots.push(states),
      event: (envelope) => events.push(envelope),
    });
    await until("the snapshot", () => snapshots.length > 0);
    expect(events).toEqual([]);
    expect(snapshots[0]).toEqual([{ ...instanceState("A", 98), version: 2 }]);
    append(97);
    append(96);
    await until("both events", () => events.length >= 2);
    expect(events.map((envelope) => envelope.version)).toEqual([3, 4]);
    expect(events[1]?.event).toEqual(changed("A", 96));
    following.close();
    append(95);
    // Another follower hears of it; the closed one does not.
    const later: number[] = [];
    dataplane.events.follow("election", ["vrrp"], {
      snapshot: (states) => later.push(...states.map((state) => state.version)),
      event: () => undefined,
    });
    await until("the second follower's snapshot", () => later.length > 0);
    expect(later).toEqual([5]);
    expect(events).toHaveLength(2);
  });

  on("subscribers hear events of their filter, their own service's too", async ({ election, dataplane }) => {
    const heard: string[] = [];
    dataplane.events.subscribe({ kind: "vrrp", id: "A" }, (envelope) => heard.push(`dataplane ${envelope.version}`));
    election.events.subscribe({ id: "A" }, (envelope) => heard.push(`election ${envelope.version}`));
    await until("the bus", () => election.bus().connected && dataplane.bus().connected);
    // Subscriptions travel to the server; until they are there events pass unheard.
    await until("the first event", () => {
      election.events.append(vrrp("B"), changed("B", 1));
      election.events.append(vrrp("A"), changed("A", 1));
      return heard.some((each) => each.startsWith("dataplane")) && heard.some((each) => each.startsWith("election"));
    });
    const versions = heard.filter((each) => each.startsWith("dataplane")).map((each) => Number(each.split(" ")[1]));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(versions.length);
  });

  on("a span is a valid trace context, a child of its parent", async ({ election }) => {
    const root = election.tracer.span("script.run");
    const child = election.tracer.span("vrrp.transition", { parent: root.traceparent });
    const [a, b] = [parseTraceparent(root.traceparent), parseTraceparent(child.traceparent)];
    expect(a?.traceId).toBe(b?.traceId);
    expect(a?.spanId).not.toBe(b?.spanId);
    expect(parseTraceparent(election.tracer.span("x", { parent: "nonsense" }).traceparent)).toBeDefined();
    child.end();
    root.end({ error: "exit 1" });
  });

  on("the configuration comes once, then every later generation, never an earlier one", async (under) => {
    const { election } = under;
    const waiting = election.config.current();
    await under.applyConfig(exampleSnapshot(3));
    expect((await waiting).generation).toBe(3);
    expect((await election.config.current()).generation).toBe(3);
    const generations: number[] = [];
    election.config.onChange((snapshot) => generations.push(snapshot.generation));
    await under.applyConfig(exampleSnapshot(4));
    await until("generation 4", () => generations.length === 1);
    await under.applyConfig(exampleSnapshot(2));
    await under.applyConfig(exampleSnapshot(5));
    await until("generation 5", () => generations.length === 2);
    expect(generations).toEqual([4, 5]);
    expect((await election.config.current()).generation).toBe(5);
  });

  on(
    "a stop runs the handlers in order, then closes what is owned, last first; twice is once",
    async ({ election }) => {
      const done: string[] = [];
      election.own({ close: () => done.push("close first") });
      election.own({ close: async () => done.push("close second") });
      election.onStop(async (reason) => {
        await new Promise((resolve) => setImmediate(resolve));
        done.push(`stop ${reason}`);
      });
      election.onStop(async () => void done.push("stop 2"));
      await Promise.all([election.stop("test"), election.stop("again")]);
      expect(done).toEqual(["stop test", "stop 2", "close second", "close first"]);
    },
  );
}
