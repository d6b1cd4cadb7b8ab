// The level behind our events: what each instance's addresses, routes and rules are right now, for the Watch snapshot.
import type { AddressesState } from "@baton/contracts";
import type { DesiredInstance } from "./desired.ts";
import { isUsable, type KernelView } from "./kernel-view.ts";
import type { Lease } from "./lease-book.ts";

/** What is known of an address, route or rule by its key. */
export interface Facts {
  failure(key: string): string | undefined;
  /** A route or rule is in the kernel. */
  hasRouting(key: string): boolean;
}

export function addressesStateOf(
  instance: DesiredInstance,
  lease: Lease | undefined,
  view: KernelView,
  { failure, hasRouting }: Facts,
): AddressesState {
  return {
    instance: instance.name,
    term: lease?.term ?? 0,
    lease: leaseText(lease),
    addresses: instance.addresses.map((address) => {
      const info = view.find(address);
      return {
        address: address.address,
        interface: address.interface,
        label: address.label ?? "",
        present: info !== undefined && isUsable(info),
        error: failure(address.key) ?? "",
      };
    }),
    routing: instance.routing.map(({ kind, key, text }) => ({
      kind,
      text,
      present: hasRouting(key),
      error: failure(key) ?? "",
    })),
  };
}

/** none, held, silent, leaving or expired, as watch.proto says. */
function leaseText(lease: Lease | undefined): string {
  if (lease === undefined) return "none";
  if (lease.phase === "suspended" || lease.endReason === "lease-expired") return "expired";
  if (lease.phase !== "active") return "none";
  switch (lease.claim.state) {
    case "hold":
      return "held";
    case "silent":
      return "silent";
    case "leaving":
      return "leaving";
    case "release":
      return "none";
  }
}
