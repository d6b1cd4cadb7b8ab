// The kernel lease (SAFETY S10): addresses live for K seconds and are renewed as long as their mastership lease lives,
// with each advert. Peers count from the last advert that they heard, and so does the kernel: the address of a machine on
// which every process was killed answers until the slowest peer has taken over, and goes then.
import { addMicros, type Instant, type Term } from "@baton/domain";
import type { AddressSpec } from "@baton/linux";
import type { ManagedAddress } from "./desired.ts";
import { specOf } from "./kernel-view.ts";
import { isTrusted, type Lease } from "./lease-book.ts";
import { isOurs, type Parts } from "./parts.ts";
import { addressesOf } from "./silence.ts";
import type { Effect } from "./types.ts";

interface Round {
  readonly term: Term;
  /** The last renewal, or when the addresses were added. */
  at: Instant;
  /** After a doubt nobody knows how much of the lifetime is left. */
  inDoubt: boolean;
}

/** Of K: without an advert the renewal comes after a third; adverts in quick succession bring one a sixth at most. */
const share = { slowest: 3, fastest: 6 } as const;

export class Renewals {
  readonly #rounds = new Map<string, Round>();
  readonly #due = new Map<string, Instant>();
  /** What was last asked of the kernel: the same object as long as it asks the same, so that it is encoded once. */
  readonly #specs = new WeakMap<ManagedAddress, AddressSpec>();

  spec(address: ManagedAddress, ifindex: number, lifetime: number | undefined): AddressSpec {
    const known = this.#specs.get(address);
    if (known !== undefined && known.ifindex === ifindex && known.validLifetime === lifetime) return known;
    const made = specOf(address, ifindex, lifetime);
    this.#specs.set(address, made);
    return made;
  }

  doubt(lease: string): void {
    const round = this.#rounds.get(lease);
    if (round !== undefined) round.inDoubt = true;
    this.#due.delete(lease);
  }

  stop(lease: string): void {
    if (!this.#rounds.delete(lease)) return;
    this.#due.delete(lease);
  }

  /** Nothing has changed since the last renewal, and the next one is not due: most of a thousand leases, most of the time. */
  isAtRest({ id, term, claim }: Lease, now: Instant): boolean {
    const round = this.#rounds.get(id);
    const due = this.#due.get(id);
    if (round === undefined || round.term !== term || round.inDoubt || due === undefined) return false;
    return now < due && claim.memory.lastAdvertAt <= round.at;
  }

  /** True when the lease is to renew now. `isNearlyOver`: addresses were found whose lifetime is not ours or nearly over. */
  take(lease: Lease, kernelLease: number, isNearlyOver: () => boolean, now: Instant): boolean {
    const round = this.#rounds.get(lease.id);
    const isNew = round === undefined || round.term !== lease.term;
    const slowest = Math.round((kernelLease * 1_000_000) / share.slowest);
    const fastest = Math.round((kernelLease * 1_000_000) / share.fastest);
    const age = isNew ? 0 : now - round.at;
    const hasNewAdvert = !isNew && lease.claim.memory.lastAdvertAt > round.at && age >= fastest;
    const isDue = isNew ? isNearlyOver() : round.inDoubt || age >= slowest || hasNewAdvert;
    if (isNew || isDue) this.#rounds.set(lease.id, { term: lease.term, at: now, inDoubt: false });
    this.#due.set(lease.id, addMicros(isNew || isDue ? now : round.at, slowest));
    return isDue;
  }

  deadlines(): Iterable<Instant> {
    return this.#due.values();
  }
}

/** A renewal re-creates what is absent: only what was seen present, under a lease that stands right now, is renewed. */
export function renewalsDue(renewals: Renewals, parts: Parts, ranUntil: Instant | undefined, now: Instant): Effect[] {
  const specs: AddressSpec[] = [];
  let until: Instant | undefined;
  for (const lease of parts.book.leases()) {
    if (lease.phase !== "active") {
      renewals.stop(lease.id);
      continue;
    }
    if (!isTrusted(lease, ranUntil, now)) {
      renewals.doubt(lease.id);
      continue;
    }
    if (renewals.isAtRest(lease, now)) continue;
    const seconds = shortestKernelLease(lease, parts);
    if (!renewals.take(lease, seconds, () => isNearlyOver(lease, seconds, parts), now)) continue;
    const due = [...addressesOf(lease, parts)].flatMap((address) => renewalOf(address, renewals, parts, now) ?? []);
    if (due.length === 0) continue;
    for (const spec of due) specs.push(spec);
    if (until === undefined || lease.expiresAt < until) until = lease.expiresAt;
  }
  // Together: a thousand instances are some sends a second. Who has least time left decides for all of them.
  return until === undefined ? [] : [{ type: "renew-addresses", specs, until }];
}

function shortestKernelLease(lease: Lease, { configuration }: Parts): number {
  const lengths = lease.claim.instances.flatMap((name) => configuration.instance(name)?.kernelLease ?? []);
  return Math.min(...lengths, kernelLeaseMax);
}

/** Four intervals of 255 s: a lease that covers no known instance has nothing to renew. */
const kernelLeaseMax = 1_020;

function isNearlyOver(lease: Lease, seconds: number, { configuration, view }: Parts): boolean {
  for (const name of lease.claim.instances) {
    for (const address of configuration.instance(name)?.addresses ?? []) {
      const info = view.find(address);
      if (info !== undefined && (info.validLifetime ?? 0) < seconds - 1) return true;
    }
  }
  return false;
}

function renewalOf(address: ManagedAddress, renewals: Renewals, parts: Parts, now: Instant): AddressSpec | undefined {
  const { view, configuration, letting } = parts;
  const info = view.find(address);
  if (info === undefined || address.owner || letting.isGone(address.key, now)) return undefined;
  if (!isOurs(info, address, parts)) return undefined;
  const lifetime = configuration.lifetimeOf(address);
  // Without kernel leases there is nothing to renew, except what still has one.
  if (lifetime === undefined && info.validLifetime === undefined) return undefined;
  return renewals.spec(address, info.ifindex, lifetime);
}
