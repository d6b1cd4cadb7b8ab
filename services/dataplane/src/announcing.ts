// Which announcement follows from which change of a lease, and what frames it is: only addresses that are there, that
// answer, on links whose neighbours can be told.
import type { Instant, IpAddress } from "@baton/domain";
import { type Announcement, Announcer } from "./announcer.ts";
import type { DesiredInstance, ManagedAddress, Pauses } from "./desired.ts";
import { isUsable, type KernelView } from "./kernel-view.ts";
import { isAnswering, type Lease } from "./lease-book.ts";
import { hasPauses, type Judge, Pacing } from "./pacing.ts";
import type { Burst, Herald } from "./types.ts";

interface Known {
  readonly lease: string;
  readonly receivedAt: Instant;
  readonly announce: number;
}

const isOf = (known: Known, lease: Lease): boolean => known.lease === lease.id && known.receivedAt === lease.receivedAt;

type Later = "reload" | "drift-repaired" | "late";

export class Announcing {
  readonly #announcer = new Announcer();
  /** The claim last announced for each instance; absent while the instance does not answer. */
  readonly #known = new Map<string, Known>();
  /** Instances that were silent under their present claim. */
  readonly #silent = new Set<string>();
  readonly #later = new Map<string, Map<Later, Set<string>>>();
  readonly #pacing = new Pacing();
  /** Frames of the first round that left while addresses were being added, by instance and interface. */
  readonly #heralded = new Map<string, Map<string, number>>();

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
    if (lease === undefined || !isAnswering(lease)) {
      if (lease?.phase === "active" && lease.claim.state === "silent") this.#silent.add(name);
      if (this.#known.delete(name)) this.#stop(name);
      return;
    }
    const { announce, announceReason } = lease.claim;
    const known = this.#known.get(name);
    // Nothing was added yet on the word of a frame this old.
    if (known === undefined && !(lease.believed && isReady)) return;
    this.#known.set(name, { lease: lease.id, receivedAt: lease.receivedAt, announce });
    const wasSilent = this.#silent.delete(name);
    if (known === undefined || !isOf(known, lease)) {
      // A resumed lease never stopped answering: nobody has to be told, unless addresses are new.
      if (lease.answered.has(name) && !wasSilent) this.#announcer.carryOn(name, garp, now);
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

  /**
   * Whether a takeover follows as soon as the instance's addresses are there, and nothing but they is waited for: no
   * route, no pause, no thread of the kernel's as for IPv6.
   */
  mayHerald(instance: DesiredInstance, lease: Lease, pauses: Pauses): boolean {
    const { name, addresses, routing, garp } = instance;
    if (routing.length > 0 || garp.repeat <= 0 || addresses.some(({ family }) => family === 6)) return false;
    if (!isAnswering(lease) || this.#silent.has(name) || lease.answered.has(name)) return false;
    const known = this.#known.get(name);
    return (known === undefined || !isOf(known, lease)) && !hasPauses(pauses);
  }

  heralded({ instance, interface: on }: Herald, sent: number): void {
    const known = this.#heralded.get(instance) ?? new Map<string, number>();
    this.#heralded.set(instance, known.set(on, (known.get(on) ?? 0) + sent));
  }

  forget(instance: string): void {
    this.#known.delete(instance);
    this.#silent.delete(instance);
    this.#stop(instance);
  }

  #stop(instance: string): void {
    this.#announcer.stop(instance);
    this.#heralded.delete(instance);
    this.#pacing.forget(instance);
  }

  /** What is to go out now, one burst per instance and interface. */
  take(
    now: Instant,
    instanceOf: (name: string) => DesiredInstance | undefined,
    leaseOf: (instance: string) => Lease | undefined,
    mayAnnounce: (instance: string) => boolean,
    view: KernelView,
    pauses: Pauses,
  ): Burst[] {
    const bursts: Burst[] = [];
    for (const announcement of this.#announcer.take(now, mayAnnounce)) {
      const instance = instanceOf(announcement.instance);
      const lease = leaseOf(announcement.instance);
      if (instance === undefined || lease === undefined) continue;
      const heralded = announcement.reason === "takeover" ? this.#heralded.get(instance.name) : undefined;
      for (const burst of burstsOf(announcement, instance, lease, view)) {
        const rest = without(burst, heralded?.get(burst.interface) ?? 0);
        bursts.push(...this.#pacing.offer(rest, instance, pauses, now));
      }
      if (heralded !== undefined) this.#heralded.delete(instance.name);
    }
    const judge: Judge = (burst, address) => {
      const managed = instanceOf(burst.instance)?.addresses.find(
        (each) => each.address === address && each.interface === burst.interface,
      );
      const info = managed && view.find(managed);
      if (info === undefined || !isUsable(info) || speakerOn(burst.interface, view) === undefined) return "never";
      return mayAnnounce(burst.instance) ? "now" : "later";
    };
    // The link may be another one by now, of the same name.
    const taken = this.#pacing.take(now, judge);
    bursts.push(...taken.map((burst) => ({ ...burst, ...speakerOn(burst.interface, view) })));
    return bursts;
  }

  *deadlines(): Iterable<Instant> {
    yield* this.#announcer.deadlines();
    yield* this.#pacing.deadlines();
  }
}

function burstsOf(announcement: Announcement, instance: DesiredInstance, lease: Lease, view: KernelView): Burst[] {
  const byInterface = new Map<string, IpAddress[]>();
  for (const address of instance.addresses) {
    if (announcement.only?.has(address.key) === false) continue;
    const info = view.find(address);
    if (info === undefined || !isUsable(info)) continue;
    const known = byInterface.get(address.interface);
    if (known === undefined) byInterface.set(address.interface, [address.address]);
    else known.push(address.address);
  }
  const bursts: Burst[] = [];
  for (const [name, addresses] of byInterface) {
    const speaker = speakerOn(name, view);
    if (speaker === undefined) continue;
    const { repeat, reason, since, told } = announcement;
    const story = { reason, since, told, term: lease.term, cause: lease.cause, whole: undefined };
    bursts.push({ instance: instance.name, interface: name, ...speaker, addresses, repeat, ...story });
  }
  return bursts;
}

/** What is left of a burst after `sent` frames of it: a round less, if that was one. */
function without(burst: Burst, sent: number): Burst {
  if (sent === 0) return burst;
  const isRound = sent === burst.addresses.length;
  return { ...burst, repeat: isRound ? burst.repeat - 1 : burst.repeat, whole: { addresses: burst.addresses, sent } };
}

/** Undefined: its neighbours cannot be told. */
export function speakerOn(name: string, view: KernelView): Pick<Burst, "ifindex" | "mac"> | undefined {
  const link = view.link(name);
  return link?.mac === undefined || link.noArp ? undefined : { ifindex: link.ifindex, mac: link.mac };
}
