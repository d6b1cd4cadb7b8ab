// What every Bus must do. Run against NATS (nats-bus.int.spec.ts) and against the twin in memory.
import { encodeMessage, subjectFilter } from "@baton/contracts/codec";
import type { EventEnvelope } from "@baton/domain";
import { expect, test } from "vitest";
import type { Bus, StoredEvent } from "../bus.ts";
import { eventSource } from "./events.ts";
import { until } from "./until.ts";

export interface BusUnderTest {
  readonly bus: Bus;
  /** The subject space is the test's own. */
  readonly node: string;
  /** Publishes bytes that are no event. */
  publishNonsense(subject: string): Promise<void>;
  outage(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

const versions = (events: readonly (StoredEvent | EventEnvelope)[]): number[] =>
  events.map((event) => ("envelope" in event ? event.envelope.version : event.version));

async function collect(events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export function busContract(name: string, make: () => Promise<BusUnderTest>): void {
  const on = (what: string, body: (under: BusUnderTest) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const under = await make();
      try {
        await until("connected", () => under.bus.connected);
        await body(under);
      } finally {
        await under.close();
      }
    });

  on("an event is stored once, however often it is published", async ({ bus, node }) => {
    const event = eventSource({ node })("VI_1");
    const first = await bus.publish(encodeMessage(event));
    const second = await bus.publish(encodeMessage(event));
    expect(first.duplicate).toBe(false);
    expect(second).toEqual({ sequence: first.sequence, duplicate: true });
    expect(await collect(bus.history({ filter: subjectFilter({ node }) }))).toHaveLength(1);
  });

  on("the last event of an aggregate is found whatever its type", async ({ bus, node }) => {
    const make = eventSource({ node });
    for (const id of ["VI_1", "VI_1", "VI 2.x"]) await bus.publish(encodeMessage(make(id)));
    const last = async (id: string) => await bus.last(subjectFilter({ node, kind: "vrrp", id }));
    expect((await last("VI_1"))?.envelope.version).toBe(2);
    expect((await last("VI 2.x"))?.envelope.aggregate.id).toBe("VI 2.x");
    expect(await last("VI_3")).toBeUndefined();
  });

  on("what is stored is what was published", async ({ bus, node }) => {
    const event = { ...eventSource({ node })('Wörld "1"\n'), traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
    await bus.publish(encodeMessage(event));
    const [stored] = await collect(bus.history({ filter: subjectFilter({ node }) }));
    expect(stored?.envelope).toEqual(event);
    expect((await bus.last(subjectFilter({ node, kind: "vrrp" })))?.envelope).toEqual(event);
  });

  on("subscribers get live events of their filter, nonsense is counted and dropped", async (under) => {
    const { bus, node } = under;
    const make = eventSource({ node });
    const got: EventEnvelope[] = [];
    await bus.publish(encodeMessage(make("VI_1")));
    const subscription = bus.subscribe(subjectFilter({ node, kind: "vrrp", id: "VI_1" }), (event) => got.push(event));
    await under.publishNonsense(`baton.${node}.vrrp.VI_1.priority-changed`);
    await bus.publish(encodeMessage(make("VI_2")));
    await bus.publish(encodeMessage(make("VI_1")));
    await until("the live event", () => got.length > 0);
    expect(versions(got)).toEqual([2]);
    expect(bus.stats.malformed).toBe(1);
    subscription.close();
    await bus.publish(encodeMessage(make("VI_1")));
    await bus.last(subjectFilter({ node })); // a round trip: whatever was to come has come
    expect(got).toHaveLength(1);
  });

  on("history: filter, the last n, since an id", async ({ bus, node }) => {
    const make = eventSource({ node });
    const events = Array.from({ length: 200 }, (_, i) => make(i % 2 === 0 ? "even" : "odd"));
    for (const event of events) await bus.publish(encodeMessage(event));
    const filter = subjectFilter({ node, id: "odd" });
    expect(versions(await collect(bus.history({ filter })))).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(versions(await collect(bus.history({ filter, limit: 3 })))).toEqual([98, 99, 100]);
    expect(versions(await collect(bus.history({ filter, limit: 1_000 })))).toHaveLength(100);
    expect(versions(await collect(bus.history({ filter, limit: 0 })))).toEqual([]);
    const sinceId = events[195]?.id;
    expect(versions(await collect(bus.history({ filter, sinceId })))).toEqual([99, 100]);
    expect(versions(await collect(bus.history({ filter, sinceId, limit: 1 })))).toEqual([100]);
    expect(await collect(bus.history({ filter: subjectFilter({ node, id: "none" }) }))).toEqual([]);
  });

  on("`since` goes by the place of the event, not by the order of ids", async ({ bus, node }) => {
    const make = eventSource({ node });
    const [first, second, third, fourth] = [make("VI_1"), make("VI_1"), make("VI_2"), make("VI_2")];
    // Two processes: the one that made its event earlier was later with it.
    for (const event of [first, third, second, fourth]) await bus.publish(encodeMessage(event));
    const since = async (sinceId: string) =>
      (await collect(bus.history({ filter: subjectFilter({ node }), sinceId }))).map(({ envelope }) => envelope.id);
    expect(await since(third.id)).toEqual([second.id, fourth.id]);
    expect(await since(fourth.id)).toEqual([]);
    expect(await since("00000000-0000-7000-8000-000000000000")).toHaveLength(4);
    expect(await since("ffffffff-ffff-7fff-bfff-ffffffffffff")).toEqual([]);
    expect(await since("no id at all")).toEqual([]);
  });

  on("following goes on across an outage, in order and once", async (under) => {
    const { bus, node } = under;
    const make = eventSource({ node });
    const stop = new AbortController();
    const got: StoredEvent[] = [];
    await bus.publish(encodeMessage(make("VI_1")));
    const following = (async () => {
      const query = { filter: subjectFilter({ node }), follow: true, signal: stop.signal };
      for await (const event of bus.history(query)) got.push(event);
    })();
    await until("the stored event", () => got.length === 1);
    await bus.publish(encodeMessage(make("VI_1")));
    await until("the live event", () => got.length === 2);
    await under.outage();
    await until("disconnected", () => !bus.connected);
    await under.back();
    await until("connected again", () => bus.connected);
    await bus.publish(encodeMessage(make("VI_1")));
    await until("the event after the outage", () => got.length === 3);
    expect(versions(got)).toEqual([1, 2, 3]);
    stop.abort();
    await following;
  });

  on("a durable reader goes on where it was, and gets again what it did not handle", async ({ bus, node }) => {
    const make = eventSource({ node });
    const got: number[] = [];
    let failures = 1;
    const handle = async (batch: readonly StoredEvent[]): Promise<void> => {
      if (got.length === 2 && failures-- > 0) throw new Error("not now");
      got.push(...versions(batch));
    };
    // A durable consumer may only be named after its user.
    const options = { name: "uplink", filter: subjectFilter({ node }), start: "first" as const, handle };
    for (let i = 0; i < 2; i++) await bus.publish(encodeMessage(make("VI_1")));
    const first = bus.durable(options);
    await until("both events", () => got.length === 2);
    for (let i = 0; i < 3; i++) await bus.publish(encodeMessage(make("VI_1")));
    await until("the failed batch again", () => got.length === 5);
    await first.close();
    await bus.publish(encodeMessage(make("VI_1")));
    const second = bus.durable(options);
    await until("the event in between", () => got.length >= 6);
    await second.close();
    expect(got).toEqual([1, 2, 3, 4, 5, 6]);
  });

  on("publishing while away is refused at once", async (under) => {
    const { bus, node } = under;
    await under.outage();
    await until("disconnected", () => !bus.connected);
    await expect(bus.publish(encodeMessage(eventSource({ node })("VI_1")))).rejects.toMatchObject({ refusal: "away" });
    await expect(bus.last(subjectFilter({ node }))).rejects.toMatchObject({ refusal: "away" });
  });
}
