// LEAVING: make before break (SAFETY S6). Until the successor's first advert the addresses stay and answer. From then
// on nothing answers neighbours for them any more, and each goes when the successor is heard to announce it, at the latest
// two seconds after. Pure in style: `now` is an argument.
import { addMicros, type Instant, type IpAddress, micros } from "@baton/domain";
import type { ManagedAddress } from "./desired.ts";

/**
 * An address outlives its successor's announcement by this: what a client sent to our MAC before it learnt the new one
 * is still on its way, and without the address the kernel would drop it. We are silent already, so nobody learns us anew.
 */
export const afterAnnouncement = micros(20_000);
/** A successor adverts 0.1 to 6 ms before its first announcement; with many addresses up to 1.5 s before its last. */
export const successorWait = micros(2_000_000);

export class LettingGo {
  /** Address key → when it goes. Silent as soon as it is in here. */
  readonly #goesAt = new Map<string, Instant>();
  revision = 0;

  /**
   * The successor's advert was heard: silence now, and a last date for what is never announced. What stands on a link
   * that goes down with this advert can go with it. True when that is news.
   */
  successorHeard(addresses: readonly ManagedAddress[], heardAt: Instant, ownLinks: ReadonlySet<string>): boolean {
    const before = this.revision;
    for (const address of addresses) {
      if (this.#goesAt.has(address.key)) continue;
      this.revision++;
      const isCutOff = ownLinks.has(address.interface);
      this.#goesAt.set(address.key, isCutOff ? heardAt : addMicros(heardAt, successorWait));
    }
    return this.revision !== before;
  }

  /** Somebody else announced the address, whether its advert was heard or not. True when that is news. */
  announcementHeard(address: ManagedAddress, now: Instant): boolean {
    const goesAt = addMicros(now, afterAnnouncement);
    const known = this.#goesAt.get(address.key);
    if (known !== undefined && known <= goesAt) return false;
    this.#goesAt.set(address.key, goesAt);
    this.revision++;
    return true;
  }

  /** Nothing is being let go. */
  get isIdle(): boolean {
    return this.#goesAt.size === 0;
  }

  isSilent(key: string): boolean {
    return this.#goesAt.has(key);
  }

  isGone(key: string, now: Instant): boolean {
    const goesAt = this.#goesAt.get(key);
    return goesAt !== undefined && goesAt <= now;
  }

  forget(key: string): void {
    if (this.#goesAt.delete(key)) this.revision++;
  }

  *deadlines(now: Instant): Iterable<Instant> {
    for (const goesAt of this.#goesAt.values()) if (goesAt > now) yield goesAt;
  }
}

/** What ARP or a neighbour advertisement on an interface speaks for. */
export const spokenName = (of: { readonly interface: string; readonly address: IpAddress }): string =>
  `${of.interface} ${of.address}`;
