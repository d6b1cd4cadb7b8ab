import { decodeMessage, subjectOf } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import type { StoredEvent } from "@baton/event-log";
import fc from "fast-check";
import { expect, test } from "vitest";
import { becameBackup, becameMaster } from "./testing/fleet-events.ts";
import { Forwarder, type ForwarderHub } from "./uplink-forwarder.ts";

type Weather = "fine" | "lost-before" | "lost-after";

/** A hub that stores, and whose answers get lost. It does not de-duplicate: that is what is tested. */
class FakeHub implements ForwarderHub {
  readonly stored: EventEnvelope[] = [];
  lookups = 0;
  readonly #weather: Weather[];

  constructor(weather: Weather[]) {
    this.#weather = weather;
  }

  async publish(message: Parameters<ForwarderHub["publish"]>[0]): Promise<void> {
    const weather = this.#weather.shift() ?? "fine";
    if (weather === "lost-before") throw new Error("away");
    const envelope = decodeMessage(message.subject, (name) => message.headers.get(name) ?? "", message.body);
    if (envelope === undefined) throw new Error("not an event");
    this.stored.push(envelope);
    if (weather === "lost-after") throw new Error("no answer");
  }

  async lastOn(subject: string): Promise<EventEnvelope | undefined> {
    this.lookups++;
    return this.stored.findLast((each) => subjectOf(each.node, each.aggregate, each.event.type) === subject);
  }
}

const history = (count: number): StoredEvent[] =>
  Array.from({ length: count }, (_, index) => {
    const make = index % 3 === 0 ? becameBackup : becameMaster;
    return { sequence: index + 1, envelope: make("r1", { at: 1_000 + index, version: index + 1 }) };
  });
const ids = (events: readonly { id: string }[]): string[] => events.map(({ id }) => id);

test("events arrive in order, and a healthy hub is looked up once", async () => {
  const hub = new FakeHub([]);
  const forwarder = new Forwarder(hub);
  const events = history(10);
  await forwarder.forward(events.slice(0, 4));
  await forwarder.forward(events.slice(4));
  expect(ids(hub.stored)).toEqual(ids(events.map(({ envelope }) => envelope)));
  expect(hub.lookups).toBe(1);
  expect(forwarder.forwarded).toBe(10);
});

test("an uplink that lost its position sends nothing twice", async () => {
  const hub = new FakeHub([]);
  const events = history(12);
  await new Forwarder(hub).forward(events.slice(0, 9));
  await new Forwarder(hub).forward(events);
  expect(ids(hub.stored)).toEqual(ids(events.map(({ envelope }) => envelope)));
});

test("whatever is lost on the way, the hub holds each event once and in order", async () => {
  const weather = fc.constantFrom<Weather[]>("fine", "fine", "lost-before", "lost-after");
  const run = fc.record({ weather: fc.array(weather, { maxLength: 60 }), batch: fc.integer({ min: 1, max: 7 }) });
  await fc.assert(
    fc.asyncProperty(run, async ({ weather, batch }) => {
      const hub = new FakeHub([...weather]);
      const forwarder = new Forwarder(hub);
      const events = history(20);
      for (let from = 0; from < events.length; from += batch) {
        const slice = events.slice(from, from + batch);
        // The durable consumer gives the same batch until it was taken.
        for (;;) {
          try {
            await forwarder.forward(slice);
            break;
          } catch {
            // The next attempt.
          }
        }
      }
      expect(ids(hub.stored)).toEqual(ids(events.map(({ envelope }) => envelope)));
    }),
  );
});
