// What is put on interfaces: addresses.
import type { IpAddress, Micros } from "@baton/domain";

/** One line of `virtual_ipaddress`. */
export interface VirtualAddressConfig {
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** `dev`; the instance's interface when absent. */
  readonly interface: string;
  readonly label: string | undefined;
  /** `brd`/`broadcast`: an address; `+`/`-` are resolved to the one they mean. */
  readonly broadcast: IpAddress | undefined;
  /** `peer`: the other end of a point-to-point link. */
  readonly peer: IpAddress | undefined;
  /** Kernel scope number: 0 global (default), 200 site, 253 link, 254 host. */
  readonly scope: number;
  /** For how long the kernel may choose it as a source; undefined: forever. IPv6 only. */
  readonly preferredLifetime: Micros | undefined;
  readonly noPrefixRoute: boolean;
  /** `home`: IFA_F_HOMEADDRESS. */
  readonly homeAddress: boolean;
  /** `-nodad`: IFA_F_NODAD, which IPv6 addresses have otherwise, is not set. */
  readonly detectDuplicates: boolean;
  /** `mngtmpaddr`: IFA_F_MANAGETEMPADDR. */
  readonly manageTemporary: boolean;
  /** `autojoin`: IFA_F_MCAUTOJOIN. */
  readonly autojoin: boolean;
  /** The virtual MAC that it stands on: none, its instance's, or one of its own on `interface`. */
  readonly vmac: "none" | "instance" | "own";
  /** False for `no_track`: its loss is no fault of the instance. */
  readonly tracked: boolean;
}

/** One line of `unicast_peer`. */
export interface UnicastPeerConfig {
  readonly address: IpAddress;
  /** TTL or hop limit that its adverts must have at least, 0 to 255. */
  readonly minTtl: number;
  /** TTL or hop limit that its adverts may have at most, 0 to 255. */
  readonly maxTtl: number;
}
