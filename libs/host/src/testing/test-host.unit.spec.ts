import { expect, test } from "vitest";
import { hostContract } from "./host-contract.ts";
import { TestBus } from "./test-bus.ts";
import { createTestHost } from "./test-host.ts";

hostContract("in memory", async () => {
  const bus = new TestBus();
  const [election, dataplane] = [
    createTestHost({ service: "election", bus }),
    createTestHost({ service: "dataplane", bus }),
  ];
  return {
    election,
    dataplane,
    applyConfig: async (snapshot) => election.applyConfig(snapshot),
    close: async () => undefined,
  };
});

const instance = { kind: "vrrp", id: "VI_1" } as const;
const stopped = { type: "service-stopped", data: { service: "x", reason: "" } } as const;

test("a played service speaks to followers and subscribers as a real one does", () => {
  const host = createTestHost({ service: "dataplane" });
  const heard: string[] = [];
  host.events.follow("election", ["vrrp"], {
    snapshot: (states) => heard.push(`snapshot ${states.map(({ version }) => version).join()}`),
    event: ({ version }) => heard.push(`event ${version}`),
    counters: (counters) => heard.push(`counters ${counters.length}`),
    disconnected: () => heard.push("disconnected"),
  });
  host.events.subscribe({ kind: "vrrp" }, ({ version }) => heard.push(`live ${version}`));
  const election = host.play("election");
  election.append(instance, stopped);
  election.states([{ kind: "vrrp", id: "VI_1", version: 0, state: undefined }]);
  election.append(instance, stopped);
  election.counters([]);
  election.disconnect();
  expect(heard).toEqual(["live 1", "snapshot 1", "event 2", "live 2", "counters 0", "disconnected"]);
  expect(host.appended).toEqual([]);
});

test("what a handler appends is delivered after the event it handles", () => {
  const bus = new TestBus();
  const [election, dataplane] = [
    createTestHost({ service: "election", bus }),
    createTestHost({ service: "dataplane", bus }),
  ];
  const heard: string[] = [];
  dataplane.events.subscribe({ kind: "vrrp" }, () => {
    dataplane.events.append({ kind: "address", id: "VI_1" }, stopped);
    heard.push("handled");
  });
  election.events.subscribe({ kind: "address" }, () => heard.push("heard back"));
  election.events.append(instance, stopped);
  expect(heard).toEqual(["handled", "heard back"]);
});

test("the clock moves only when told, and spans are timed by it", () => {
  const host = createTestHost({ service: "election" });
  const span = host.tracer.span("vrrp.transition");
  host.clock.advance(1_500);
  span.end({ attributes: { "vrrp.vrid": 51 } });
  span.end();
  expect(host.spans).toHaveLength(1);
  expect(host.spans[0]).toMatchObject({ name: "vrrp.transition", attributes: { "vrrp.vrid": 51 }, parent: undefined });
  const [recorded] = host.spans;
  expect((recorded?.endMicros ?? 0) - (recorded?.startMicros ?? 0)).toBe(1_500);
});

test("two hosts of one service on one bus are a mistake", () => {
  const bus = new TestBus();
  createTestHost({ service: "election", bus });
  expect(() => createTestHost({ service: "election", bus })).toThrow(/election/);
});
