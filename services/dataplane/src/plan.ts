// What must change to get from what the kernel has to what is wanted: a plan, not commands, so that it is idempotent
// and can be tested as a value. Pure. Deletes come first.
import type { AddressInfo } from "@baton/linux";
import { addressKey, type ManagedAddress } from "./desired.ts";
import { isAsConfigured, type KernelView } from "./kernel-view.ts";

/** keep: whatever is there stays, nothing is added (in doubt, silent, or leaving). */
export type Want = "present" | "keep" | "absent";

export interface Wanted {
  readonly address: ManagedAddress;
  readonly want: Want;
  /** Kernel lease in seconds; undefined: for ever. */
  readonly lifetime: number | undefined;
}

/** remade: it is there, but not as configured. */
export interface PlannedAdd {
  readonly wanted: Wanted;
  readonly ifindex: number;
  readonly remade: boolean;
}

/** `stray`: it carries our tag, but no configuration knows it: left by a run with another configuration. */
export interface PlannedRemove {
  readonly info: AddressInfo;
  readonly key: string;
  readonly address: ManagedAddress | undefined;
  readonly interface: string;
  readonly remade: boolean;
}

export interface Plan {
  readonly removes: readonly PlannedRemove[];
  readonly adds: readonly PlannedAdd[];
  /** Wanted, but its interface does not exist. */
  readonly homeless: readonly Wanted[];
}

const strength: Record<Want, number> = { absent: 0, keep: 1, present: 2 };

/** One entry per kernel object: the strongest want wins when two instances share an address. */
export function mergeWants(wants: Iterable<Wanted>): Map<string, Wanted> {
  const merged = new Map<string, Wanted>();
  for (const wanted of wants) {
    const known = merged.get(wanted.address.key);
    if (known === undefined || strength[wanted.want] > strength[known.want]) merged.set(wanted.address.key, wanted);
  }
  return merged;
}

export function planAddresses(
  wants: ReadonlyMap<string, Wanted>,
  view: KernelView,
  isOurs: (info: AddressInfo, address: ManagedAddress) => boolean,
  strayInterfaces: ReadonlySet<string>,
): Plan {
  const removes: PlannedRemove[] = [];
  const adds: PlannedAdd[] = [];
  const homeless: Wanted[] = [];
  for (const wanted of wants.values()) {
    const { address, want } = wanted;
    const info = view.find(address);
    const removable = info !== undefined && isOurs(info, address);
    const remade = removable && want === "present" && !isAsConfigured(info, address);
    if (removable && (want === "absent" || remade)) {
      removes.push({ info, key: address.key, address, interface: address.interface, remade });
    }
    if (want !== "present" || (info !== undefined && !remade)) continue;
    const link = view.link(address.interface);
    if (link === undefined) homeless.push(wanted);
    else adds.push({ wanted, ifindex: link.ifindex, remade });
  }
  for (const { interface: name, info } of view.tagged(strayInterfaces)) {
    const key = addressKey(name, info.address, info.prefixLength);
    if (!wants.has(key)) removes.push({ info, key, address: undefined, interface: name, remade: false });
  }
  return { removes, adds, homeless };
}
