// What the consumers of a Watch stream are sent, and when: streams played by hand, time by the test.
import { EventEmitter } from "node:events";
import type { Counter, WatchUpdate } from "@baton/contracts";
import { instant } from "@baton/domain";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createWatchServer, type WatchServer, watchLimits } from "./watch-server.ts";
import { createWriter, type VersionedWriter } from "./writer.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface Scene {
  readonly server: WatchServer;
  readonly writer: VersionedWriter;
  watch(counters: boolean, kinds?: string[]): WatchUpdate["update"][];
}

function scene(counters: readonly Counter[] = [{ name: "a", labels: {}, value: 1 }], isDecided = false): Scene {
  const handed: { server?: WatchServer } = {};
  const states = (["vrrp", "group"] as const).map((kind) => ({ kind, id: "S", version: 0, state: undefined }));
  let ids = 0;
  const writer = createWriter({
    service: "election",
    node: "n1",
    epoch: 5,
    versions: new Map([["vrrp/old", 9]]),
    clock: { now: () => instant(1), wall: () => 1 },
    uuid: () => `id-${++ids}`,
    hand: (envelope) => handed.server?.publish(envelope),
  });
  const server = createWatchServer({
    service: "election",
    writer,
    source: { states: () => states, counters: () => [...counters], isDecidedByCounters: () => isDecided },
    hostCounters: () => [{ name: "b", labels: {}, value: 2 }],
  });
  handed.server = server;
  const watch = (asksCounters: boolean, kinds: string[] = []): WatchUpdate["update"][] => {
    const updates: WatchUpdate["update"][] = [];
    const call = Object.assign(new EventEmitter(), {
      request: { consumer: "test", kinds, counters: asksCounters },
      write: ({ update }: WatchUpdate) => updates.push(update) > 0,
      end: () => undefined,
    });
    const accept = server.grpc.implementation.watch;
    if (typeof accept !== "function") throw new Error("no watch");
    Reflect.apply(accept, undefined, [call]);
    return updates;
  };
  return { server, writer, watch };
}

const tell = (writer: VersionedWriter, id: string) =>
  writer.append(
    { kind: "vrrp", id },
    { type: "priority-changed", data: { instance: id, vrid: 1, from: 1, to: 2, base: 1, tracker: "", reason: "" } },
  );

const pulses = (updates: readonly WatchUpdate["update"][]) =>
  updates.flatMap((update) => (update?.$case === "pulse" ? [update.value] : []));

/** The events of each update that has any. */
const told = (updates: readonly WatchUpdate["update"][]) =>
  updates.flatMap((update) => (update?.$case === "events" ? [update.value.envelopes] : []));

test("what happens in one turn is told together, in its order", () => {
  const { server, writer, watch } = scene();
  const updates = watch(false);
  const count = 2 * watchLimits.eventsPerUpdate + 1;
  for (let index = 0; index < count; index++) tell(writer, `I${index}`);
  vi.advanceTimersByTime(0);
  const { eventsPerUpdate: most } = watchLimits;
  expect(told(updates).map(({ length }) => length)).toEqual([most, most, 1]);
  expect(told(updates).flatMap((some) => some.map(({ aggregateId }) => aggregateId))).toEqual(
    Array.from({ length: count }, (_, index) => `I${index}`),
  );
  server.close();
});

test("a stream begins with the snapshot, every version and every counter", () => {
  const { server, watch } = scene();
  const updates = watch(false);
  expect(updates.map((update) => update?.$case)).toEqual(["snapshot", "pulse"]);
  expect(pulses(updates)).toMatchObject([
    { epoch: 5, versions: [{ kind: "vrrp", id: "old", version: 9 }], counters: [{ name: "a" }, { name: "b" }] },
  ]);
  server.close();
});

test("each second tells which versions have changed, once", () => {
  const { server, writer, watch } = scene();
  const updates = watch(false);
  tell(writer, "I1");
  tell(writer, "I2");
  tell(writer, "I1");
  vi.advanceTimersByTime(watchLimits.pulseEveryMs);
  expect(told(updates).flat()).toHaveLength(3);
  expect(pulses(updates)[1]?.versions).toEqual([
    { kind: "vrrp", id: "I1", version: 2 },
    { kind: "vrrp", id: "I2", version: 1 },
  ]);
  tell(writer, "I2");
  vi.advanceTimersByTime(watchLimits.pulseEveryMs);
  expect(pulses(updates)[2]?.versions).toEqual([{ kind: "vrrp", id: "I2", version: 2 }]);
  server.close();
});

