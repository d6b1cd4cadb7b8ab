import { type IpAddress, parseIp } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { addressAdvertisement, advertisementFrame, decodeAdvertisement } from "./nd-packet.ts";

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};
const mac = "02:00:5e:10:00:01";
const target = ip("2001:db8::5");

function announced(router = false): Uint8Array {
  const frame = advertisementFrame(mac, router);
  addressAdvertisement(frame, ip("2001:db8::4"));
  addressAdvertisement(frame, target); // addressed anew: nothing of the former is left
  return frame;
}

/** RFC 1071 over what RFC 4443 says: a right packet sums up to 0xffff. */
function sum(frame: Uint8Array): number {
  const pseudo = [...frame.subarray(22, 54), 0, 0, 0, frame.length - 54, 0, 0, 0, 58];
  const octets = [...pseudo, ...frame.subarray(54)];
  let total = 0;
  for (let at = 0; at < octets.length; at += 2) total += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

test("the frame, byte by byte", () => {
  const frame = announced();
  expect(sum(frame)).toBe(0xffff);
  const hex = Buffer.from(frame).toString("hex");
  const checksum = hex.slice(112, 116);
  expect(hex).toBe(
    [
      "33330000000102005e10000186dd",
      "6000000000203aff20010db8000000000000000000000005ff020000000000000000000000000001",
      `8800${checksum}2000000020010db8000000000000000000000005`,
      "020102005e100001",
    ].join(""),
  );
});

test("an interface that forwards says that it is a router's", () => {
  expect([announced(false)[58], announced(true)[58]]).toEqual([0x20, 0xa0]);
  expect(sum(announced(true))).toBe(0xffff);
});

test("what is announced is decoded; nothing from beyond a router, of other types, or without a MAC address", () => {
  const message = announced().subarray(54);
  expect(decodeAdvertisement(message, 255)).toEqual({ target, mac });
  expect(decodeAdvertisement(message, 254)).toBeUndefined();
  expect(decodeAdvertisement(message, undefined)).toBeUndefined();
  expect(decodeAdvertisement(message.with(0, 135), 255)).toBeUndefined();
  expect(decodeAdvertisement(message.with(24, 1), 255)).toBeUndefined();
  expect(decodeAdvertisement(message.with(25, 0), 255)).toBeUndefined();
  for (let length = 0; length < message.length; length++) {
    expect(decodeAdvertisement(message.subarray(0, length), 255)).toBeUndefined();
  }
  const option = message.subarray(24);
  const nonce = Uint8Array.of(14, 1, 1, 2, 3, 4, 5, 6);
  expect(decodeAdvertisement(Uint8Array.of(...message.subarray(0, 24), ...nonce, ...option), 255)).toEqual({
    target,
    mac,
  });
});

test("no bytes make the decoder throw or hang", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
      decodeAdvertisement(bytes, 255);
      decodeAdvertisement(Uint8Array.of(136, ...bytes), 255);
    }),
  );
});

test("neither IPv4 nor nonsense is announced", () => {
  expect(() => addressAdvertisement(advertisementFrame(mac, false), ip("10.1.0.5"))).toThrow("IPv6 addresses only");
  expect(() => advertisementFrame("02:00:5e:10:00", false)).toThrow("not a MAC address");
});
