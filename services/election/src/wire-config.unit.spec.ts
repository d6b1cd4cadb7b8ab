import { secondsToMicros } from "@baton/domain";
import type { HmacConfig } from "@baton/keepalived-conf";
import { instanceConfig, ip } from "@baton/keepalived-conf/testing";
import { buildAdvertisement, decodePacket, initialWireState, receiveAdvertisement, type WireConfig } from "@baton/vrrp";
import { expect, test } from "vitest";
import { toWireConfig } from "./wire-config.ts";

type Instance = Parameters<typeof instanceConfig>[0];

const noFile = (path: string): never => {
  throw new Error(`no such file: ${path}`);
};
const wireOf = (change: Instance, readFile = noFile): WireConfig => toWireConfig(instanceConfig(change), readFile);

const key = "0123456789abcdef0123456789abcdef";
const hex = Buffer.from(key).toString("hex");
const authHmac = (value: HmacConfig["keys"][number]["value"]): HmacConfig => ({
  keys: [{ id: 3, value }],
  activeKey: 3,
  antiReplay: "time",
  timeWindow: secondsToMicros(5),
  mode: "enforce",
});

test("a plain instance speaks to the group of its family", () => {
  expect(wireOf({}).reach).toEqual({ cast: "multicast", group: "224.0.0.18" });
  expect(wireOf({ family: 6, multicastGroup: undefined }).reach).toEqual({ cast: "multicast", group: "ff02::12" });
  expect(wireOf({ multicastGroup: ip("224.0.0.77") }).reach).toEqual({ cast: "multicast", group: "224.0.0.77" });
  expect(wireOf({}).checksum).toEqual({ send: "pseudo-header", learn: true, oldDestination: "224.0.0.18" });
});

test("unicast: peers with their ranges, and the three ways of the old checksum", () => {
  const peers = [{ address: ip("192.0.2.2"), minTtl: 250, maxTtl: 255 }];
  const unicast = { peers, ttl: 64, checkSource: true, oldChecksum: "auto", vrf: undefined } as const;
  expect(wireOf({ unicast }).reach).toEqual({
    cast: "unicast",
    peers: [{ address: "192.0.2.2", ttlMin: 250, ttlMax: 255 }],
    ttl: 64,
    checkSource: true,
  });
  const ways = (["auto", "always", "never"] as const).map((oldChecksum) => {
    const { send, learn } = wireOf({ unicast: { ...unicast, oldChecksum } }).checksum;
    return [oldChecksum, send, learn];
  });
  expect(ways).toEqual([
    ["auto", "pseudo-header", true],
    ["always", "group-pseudo-header", true],
    ["never", "pseudo-header", false],
  ]);
  expect(wireOf({ unicast, v3ChecksumAsV2: true }).checksum.send).toBe("message");
});

test("auth_hmac takes the place of a password", () => {
  const authentication = { type: "pass", password: "1111" } as const;
  expect(wireOf({ authentication }).authentication).toEqual(authentication);
  const both = wireOf({ authentication, authHmac: authHmac({ from: "text", secret: key }) });
  expect(both.authentication.type).toBe("hmac");
});

test.each([
  ["text", { from: "text", secret: key }, ""],
  ["hexadecimal digits", { from: "hex", secret: hex }, ""],
  ["a file", { from: "file", path: "/key" }, key],
  ["a file with a line end", { from: "file", path: "/key" }, `${key}\r\n`],
  ["a file with digits", { from: "file", path: "/key" }, `hex:${hex}\n`],
] as const)("a key as %s is the same key", (_, value, content) => {
  const speaker = wireOf({ authHmac: authHmac({ from: "text", secret: key }) });
  const hearer = toWireConfig(instanceConfig({ authHmac: authHmac(value) }), () => Buffer.from(content));
  const facts = { wallMicros: 1_800_000_000_000_000, source: ip("192.0.2.1") };
  const [packet] = buildAdvertisement(100, speaker, initialWireState, facts).packets;
  const decoded = decodePacket({ family: 4, bytes: packet?.bytes ?? new Uint8Array() });
  if (!decoded.ok) throw new Error(decoded.reason);
  const moment = { wallMicros: facts.wallMicros, ownerIgnores: false, checkAddresses: true };
  expect(receiveAdvertisement(decoded.packet, hearer, initialWireState, moment).ok).toBe(true);
});

test("a key that is too short, too long or nowhere is an error", () => {
  const from = (length: number) => authHmac({ from: "text", secret: "k".repeat(length) });
  expect(() => wireOf({ authHmac: from(31) })).toThrow("key 3 of auth_hmac has 31 octets");
  expect(() => wireOf({ authHmac: from(65) })).toThrow("65 octets");
  expect(wireOf({ authHmac: from(64) }).authentication.type).toBe("hmac");
  expect(() => wireOf({ authHmac: authHmac({ from: "file", path: "/nowhere" }) })).toThrow("no such file: /nowhere");
});
