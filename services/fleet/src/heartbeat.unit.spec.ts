import { expect, test } from "vitest";
import { decodeHeartbeat, encodeHeartbeat } from "./heartbeat.ts";
import { heartbeatOf, instanceState } from "./testing/fleet-events.ts";

const heartbeat = heartbeatOf("r1", 1_000, [instanceState("r1", { state: "master", term: 3, leaseConfirmed: true })]);

test("a heartbeat arrives as it was sent", () => {
  expect(decodeHeartbeat("fleet.r1.status", encodeHeartbeat(heartbeat))).toEqual(heartbeat);
  const silent = { ...heartbeat, status: undefined, stopping: true };
  expect(decodeHeartbeat("fleet.r1.status", encodeHeartbeat(silent))).toEqual(silent);
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
