// Which addresses stay but do not answer their neighbours: the standard middle state (SAFETY, order of harms). Silence comes before a
// change of addresses and ends after it, so that at no moment something answers that should not.
import type { IpAddress } from "@baton/domain";
import type { ManagedAddress } from "./desired.ts";
import type { Lease } from "./lease-book.ts";
import { isOurs, type Parts } from "./parts.ts";
import type { Effect } from "./types.ts";

export function* addressesOf(lease: Lease, { configuration }: Parts): Iterable<ManagedAddress> {
  for (const name of lease.claim.instances) yield* configuration.instance(name)?.addresses ?? [];
}

/** Present and ours: what can be silenced and listened for. */
function isSilenceable(address: ManagedAddress, parts: Parts): boolean {
  const info = parts.view.find(address);
  return info !== undefined && isOurs(info, address, parts);
}

/** What a leaving instance still has: a successor is listened for. */
export function leavingAddresses(parts: Parts): ManagedAddress[] {
  const leaving = [...parts.book.leases()].filter(
    ({ phase, claim }) => phase === "active" && claim.state === "leaving",
  );
  return leaving.flatMap((lease) => [...addressesOf(lease, parts)].filter((address) => isSilenceable(address, parts)));
}

function silentAddresses(parts: Parts, inherited: ReadonlySet<IpAddress>): Set<IpAddress> {
  const silent = new Set<IpAddress>();
  for (const instance of parts.configuration.instances()) {
    const lease = parts.book.of(instance.name);
    // What an earlier process silenced stays so until election has said whose the address is.
    const isUndecided = lease === undefined || lease.phase === "waiting";
    const isSilent = lease?.phase === "active" && (lease.claim.state === "silent" || lease.parting !== undefined);
    if (!isSilent && parts.letting.isIdle && !(isUndecided && inherited.size > 0)) continue;
    for (const address of instance.addresses) {
      const wanted = isSilent || parts.letting.isSilent(address.key) || (isUndecided && inherited.has(address.address));
      if (wanted && isSilenceable(address, parts)) silent.add(address.address);
    }
  }
  return silent;
}

/** Before a change: silences more. Returns what is silenced then. */
export function hush(
  parts: Parts,
  silenced: ReadonlySet<IpAddress>,
  inherited: ReadonlySet<IpAddress>,
  effects: Effect[],
): ReadonlySet<IpAddress> {
  const more = [...silentAddresses(parts, inherited)].filter((address) => !silenced.has(address));
  if (more.length === 0) return silenced;
  effects.push({ type: "silence", addresses: more });
  return new Set([...silenced, ...more]);
}

/** After a change: lets answer again what is to answer, or is gone. Returns what is silenced then. */
export function unhush(
  parts: Parts,
  silenced: ReadonlySet<IpAddress>,
  inherited: ReadonlySet<IpAddress>,
  effects: Effect[],
): ReadonlySet<IpAddress> {
  const still = silentAddresses(parts, inherited);
  const over = [...silenced].filter((address) => !still.has(address));
  if (over.length === 0) return silenced;
  effects.push({ type: "unsilence", addresses: over });
  return still;
}
