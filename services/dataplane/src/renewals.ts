// The kernel lease (SAFETY S10): addresses live for K seconds and are renewed every third of it, as long as their lease
// does. Each lease has its own phase, so that renewals do not come as one flood to every netlink listener.
import { addMicros, type Instant, type Term } from "@baton/domain";
import type { AddressSpec } from "@baton/linux";
import { kernelLeaseSeconds, type ManagedAddress } from "./desired.ts";
import { specOf } from "./kernel-view.ts";
import { isTrusted, type Lease } from "./lease-book.ts";
import { isOurs, type Parts } from "./parts.ts";
import { addressesOf } from "./silence.ts";
import type { Effect } from "./types.ts";

interface Due {
  readonly term: Term;
  readonly period: number;
  /** Undefined while the lease is in doubt. */
  at: Instant | undefined;
}

export class Renewals {
  readonly #due = new Map<string, Due>();

  /** Keeps a running schedule. `soon`: addresses were found whose lifetime is not ours or nearly over. */
  schedule(lease: string, term: Term, kernelLease: number, soon: () => boolean, now: Instant): void {
    const period = Math.round((kernelLease * 1_000_000) / 3);
    const known = this.#due.get(lease);
    if (known?.at !== undefined && known.term === term && known.period === period) return;
    // After a doubt nobody knows how much of the lifetime is left.
    const wasInDoubt = known !== undefined && known.at === undefined;
    const at = wasInDoubt || soon() ? now : addMicros(now, period * (0.5 + 0.5 * phaseOf(lease)));
    this.#due.set(lease, { term, period, at });
  }

  doubt(lease: string): void {
    const due = this.#due.get(lease);
    if (due !== undefined) due.at = undefined;
  }

  stop(lease: string): void {
    this.#due.delete(lease);
  }

  /** True when the lease is to renew now; the next time is set. Lateness does not add up. */
  take(lease: string, now: Instant): boolean {
    const due = this.#due.get(lease);
    if (due?.at === undefined || due.at > now) return false;
    const missed = Math.floor((now - due.at) / due.period);
    due.at = addMicros(due.at, (missed + 1) * due.period);
    return true;
  }

  *deadlines(): Iterable<Instant> {
    for (const { at } of this.#due.values()) if (at !== undefined) yield at;
  }
}

/** A renewal re-creates what is absent: only what was seen present, under a lease that stands right now, is renewed. */
export function renewalsDue(renewals: Renewals, parts: Parts, lateSince: Instant | undefined, now: Instant): Effect[] {
  const effects: Effect[] = [];
  for (const lease of parts.book.leases()) {
    if (lease.phase !== "active") {
      renewals.stop(lease.id);
      continue;
    }
    if (!isTrusted(lease, lateSince, now)) {
      renewals.doubt(lease.id);
      continue;
    }
    const seconds = kernelLeaseSeconds(lease.claim.length);
    renewals.schedule(lease.id, lease.term, seconds, () => needsRenewal(lease, seconds, parts), now);
    if (!renewals.take(lease.id, now)) continue;
    const specs = [...addressesOf(lease, parts)].flatMap((address) => renewalOf(address, lease, parts, now) ?? []);
    if (specs.length > 0) effects.push({ type: "renew-addresses", specs, until: lease.expiresAt });
  }
  return effects;
}

function needsRenewal(lease: Lease, seconds: number, { configuration, view }: Parts): boolean {
  for (const name of lease.claim.instances) {
    for (const address of configuration.instance(name)?.addresses ?? []) {
      const info = view.find(address);
      if (info !== undefined && (info.validLifetime ?? 0) < seconds - 1) return true;
    }
  }
  return false;
}

function renewalOf(address: ManagedAddress, lease: Lease, parts: Parts, now: Instant): AddressSpec | undefined {
  const { view, configuration, letting } = parts;
  const info = view.find(address);
  if (info === undefined || address.owner || letting.isGone(address.key, now)) return undefined;
  if (!isOurs(info, address, parts)) return undefined;
  const lifetime = configuration.lifetimeOf(address, lease.claim.length);
  // Without kernel leases there is nothing to renew, except what still has one.
  if (lifetime === undefined && info.validLifetime === undefined) return undefined;
  return specOf(address, info.ifindex, lifetime);
}

/** 0 up to 1, the same for the same name. */
function phaseOf(name: string): number {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_009;
  return hash / 1_009;
}
