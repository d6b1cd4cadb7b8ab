// Which announcement follows from which change of a lease, and what frames it is: only addresses that are there, that
// answer, on links whose neighbours can be told.
import type { Instant, IpAddress } from "@baton/domain";
import { type Announcement, Announcer } from "./announcer.ts";
import type { DesiredInstance, ManagedAddress } from "./desired.ts";
import { isUsable, type KernelView } from "./kernel-view.ts";
import type { Lease } from "./lease-book.ts";
import type { Burst } from "./types.ts";

interface Known {
  readonly lease: string;
  readonly receivedAt: Instant;
  readonly announce: number;
}

type Later = "reload" | "drift-repaired" | "late";

export class Announcing {
  readonly #announcer = new Announcer();
  /** The claim last announced for each instance; absent while the instance does not answer. */
  readonly #known = new Map<string, Known>();
  /** Instances that were silent under their present claim. */
  readonly #silent = new Set<string>();
  readonly #later = new Map<string, Map<Later, Set<string>>>();

  /** An address that came by itself; if a takeover of its instance follows in the same step, that one covers it. */
  came(address: ManagedAddress, why: Later): void {
    const reasons = this.#later.get(address.instance) ?? new Map<Later, Set<string>>();
    this.#later.set(address.instance, reasons);
    reasons.set(why, (reasons.get(why) ?? new Set()).add(address.key));
  }

  /** `isReady`: whether the kernel takes packets to all its addresses already. */
  update(instance: DesiredInstance, lease: Lease | undefined, isReady: boolean, now: Instant): void {
    const { name, garp } = instance;
    const later = this.#later.get(name);
    this.#later.delete(name);
    if (lease === undefined || lease.phase !== "active" || lease.claim.state !== "hold") {
      if (lease?.phase === "active" && lease.claim.state === "silent") this.#silent.add(name);
      if (this.#known.delete(name)) this.#announcer.stop(name);
      return;
    }
    const { announce, announceReason } = lease.claim;
    const known = this.#known.get(name);
    // Nothing was added yet on the word of a frame this old.
    if (known === undefined && !(lease.believed && isReady)) return;
    this.#known.set(name, { lease: lease.id, receivedAt: lease.receivedAt, announce });
    const wasSilent = this.#silent.delete(name);
    if (known === undefined || known.lease !== lease.id || known.receivedAt !== lease.receivedAt) {
      // A resumed lease never stopped answering: nobody has to be told, unless addresses are new.
      if (lease.answered && !wasSilent) this.#announcer.carryOn(name, garp, now);
      else {
        const [since, reason] = wasSilent ? [now, announceReason || "answering-again"] : [lease.receivedAt, "takeover"];
        this.#announcer.takeover(name, garp, since, reason, now);
        return;
      }
    } else {
      this.#announcer.reconfigure(name, garp, now);
      if (announce > known.announce) this.#announcer.again(name, announceReason || "asked", now);
    }
    for (const [why, keys] of later ?? []) this.#announcer.some(name, keys, why, now);
  }

  forget(instance: string): void {
    this.#known.delete(instance);
    this.#silent.delete(instance);
    this.#announcer.stop(instance);
  }

  /** What is to go out now, one burst per instance and interface. */
  take(
    now: Instant,
    instanceOf: (name: string) => DesiredInstance | undefined,
    leaseOf: (instance: string) => Lease | undefined,
    mayAnnounce: (instance: string) => boolean,
    view: KernelView,
  ): Burst[] {
    const bursts: Burst[] = [];
    for (const announcement of this.#announcer.take(now, mayAnnounce)) {
      const instance = instanceOf(announcement.instance);
      const lease = leaseOf(announcement.instance);
      if (instance === undefined || lease === undefined) continue;
      bursts.push(...burstsOf(announcement, instance, lease, view));
    }
    return bursts;
  }

  deadlines(): Iterable<Instant> {
    return this.#announcer.deadlines();
  }
}

function burstsOf(announcement: Announcement, instance: DesiredInstance, lease: Lease, view: KernelView): Burst[] {
  const byInterface = new Map<string, IpAddress[]>();
  for (const address of instance.addresses) {
    if (announcement.only?.has(address.key) === false) continue;
    const info = view.find(address);
    if (info === undefined || !isUsable(info)) continue;
    byInterface.set(address.interface, [...(byInterface.get(address.interface) ?? []), address.address]);
  }
  const bursts: Burst[] = [];
  for (const [name, addresses] of byInterface) {
    const link = view.link(name);
    if (link?.mac === undefined || link.noArp) continue;
    const { repeat, reason, since, told } = announcement;
    const place = { instance: instance.name, interface: name, ifindex: link.ifindex, mac: link.mac };
    bursts.push({ ...place, addresses, repeat, reason, since, told, term: lease.term, cause: lease.cause });
  }
  return bursts;
}
