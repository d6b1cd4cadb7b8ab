// For tests of whoever speaks or hears VRRP: what keepalived sent, what nobody should send, and packets made to measure.
export { type Capture, captures, cutIpv6, hmacKeys, hmacSettings } from "../wire/testing/captures.ts";
export { facts, hexOf, octets, onTheWire, wireOf } from "../wire/testing/fixtures.ts";
export { type ForgedHeader, type ForgedTrailer, type Forgery, forge } from "../wire/testing/forge.ts";
export { frameOf } from "../wire/testing/frames.ts";
export { type Malformed, malformed, malformedByReason, malformedWires } from "../wire/testing/malformed.ts";
