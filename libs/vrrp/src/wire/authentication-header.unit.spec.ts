// AH between routers: one counter per virtual router, so that whoever is master goes on where the last one was heard.
import { expect, test } from "vitest";
import type { DiscardReason } from "./discard.ts";
import { buildAdvertisement } from "./send.ts";
import { facts, ip, judge, onTheWire, unicast, wireOf } from "./testing/fixtures.ts";
import { initialWireState, type WireConfig, type WireState } from "./wire.ts";

const wire = wireOf({ version: 2, authentication: { type: "ah", password: "secret12" } });

function speak(state: WireState, address = "10.77.0.11", spoken: WireConfig = wire) {
  const sent = buildAdvertisement(200, spoken, state, { source: ip(address), wallMicros: 0 });
  const [packet] = sent.packets;
  if (packet === undefined) throw new Error("no packet");
  return { datagram: onTheWire(packet), state: sent.state };
}

function hear(state: WireState, datagram: Parameters<typeof judge>[0], heard: WireConfig = wire) {
  const judged = judge(datagram, heard, state, facts);
  return judged.ok ? judged.state : judged.reason;
}

const sequenceOf = (state: WireState | DiscardReason): unknown =>
  typeof state === "string" ? state : state.ahSequence;

test("a stream counts up, a copy is a replay, a gap is none", () => {
  let [sender, receiver] = [initialWireState, initialWireState];
  for (let i = 1; i <= 5; i++) {
    const { datagram, state } = speak(sender);
    sender = state;
    if (i === 3) continue; // lost
    const heard = hear(receiver, datagram);
    expect(sequenceOf(heard)).toBe(i);
    if (typeof heard === "string") throw new Error(heard);
    receiver = heard;
    expect(hear(receiver, datagram)).toBe("ah-replayed");
  }
});

test("a new master goes on where the old one was heard last", () => {
  const old = speak({ ...initialWireState, ahSequence: 999 });
  const backup = hear(initialWireState, old.datagram);
  if (typeof backup === "string") throw new Error(backup);
  const next = speak(backup, "10.77.0.12");
  expect(sequenceOf(hear(old.state, next.datagram))).toBe(1_001);
});

test("the counter stops at its end instead of wrapping", () => {
  const last = speak({ ...initialWireState, ahSequence: 0xfffffffd });
  expect(last.state.ahSequence).toBe(0xfffffffe);
  expect(speak(last.state).state.ahSequence).toBe(0xfffffffe);
  expect(sequenceOf(hear({ ...initialWireState, ahSequence: 0xfffffffd }, last.datagram))).toBe(0xfffffffe);
});

test("every octet is covered, but those that routers change", () => {
  const { datagram } = speak(initialWireState);
  const free: number[] = [];
  for (let offset = 0; offset < datagram.bytes.length; offset++) {
    const bytes = datagram.bytes.slice();
    bytes[offset] = (bytes[offset] ?? 0) ^ 0x40;
    const heard = hear(initialWireState, { family: 4, bytes });
    if (typeof heard !== "string") free.push(offset);
  }
  expect(free).toEqual([1, 6, 10, 11]); // class of service, "do not fragment", header checksum
});

test("in unicast the TTL is a router's to change, in multicast it is signed", () => {
  const reach = unicast(["10.77.0.11"]);
  const across = speak(initialWireState, "10.77.0.11", { ...wire, reach: unicast(["10.77.0.12"]) }).datagram;
  const bytes = across.bytes.slice();
  bytes[8] = 60;
  expect(sequenceOf(hear(initialWireState, { family: 4, bytes }, { ...wire, reach }))).toBe(1);
});
