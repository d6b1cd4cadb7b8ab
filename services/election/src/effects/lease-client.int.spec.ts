// The lease stream against a real gRPC server on a unix socket, playing dataplane.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ClaimState,
  type LeaseClaim,
  type LeaseFrame,
  type LeaseReply,
  LeaseServiceService,
  LeaseStanding,
  type LeaseStatus,
} from "@baton/contracts";
import { instant } from "@baton/domain";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { heartbeatMillis, type LeaseClient, openLeaseClient } from "./lease-client.ts";

type Stream = ServerDuplexStream<LeaseFrame, LeaseReply>;
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

async function dataplane(path: string) {
  const frames: LeaseFrame[] = [];
  const streams: Stream[] = [];
  const server = new Server();
  server.addService(LeaseServiceService, {
    hold: (stream: Stream) => {
      streams.push(stream);
      stream.on("data", (frame: LeaseFrame) => frames.push(frame));
      stream.on("error", () => {});
      stream.write({ reply: { $case: "hello", value: { records: [] } } });
    },
  });
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  ends.push(() => server.forceShutdown());
  return { frames, streams, stop: () => server.forceShutdown() };
}

const claim = (term: number, more: Partial<LeaseClaim> = {}): LeaseClaim => ({
  lease: "VI_1",
  term,
  state: ClaimState.HOLD,
  lengthMicros: 1_000_000,
  priority: 100,
  lastAdvertAt: 0,
  peerHeardAt: 0,
  authCounter: 0,
  instances: ["VI_1"],
  announce: 0,
  announceReason: "",
  eventId: "",
  correlationId: "",
  traceparent: "",
  successorHeard: false,
  ...more,
});

function client(path: string) {
  const heard: LeaseStatus[] = [];
  const said = { hello: 0, disconnected: 0, sentAt: [] as number[] };
  const opened: LeaseClient = openLeaseClient({
    socketPath: path,
    now: () => instant(Math.round(performance.now() * 1_000)),
    configGeneration: () => 7,
    refresh: (each) => ({ ...each, lastAdvertAt: 42 }),
    onHello: () => void said.hello++,
    onStatus: (status, sentAt) => {
      heard.push(status);
      said.sentAt.push(sentAt);
    },
    onDisconnected: () => void said.disconnected++,
  });
  ends.push(() => opened.close());
  return { opened, heard, said };
}

const socketPath = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "baton-lease-"));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "dataplane.sock");
};
const patience = { timeout: 5_000 };

test("claims of one turn leave in one frame, refreshed, and again with each heartbeat", async () => {
  const path = socketPath();
  const plane = await dataplane(path);
  const { opened, said } = client(path);
  await vi.waitFor(() => expect(said.hello).toBe(1), patience);
  await vi.waitFor(() => expect(plane.frames.length).toBeGreaterThan(0), patience);
  const before = plane.frames.length;
  opened.claim(claim(1));
  opened.claim(claim(1, { eventId: "e1" }));
  await vi.waitFor(() => expect(plane.frames.length).toBeGreaterThan(before), patience);
  const naming = (): LeaseFrame[] => plane.frames.filter(({ claims }) => claims.length > 0);
  await vi.waitFor(() => expect(naming()).toHaveLength(1), patience);
  expect(naming()[0]).toMatchObject({
    configGeneration: 7,
    partial: true,
    claims: [{ term: 1, eventId: "e1", lastAdvertAt: 42 }],
  });
  // L/4 = 250 ms: more come by themselves.
  await vi.waitFor(() => expect(plane.frames.length).toBeGreaterThan(before + 2), patience);
  const sequences = plane.frames.map((frame) => frame.sequence);
  expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  opened.forget("VI_1");
  await vi.waitFor(() => expect(plane.frames.flatMap(({ forgotten }) => forgotten)).toEqual(["VI_1"]), patience);
  // What had nothing new to say was named once.
  expect(naming()).toHaveLength(1);
});

test("adverts of claims that stand are told by their times alone, those of some milliseconds together", async () => {
  const path = socketPath();
  const plane = await dataplane(path);
  const { opened, said } = client(path);
  await vi.waitFor(() => expect(said.hello).toBe(1), patience);
  const leases = Array.from({ length: 100 }, (_, index) => `L${index}`);
  for (const lease of leases) opened.claim(claim(1, { lease, instances: [lease] }));
  const named = (): string[] => plane.frames.flatMap(({ claims }) => claims.map((each) => each.lease));
  await vi.waitFor(() => expect(named()).toEqual(leases), patience);
  for (const lease of [...leases, "of nobody"]) opened.advertSent(lease);
  opened.forget("L7");
  const spoken = (): LeaseFrame[] => plane.frames.filter(({ adverts }) => adverts.length > 0);
  const told = (): string[] => spoken().flatMap(({ adverts }) => adverts.map(({ lease }) => lease));
  await vi.waitFor(() => expect(told()).toEqual(leases.filter((lease) => lease !== "L7")), patience);
  expect(spoken()[0]?.adverts[0]).toEqual({
    lease: "L0",
    priority: 100,
    lastAdvertAt: 42,
    peerHeardAt: 0,
    authCounter: 0,
  });
  expect(named()).toEqual(leases);
});

