// What is put on interfaces: virtual addresses.
import type { IpAddress } from "@baton/domain";

/** One line of `virtual_ipaddress`. */
export interface VirtualAddressConfig {
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** `dev`; the instance's interface when absent. */
  readonly interface: string;
  readonly label: string | undefined;
  /** `brd`/`broadcast`: an address; `+`/`-` are resolved to the one they mean. */
  readonly broadcast: IpAddress | undefined;
  /** Kernel scope number: 0 global (default), 200 site, 253 link, 254 host. */
  readonly scope: number;
  readonly noPrefixRoute: boolean;
}
