import { parseIp } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { addressGratuitous, decodeArp, gratuitousFrame } from "./arp-packet.ts";

const address = parseIp("10.1.0.5");
if (address === undefined) throw new Error("no address");

test("the frame, byte by byte", () => {
  const frame = gratuitousFrame("02:00:5e:10:00:01");
  addressGratuitous(frame, address);
  expect(Buffer.from(frame).toString("hex")).toBe(
    ["ffffffffffff02005e1000010806", "0001080006040001", "02005e1000010a010005", "ffffffffffff0a010005"].join(""),
  );
});

test("what is announced is decoded as a request whose sender is its target", () => {
  const frame = gratuitousFrame("02:00:5E:10:00:01");
  addressGratuitous(frame, address);
  expect(decodeArp(frame.subarray(14))).toEqual({
    operation: "request",
    senderMac: "02:00:5e:10:00:01",
    senderIp: "10.1.0.5",
    targetIp: "10.1.0.5",
  });
});

test("other protocols, operations and cut packets are no ARP", () => {
  const frame = gratuitousFrame("02:00:5e:10:00:01").subarray(14);
  for (let length = 0; length < 28; length++) expect(decodeArp(frame.subarray(0, length))).toBeUndefined();
  for (const [index, value] of [
    [1, 6],
    [2, 0x86],
    [4, 8],
    [5, 16],
    [6, 1],
    [7, 3],
    [7, 0],
  ] as const) {
    const other = frame.slice();
    other[index] = value;
    expect(decodeArp(other), `byte ${index} = ${value}`).toBeUndefined();
  }
});

test("no bytes make the decoder throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      decodeArp(bytes);
    }),
  );
});

test("neither IPv6 nor nonsense is announced", () => {
  const v6 = parseIp("2001:db8::1");
  if (v6 === undefined) throw new Error("no address");
  expect(() => addressGratuitous(gratuitousFrame("02:00:5e:10:00:01"), v6)).toThrow("IPv4 addresses only");
  expect(() => gratuitousFrame("02:00:5e:10:00")).toThrow("not a MAC address");
});