test("a thousand claims while dataplane does not answer are some frames, and none is lost", async () => {
  const path = socketPath();
  const plane = await dataplane(path);
  const { opened, said } = client(path);
  await vi.waitFor(() => expect(said.hello).toBe(1), patience);
  const leases = Array.from({ length: 1_000 }, (_, index) => `L${index}`);
  for (const lease of leases) {
    opened.claim(claim(1, { lease, instances: [lease] }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const named = (): string[] => plane.frames.flatMap(({ claims }) => claims.map((each) => each.lease));
  await vi.waitFor(() => expect(named()).toEqual(leases), patience);
  expect(plane.frames.filter(({ claims }) => claims.length > 0).length).toBeLessThan(500);
});

test("the answer to a heartbeat that names nothing speaks for what was told before", async () => {
  const path = socketPath();
  const plane = await dataplane(path);
  const { opened, heard, said } = client(path);
  await vi.waitFor(() => expect(said.hello).toBe(1), patience);
  opened.claim(claim(1));
  await vi.waitFor(() => expect(plane.frames.some(({ claims }) => claims.length > 0)).toBe(true), patience);
  const answer = (of: LeaseFrame | undefined, leases: LeaseStatus[]): void => {
    const { sequence = 0, sentAt = 0 } = of ?? {};
    plane.streams.at(-1)?.write({ reply: { $case: "confirm", value: { sequence, sentAt, leases, partial: true } } });
  };
  answer(plane.frames.at(-1), [
    { lease: "VI_1", term: 1, standing: LeaseStanding.HELD, present: [], missing: [], error: "" },
  ]);
  const answered = new Set<LeaseFrame>();
  await vi.waitFor(() => {
    for (const frame of plane.frames) {
      if (!answered.has(frame)) answer(frame, []);
      answered.add(frame);
    }
    expect(heard.length).toBeGreaterThan(3);
  }, patience);
  expect(new Set(heard.map(({ standing }) => standing))).toEqual(new Set([LeaseStanding.HELD]));
  expect([...said.sentAt]).toEqual([...said.sentAt].sort((a, b) => a - b));
});

test("an answer to an older term is not heard; an unsolicited one counts from the last frame that was answered", async () => {
  const path = socketPath();
  const plane = await dataplane(path);
  const { opened, heard, said } = client(path);
  await vi.waitFor(() => expect(said.hello).toBe(1), patience);
  opened.claim(claim(2));
  const answer = (term: number, sequence: number, sentAt: number): void => {
    const status = { lease: "VI_1", term, standing: LeaseStanding.HELD, present: [], missing: [], error: "" };
    plane.streams
      .at(-1)
      ?.write({ reply: { $case: "confirm", value: { sequence, sentAt, leases: [status], partial: false } } });
  };
  answer(1, 1, 500);
  answer(2, 2, 1_000);
  answer(2, 0, 0);
  await vi.waitFor(() => expect(heard).toHaveLength(2), patience);
  expect(said.sentAt).toEqual([1_000, 1_000]);
});

test("dataplane goes and comes back: told once, and found again with the claims it needs", async () => {
  const path = socketPath();
  const first = await dataplane(path);
  const { opened, said } = client(path);
  await vi.waitFor(() => expect(said.hello).toBe(1), patience);
  opened.claim(claim(3));
  first.stop();
  await vi.waitFor(() => expect(said.disconnected).toBe(1), patience);
  expect(opened.connected()).toBe(false);
  const second = await dataplane(path);
  await vi.waitFor(() => expect(said.hello).toBe(2), patience);
  await vi.waitFor(() => expect(second.frames.length).toBeGreaterThan(2), patience);
  // The first frame of a stream says everything.
  expect(second.frames[0]).toMatchObject({ partial: false, claims: [{ term: 3 }] });
  expect(said.disconnected).toBe(1);
});

test("a heartbeat is a quarter of the shortest lease", () => {
  expect(heartbeatMillis([claim(1), claim(1, { lengthMicros: 2_000_000 })])).toBe(250);
  expect(heartbeatMillis([])).toBe(2_500);
});
