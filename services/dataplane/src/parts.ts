// The parts of the core that decide together, made once in core.ts.
import type { Instant } from "@baton/domain";
import { type AddressInfo, addressTag } from "@baton/linux";
import type { Announcing } from "./announcing.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Configuration } from "./configuration.ts";
import type { Counters } from "./counters.ts";
import type { ManagedAddress } from "./desired.ts";
import type { Holdings } from "./holdings.ts";
import type { KernelView } from "./kernel-view.ts";
import type { LeaseBook } from "./lease-book.ts";
import type { LettingGo } from "./letting-go.ts";

export interface Parts {
  readonly startedAt: Instant;
  readonly configuration: Configuration;
  readonly view: KernelView;
  readonly book: LeaseBook;
  readonly letting: LettingGo;
  readonly holdings: Holdings;
  readonly announcing: Announcing;
  readonly chronicle: Chronicle;
  readonly counters: Counters;
}

/**
 * What Baton removes is its own (SAFETY S16): what carries its tag, what it has held, and what somebody left of
 * `virtual_ipaddress`; never an owner's address nor the interface's own, which others made.
 */
export function isOurs(info: AddressInfo, address: ManagedAddress, { view, holdings }: Parts): boolean {
  if (info.protocol === addressTag || holdings.has(address.key)) return true;
  return !address.owner && !view.isInterfacesOwn(info, address);
}
