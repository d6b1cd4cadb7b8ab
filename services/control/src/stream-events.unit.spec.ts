import type { EventEnvelope } from "@baton/domain";
import { expect, test } from "vitest";
import { EventFeed } from "./event-feed.ts";
import { type EventQuery, readQuery, selectStored } from "./event-query.ts";
import { ringMax } from "./event-ring.ts";
import { streamEvents } from "./stream-events.ts";

const idOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const event = (n: number, script = "chk"): EventEnvelope => ({
  id: idOf(n),
  time: "2026-01-01T00:00:00Z",
  at: n,
  node: "r1",
  service: "health",
  aggregate: { kind: "tracker", id: script },
  epoch: 1,
  version: n,
  correlationId: "c",
  causationId: "c",
  event: { type: "script-succeeded", data: { script, durationMs: 1, successes: n } },
});
const request = { follow: false, limit: 0, sinceId: "", type: "", aggregateKind: "", aggregateId: "" };
const query = (more: Partial<typeof request> = {}): EventQuery => {
  const read = readQuery({ ...request, ...more });
  if ("error" in read) throw new Error(read.error);
  return read;
};
const stored = (events: readonly EventEnvelope[]) =>
  async function* () {
    yield* events;
  };
async function* away(): AsyncGenerator<EventEnvelope> {
  yield* [];
  throw new Error("the bus is away");
}
const numbers = (events: readonly EventEnvelope[]): number[] => events.map(({ at }) => at);

async function take(events: AsyncGenerator<EventEnvelope>, count: number): Promise<EventEnvelope[]> {
  const taken: EventEnvelope[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

test("stored events come from the stream, and the answer ends", async () => {
  const feed = new EventFeed();
  feed.add(event(9));
  const answer = streamEvents({ feed, history: stored([event(1), event(2)]) }, query(), new AbortController().signal);
  expect(numbers(await take(answer, 10))).toEqual([1, 2]);
});

test("while the bus is away they come from memory, filtered and limited", async () => {
  const feed = new EventFeed();
  for (const each of [event(1), event(2, "other"), event(3), event(4)]) feed.add(each);
  const ask = (more: Partial<typeof request>) =>
    take(streamEvents({ feed, history: away }, query(more), new AbortController().signal), 10);
  expect(numbers(await ask({}))).toEqual([1, 2, 3, 4]);
  expect(numbers(await ask({ limit: 2 }))).toEqual([3, 4]);
  expect(numbers(await ask({ aggregateId: "chk", sinceId: idOf(1) }))).toEqual([3, 4]);
  expect(numbers(await ask({ type: "became-master" }))).toEqual([]);
});

test("a bus that goes away in the middle costs nothing that memory knows, and nothing comes twice", async () => {
  const feed = new EventFeed();
  for (const each of [event(2), event(3)]) feed.add(each);
  const half = async function* (): AsyncGenerator<EventEnvelope> {
    yield event(1);
    yield event(2);
    throw new Error("gone");
  };
  const answer = streamEvents({ feed, history: half }, query(), new AbortController().signal);
  expect(numbers(await take(answer, 10))).toEqual([1, 2, 3]);
});

test("followers get what happens while the history is read, once", async () => {
  const feed = new EventFeed();
  const stop = new AbortController();
  const slow = async function* (): AsyncGenerator<EventEnvelope> {
    yield event(1);
    feed.add(event(2));
    feed.add(event(3));
    yield event(2);
  };
  const answer = streamEvents({ feed, history: slow }, query({ follow: true }), stop.signal);
  expect(numbers(await take(answer, 3))).toEqual([1, 2, 3]);
  const next = take(answer, 2);
  feed.add(event(4, "other"));
  feed.add(event(4, "other"));
  feed.add(event(5));
  expect(numbers(await next)).toEqual([4, 5]);
  const end = take(answer, 1);
  stop.abort();
  expect(await end).toEqual([]);
});

test("memory is bounded and drops the oldest", () => {
  const feed = new EventFeed();
  for (let n = 1; n <= ringMax + 5; n++) feed.add(event(n));
  expect(numbers(feed.recent()).slice(0, 2)).toEqual([6, 7]);
  expect(feed.recent()).toHaveLength(ringMax);
});

test("memory is filled with what was before, as far as there is room", () => {
  const feed = new EventFeed();
  const heard: number[] = [];
  feed.listen(({ at }) => heard.push(at));
  for (const each of [event(6), event(7)]) feed.add(each);
  feed.seed([event(4), event(5), event(6)]);
  expect(numbers(feed.recent())).toEqual([4, 5, 6, 7]);
  feed.add(event(5));
  expect(numbers(feed.recent())).toEqual([4, 5, 6, 7]);
  expect(heard).toEqual([6, 7]);
  for (let n = 8; n <= ringMax + 3; n++) feed.add(event(n));
  feed.seed([event(1), event(2), event(3)]);
  expect(numbers(feed.recent()).slice(0, 2)).toEqual([4, 5]);
});

test("since an event that memory has forgotten: those with later ids", () => {
  expect(numbers(selectStored(query({ sinceId: idOf(2) }), [event(1), event(3), event(4)]))).toEqual([3, 4]);
});

test.each([
  [{ type: "nonsense" }, "no event has the type nonsense"],
  [{ aggregateKind: "nonsense" }, "no aggregate has the kind nonsense"],
  [{ sinceId: "yesterday" }, "yesterday is not the id of an event"],
])("%o is refused", (more, message) => {
  expect(readQuery({ ...request, ...more })).toEqual({ error: expect.stringContaining(message) });
});