test("with nothing to say every third second has a pulse, with the counters for those who ask", () => {
  const { server, watch } = scene();
  const [quiet, counting] = [watch(false), watch(true)];
  vi.advanceTimersByTime(2 * watchLimits.quietEveryMs);
  expect(pulses(quiet).slice(1)).toEqual(Array.from({ length: 2 }, () => ({ epoch: 5, versions: [], counters: [] })));
  expect(pulses(counting).slice(1)).toHaveLength(2);
  expect(pulses(counting).at(-1)?.counters).toMatchObject([{ name: "a" }, { name: "b" }]);
  server.close();
});

test("counters that somebody decides by are told each second, to those who ask", () => {
  const { server, watch } = scene(undefined, true);
  const [quiet, counting] = [watch(false), watch(true)];
  vi.advanceTimersByTime(2 * watchLimits.quietEveryMs);
  expect(pulses(quiet).slice(1)).toHaveLength(2);
  expect(pulses(counting).slice(1)).toHaveLength(6);
  server.close();
});

test("thousands of counters are told half as often; what has changed is told as soon as ever", () => {
  const { countersPerPulse, quietEveryMs, pulseEveryMs } = watchLimits;
  for (const [some, isDecided, told] of [
    [countersPerPulse - 1, false, 4],
    [countersPerPulse, false, 2],
    [countersPerPulse, true, 12],
  ] as const) {
    const counters = Array.from({ length: some }, () => ({ name: "a", labels: {}, value: 1 }));
    const { server, writer, watch } = scene(counters, isDecided);
    const updates = watch(true);
    vi.advanceTimersByTime(4 * quietEveryMs);
    const counting = pulses(updates).filter((pulse) => pulse.counters.length === some + 1);
    // The first of all comes with the stream.
    expect(counting).toHaveLength(1 + told);
    tell(writer, "I1");
    vi.advanceTimersByTime(pulseEveryMs);
    expect(pulses(updates).at(-1)?.versions).toEqual([{ kind: "vrrp", id: "I1", version: 1 }]);
    server.close();
  }
});

test("whoever asks for some kinds is told of nothing else, and of them in their order", () => {
  const { server, writer, watch } = scene();
  const [groups, same, others, all] = [
    watch(false, ["group"]),
    watch(true, ["group"]),
    watch(false, ["bfd"]),
    watch(false),
  ];
  const kindsOf = (updates: readonly WatchUpdate["update"][]) =>
    updates.flatMap((update) => (update?.$case === "snapshot" ? update.value.aggregates.map(({ kind }) => kind) : []));
  expect([groups, others, all].map(kindsOf)).toEqual([["group"], [], ["vrrp", "group"]]);
  expect(pulses(groups)[0]?.versions).toEqual([]);
  const data = { group: "G", state: "master", term: 1, members: [], member: "", reason: "" };
  tell(writer, "I1");
  for (let index = 0; index < 2; index++)
    writer.append({ kind: "group", id: "G" }, { type: "sync-group-changed", data });
  vi.advanceTimersByTime(watchLimits.pulseEveryMs);
  const versions = (updates: readonly WatchUpdate["update"][]) =>
    told(updates)
      .flat()
      .map(({ version }) => version);
  expect([groups, same, others, all].map(versions)).toEqual([[1, 2], [1, 2], [], [1, 1, 2]]);
  expect(pulses(groups)[1]?.versions).toEqual([{ kind: "group", id: "G", version: 2 }]);
  expect(pulses(all)[1]?.versions).toHaveLength(2);
  // Nothing has changed for it: the next that it hears of us is the quiet pulse.
  expect(pulses(others)).toHaveLength(1);
  vi.advanceTimersByTime(watchLimits.quietEveryMs);
  expect(pulses(others)).toHaveLength(2);
  server.close();
});
