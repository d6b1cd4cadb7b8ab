import { readFileSync } from "node:fs";
import type { BatonEvent, EventEnvelope } from "@baton/domain";
import { expect, test } from "vitest";
import { decodeData, encodeData, eventTypes, fromWire, isEventType, toWire } from "./events.ts";
import { Envelope } from "./generated/baton/v1/events.ts";

const event: BatonEvent = {
  type: "became-master",
  data: {
    instance: "VI_1",
    vrid: 51,
    interface: "eth0",
    term: 2 ** 40,
    priority: 101,
    reason: "master-down",
    addresses: ["10.0.0.1/24"],
  },
};

const envelope: EventEnvelope = {
  id: "01900000-0000-7000-8000-000000000001",
  time: "2026-01-01T00:00:00.000001Z",
  at: 3_600_000_000,
  node: "r1",
  service: "election",
  aggregate: { kind: "vrrp", id: "VI_1" },
  epoch: 1_767_225_600_000_000,
  version: 3,
  correlationId: "c",
  causationId: "d",
  traceparent: undefined,
  event,
};

test("the catalogue and events.proto name the same events", () => {
  const proto = readFileSync(new URL("../../../proto/baton/v1/events.proto", import.meta.url), "utf8");
  const messages = [...proto.matchAll(/^message (\w+)/gm)].map(([, message]) => message ?? "");
  const kebab = (message: string) => message.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  expect(
    messages
      .filter((message) => message !== "Envelope" && message !== "DestinationWeight")
      .map(kebab)
      .sort(),
  ).toEqual([...eventTypes].sort());
});

test("a payload survives JSON", () => expect(decodeData(event.type, encodeData(event))).toEqual(event));

test("an envelope survives gRPC, with and without a trace", () => {
  for (const traceparent of [undefined, `00-${"a".repeat(32)}-${"b".repeat(16)}-01`]) {
    const traced = { ...envelope, traceparent };
    expect(fromWire(Envelope.decode(Envelope.encode(toWire(traced)).finish()))).toEqual(traced);
  }
});

test("fields that a later version adds are no harm; what is no event is refused", () => {
  expect(decodeData("became-master", '{"instance":"VI_1","crown":true}')).toMatchObject({ data: { instance: "VI_1" } });
  for (const body of ["", "null", "1", "[]", '"x"', "{"]) expect(decodeData("became-master", body)).toBeUndefined();
  expect(fromWire({ ...toWire(envelope), type: "became-king" })).toBeUndefined();
  expect(isEventType("toString")).toBe(false);
});
