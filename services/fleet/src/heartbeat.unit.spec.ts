import { PoolsSummary, VirtualServerState } from "@baton/contracts";
import { expect, test } from "vitest";
import { decodeHeartbeat, encodeHeartbeat } from "./heartbeat.ts";
import { heartbeatOf, instanceState, statusOf } from "./testing/fleet-events.ts";

const heartbeat = heartbeatOf("r1", 1_000, [instanceState("r1", { state: "master", term: 3, leaseConfirmed: true })]);

test("a heartbeat arrives as it was sent", () => {
  expect(decodeHeartbeat("fleet.r1.status", encodeHeartbeat(heartbeat))).toEqual(heartbeat);
  const silent = { ...heartbeat, status: undefined, stopping: true };
  expect(decodeHeartbeat("fleet.r1.status", encodeHeartbeat(silent))).toEqual(silent);
});

test("of thousands of virtual servers it has the summary alone", () => {
  const virtualServers = Array.from({ length: 3_000 }, (_, index) =>
    VirtualServerState.fromPartial({ name: `[10.1.${index >> 8}.${index & 255}]:tcp:80`, servers: [{ server: "a" }] }),
  );
  const pools = PoolsSummary.fromPartial({ virtualServers: 3_000, live: 3_000, realServers: 3_000 });
  const status = { ...statusOf("r1", []), virtualServers, pools };
  const text = encodeHeartbeat({ ...heartbeat, status });
  expect(text.length).toBeLessThan(2_000);
  expect(decodeHeartbeat("fleet.r1.status", text)?.status).toMatchObject({ virtualServers: [], pools });
});

test("a node speaks for itself only", () => {
  expect(decodeHeartbeat("fleet.r2.status", encodeHeartbeat(heartbeat))).toBeUndefined();
  const forged = encodeHeartbeat({ ...heartbeatOf("r2", 1_000, []), node: "r1" });
  expect(decodeHeartbeat("fleet.r1.status", forged)).toBeUndefined();
});

test.each([
  "",
  "null",
  "[]",
  "{}",
  '{"node":"r1"}',
  '{"node":"r1","at":1,"wallMillis":1e300,"status":null}',
  '{"node":"r1","at":0.5,"wallMillis":1,"status":null}',
  '{"node":"r1","at":1,"wallMillis":1,"status":[]}',
])("%s is no heartbeat", (text) => expect(decodeHeartbeat("fleet.r1.status", text)).toBeUndefined());
