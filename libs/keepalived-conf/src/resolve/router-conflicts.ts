// A virtual router can exist once: two instances that are the same one would hear their own adverts.
import type { InstanceConfig } from "../config.ts";
import type { Block } from "../syntax/tree.ts";
import { type ResolveContext, reject } from "./context.ts";

type Resolved = readonly (readonly [Block, InstanceConfig])[];

export function checkRouterConflicts(instances: Resolved, context: ResolveContext): void {
  const seen = new Map<string, InstanceConfig>();
  for (const [block, instance] of instances) {
    const keys = keysOf(instance);
    const other = keys.map((key) => seen.get(key)).find((found) => found !== undefined);
    for (const key of keys) if (!seen.has(key)) seen.set(key, instance);
    if (other === undefined) continue;
    const { name, vrid, family } = instance;
    const where =
      instance.unicast === undefined ? `on ${instance.interface} with IPv${family}` : "and a peer in common";
    const message = `${name} and ${other.name} both have virtual_router_id ${vrid} ${where}`;
    const hint = "keepalived would not start: each virtual router of an interface needs its own";
    reject(context, block.place, "vrid-duplicate", message, hint);
  }
}

/** What no two instances may share. Unicast and multicast do not hear each other; nor do different groups. */
function keysOf({ interface: name, family, vrid, unicast, multicastGroup, sourceAddress }: InstanceConfig): string[] {
  const router = `${family} ${vrid} ${name}`;
  if (unicast === undefined) return [`${router} ${multicastGroup}`];
  return unicast.peers.map(({ address }) => `${router} ${sourceAddress ?? ""} ${address}`);
}
