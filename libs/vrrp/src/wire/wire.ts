// How an instance speaks and what it listens to: configuration and state of the protocol, for both directions. The state
// is a value: sending and receiving take one and give the next, and a packet that is thrown away leaves it as it was.
import { type IpAddress, ipToBytes, type Micros } from "@baton/domain";
import { type HmacSettings, type HmacState, initialHmacState } from "./auth-hmac.ts";
import type { ChecksumRule } from "./checksum.ts";

export type Authentication =
  | { readonly type: "none" }
  /** v2 (RFC 2338 section 5.3.6.1): 8 octets in clear. */
  | { readonly type: "pass"; readonly password: string }
  /** v2 over IPv4 (RFC 2338 section 5.3.6.2): an IPsec authentication header with HMAC-MD5-96. */
  | { readonly type: "ah"; readonly password: string }
  /** keepalived's `auth_hmac`; takes the place of the others. */
  | ({ readonly type: "hmac" } & HmacSettings);

export interface UnicastPeer {
  readonly address: IpAddress;
  /** TTL or hop limit that its adverts may arrive with; default: any. */
  readonly ttlMin: number;
  readonly ttlMax: number;
}

export type Reach =
  /** `mcast_dst_ip`, else `vrrp_mcast_group4` or `vrrp_mcast_group6`. */
  | { readonly cast: "multicast"; readonly group: IpAddress }
  | {
      readonly cast: "unicast";
      readonly peers: readonly UnicastPeer[];
      /** `unicast_ttl`; undefined: 255 for IPv4, the kernel's choice for IPv6. */
      readonly ttl: number | undefined;
      /** `check_unicast_src`. */
      readonly checkSource: boolean;
    };

/** What v3 over IPv4 sums. v2 and IPv6 know one rule each. */
export interface ChecksumSettings {
  readonly send: ChecksumRule;
  /** A unicast peer that sums by the old rule is heard, and answered by it, unless `old_unicast_checksum never`. */
  readonly learn: boolean;
  /** `vrrp_mcast_group4`: the destination of the old rule, whatever the group of the instance. */
  readonly oldDestination: IpAddress;
}

export interface WireConfig {
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly advertInterval: Micros;
  /** Those advertised, in the order of the configuration. */
  readonly addresses: readonly IpAddress[];
  readonly authentication: Authentication;
  readonly reach: Reach;
  readonly checksum: ChecksumSettings;
}

/** What an instance remembers of packets. It survives a reload. */
export interface WireState {
  /** IPv4 identification of the last advert sent; 0 before the first. */
  readonly ipId: number;
  /** The highest sequence number of an authentication header that was sent or accepted. */
  readonly ahSequence: number;
  readonly hmac: HmacState;
  /** Unicast peers whose last advert was summed by the old rule. */
  readonly oldChecksumPeers: ReadonlySet<IpAddress>;
}

export const initialWireState: WireState = {
  ipId: 0,
  ahSequence: 0,
  hmac: initialHmacState,
  oldChecksumPeers: new Set(),
};

export const peerOf = ({ reach }: WireConfig, address: IpAddress): UnicastPeer | undefined =>
  reach.cast === "unicast" ? reach.peers.find((peer) => peer.address === address) : undefined;

export function isMulticast(address: IpAddress): boolean {
  const octets = ipToBytes(address);
  const [first = 0] = octets;
  return octets.length === 4 ? first >> 4 === 0xe : first === 0xff;
}
