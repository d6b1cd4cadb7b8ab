// keepalived.conf's instance -> how it speaks on the wire. Keys of `auth_hmac` that stand in files are read here, when the
// configuration is taken, and never again: nothing between an advert and its answer waits for a disk (SAFETY S7).
import { type IpAddress, toSeconds } from "@baton/domain";
import type { HmacConfig, HmacKeyConfig } from "@baton/keepalived-conf";
import { authKey, groupAddress, groupAddressV6, type WireConfig } from "@baton/vrrp";
import type { RunnerConfig } from "./config.ts";

/** Throws what the file system throws, and an Error for a key that is too short or too long. */
export type ReadFile = (path: string) => Uint8Array;

export function toWireConfig(instance: RunnerConfig, readFile: ReadFile): WireConfig {
  return {
    family: instance.family,
    version: instance.version,
    vrid: instance.vrid,
    advertInterval: instance.advertInterval,
    addresses: instance.addresses.map((each): IpAddress => each.address),
    authentication: authenticationOf(instance, readFile),
    reach: reachOf(instance),
    checksum: checksumOf(instance),
  };
}

function authenticationOf(instance: RunnerConfig, readFile: ReadFile): WireConfig["authentication"] {
  const { authHmac } = instance;
  // It takes the place of the others (keepalived: "cannot be combined").
  return authHmac === undefined ? (instance.authentication ?? { type: "none" }) : hmacOf(authHmac, readFile);
}

function hmacOf(config: HmacConfig, readFile: ReadFile): WireConfig["authentication"] {
  const { activeKey, mode, antiReplay } = config;
  const keys = config.keys.map((key) => authKey(key.id, secretOf(key, readFile)));
  return { type: "hmac", keys, activeKey, mode, antiReplay, windowSeconds: Math.floor(toSeconds(config.timeWindow)) };
}

/** Octets of a key that keepalived takes. */
const secretLength = { min: 32, max: 64 } as const;

function secretOf({ id, value }: HmacKeyConfig, readFile: ReadFile): Uint8Array {
  const secret =
    value.from === "hex"
      ? Buffer.from(value.secret, "hex")
      : value.from === "text"
        ? Buffer.from(value.secret)
        : secretInFile(Buffer.from(readFile(value.path)));
  if (secret.length >= secretLength.min && secret.length <= secretLength.max) return Uint8Array.from(secret);
  throw new Error(`key ${id} of auth_hmac has ${secret.length} octets, not ${secretLength.min} to ${secretLength.max}`);
}

/** What would stand in the configuration: `hex:` and digits, or the octets themselves; line ends at its end are not meant. */
function secretInFile(content: Buffer): Buffer {
  const text = content.toString("latin1").replace(/[\r\n]+$/, "");
  return text.startsWith("hex:") ? Buffer.from(text.slice("hex:".length), "hex") : Buffer.from(text, "latin1");
}

function reachOf({ unicast, multicastGroup, family }: RunnerConfig): WireConfig["reach"] {
  const group = multicastGroup ?? (family === 4 ? groupAddress : groupAddressV6);
  if (unicast === undefined) return { cast: "multicast", group };
  const peers = unicast.peers.map(({ address, minTtl, maxTtl }) => ({ address, ttlMin: minTtl, ttlMax: maxTtl }));
  return { cast: "unicast", peers, ttl: unicast.ttl, checkSource: unicast.checkSource };
}

function checksumOf({ v3ChecksumAsV2, unicast }: RunnerConfig): WireConfig["checksum"] {
  const old = unicast?.oldChecksum ?? "auto";
  const send = v3ChecksumAsV2 ? "message" : old === "always" ? "group-pseudo-header" : "pseudo-header";
  return { send, learn: old !== "never", oldDestination: groupAddress };
}
