import type { EventEnvelope } from "@baton/domain";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type BackstageThread, linkLimits, openBackstageLink } from "./backstage-link.ts";
import type { FromBackstage, ToBackstage } from "./backstage-messages.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class FakeThread implements BackstageThread {
  readonly got: ToBackstage[] = [];
  readonly #listeners = new Map<string, (argument: never) => void>();
  terminated = false;

  postMessage(message: ToBackstage): void {
    this.got.push(message);
  }
  on(event: string, listener: (argument: never) => void): this {
    this.#listeners.set(event, listener);
    return this;
  }
  terminate(): void {
    this.terminated = true;
  }
  take(sequence: number): void {
    const nothing = { malformed: 0, spansDropped: 0, linesDropped: 0 };
    const standing = { connected: true, backlog: 0, oldestAt: undefined, ...nothing };
    this.say({ type: "taken", sequence, standing });
  }
  say(message: FromBackstage): void {
    this.#listeners.get("message")?.(message as never);
  }
  die(reason?: Error): void {
    if (reason !== undefined) this.#listeners.get("error")?.(reason as never);
    this.#listeners.get("exit")?.(1 as never);
  }
  versions(): number[] {
    return this.got.flatMap((message) =>
      message.type === "batch" ? message.events.map((event) => event.version) : [],
    );
  }
  batches(): number[] {
    return this.got.flatMap((message) => (message.type === "batch" ? [message.sequence] : []));
  }
}

function open(options: { spawn?: () => BackstageThread } = {}) {
  const threads: FakeThread[] = [];
  const lost: string[] = [];
  const deaths: string[] = [];
  const spawn = () => {
    const thread = new FakeThread();
    threads.push(thread);
    return thread;
  };
  const link = openBackstageLink({
    spawn: options.spawn ?? spawn,
    onLost: (count, reason) => lost.push(`${count} ${reason}`),
    onDeath: (message) => deaths.push(message),
  });
  const thread = (index = 0): FakeThread => {
    const found = threads.at(index);
    if (found === undefined) throw new Error(`no thread ${index}`);
    return found;
  };
  return { link, thread, threads, lost, deaths };
}

const event = (version: number): EventEnvelope => ({ version, at: version }) as EventEnvelope;
const turn = () => Promise.resolve();

test("what one step appends goes over in one message, after the step", async () => {
  const { link, thread } = open();
  link.append(event(1));
  link.append(event(2));
  link.line("{}");
  expect(thread().got).toEqual([]);
  await turn();
  expect(thread().got).toMatchObject([{ type: "batch", sequence: 1, lines: ["{}"] }]);
  expect(thread().versions()).toEqual([1, 2]);
});

test("a thread that dies is replaced, and the next one gets what was not taken, in order", async () => {
  const { link, thread, threads, deaths } = open();
  for (const version of [1, 2, 3]) {
    link.append(event(version));
    await turn();
  }
  thread().take(1);
  const subscription = link.subscribe("baton.r1.vrrp.>", () => undefined);
  link.subscribe("baton.r1.address.>", () => undefined);
  subscription.close();
  link.telemetry({ endpoint: "http://c", protocol: "grpc" });
  thread().die(new Error("out of memory"));
  expect(deaths).toEqual(["out of memory"]);
  link.append(event(4));
  await turn();
  vi.advanceTimersByTime(0);
  expect(threads).toHaveLength(2);
  expect(thread(1).versions()).toEqual([2, 3, 4]);
  expect(thread(1).got.filter((message) => message.type !== "batch")).toMatchObject([
    { type: "telemetry", otlp: { endpoint: "http://c" } },
    { type: "subscribe", filter: "baton.r1.address.>" },
  ]);
});

test("a thread that cannot be started is tried again, ever more seldom, and the service goes on", async () => {
  let attempts = 0;
  const { link, deaths, lost } = open({
    spawn: () => {
      attempts++;
      throw new Error("no threads left");
    },
  });
  link.append(event(1));
  await turn();
  vi.advanceTimersByTime(30_000);
  expect(attempts).toBeGreaterThan(3);
  expect(attempts).toBeLessThan(12);
  expect(deaths[0]).toBe("no threads left");
  expect(lost).toEqual([]);
  expect(link.standing()).toMatchObject({ connected: false, backlog: 1, oldestAt: 1 });
  expect(await link.flush(10)).toBe(false);
});

test("a thread that hangs costs bounded memory: main holds back, then the oldest events go, and that is said", async () => {
  const { link, thread, lost } = open();
  for (let i = 0; i < 50_000; i++) {
    link.append(event(i));
    link.line("{}");
    if (i % 10 === 0) await turn();
  }
  expect(thread().batches().length).toBe(linkLimits.batchesMax);
  const gone = lost.reduce((sum, text) => sum + Number.parseInt(text, 10), 0);
  expect(gone).toBeGreaterThan(30_000);
  expect(link.standing().backlog).toBe(50_000 - gone);
  expect(link.standing().linesDropped).toBeGreaterThan(40_000);
  // It comes back: everything that is still there goes over, newest last.
  thread().take(linkLimits.batchesMax);
  const versions = thread().versions();
  expect(versions.at(-1)).toBe(49_999);
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
});

test("messages of the bus reach their handlers until these are closed", () => {
  const { link, thread } = open();
  const heard: number[] = [];
  const subscription = link.subscribe("x", ({ version }) => heard.push(version));
  const [subscribed] = thread().got;
  const id = subscribed?.type === "subscribe" ? subscribed.id : -1;
  thread().say({ type: "event", id, envelope: event(7) });
  subscription.close();
  thread().say({ type: "event", id, envelope: event(8) });
  expect(heard).toEqual([7]);
  expect(thread().got.at(-1)).toEqual({ type: "unsubscribe", id });
});

test("flush and close end in time although the thread hangs", async () => {
  const { link, thread } = open();
  const flushed = link.flush(1_000);
  vi.advanceTimersByTime(1_200);
  expect(await flushed).toBe(false);
  const closed = link.close(500);
  vi.advanceTimersByTime(500);
  await closed;
  expect(thread().terminated).toBe(true);
});

test("a thread that dies while it is closed is not replaced", async () => {
  const { link, thread, threads, deaths } = open();
  const closed = link.close(500);
  thread().die();
  await closed;
  vi.advanceTimersByTime(10_000);
  expect(threads).toHaveLength(1);
  expect(deaths).toEqual([]);
});
