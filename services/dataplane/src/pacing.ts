// The pauses between announcements (`vrrp_garp_interval`, `vrrp_gna_interval`, `garp_group`): switches that learn slowly
// lose some of a thousand that come at once. What must wait stands in a lane, first come, first served: one for each
// interface and kind of announcement, or for each group of interfaces. Pure in style: `now` is an argument.
import { addMicros, type Instant, type IpAddress, ipFamily, type Micros } from "@baton/domain";
import type { DesiredInstance, Pauses } from "./desired.ts";
import type { Burst } from "./types.ts";

/** A burst whose frames leave one by one; told when the last of them has left. */
interface Paced {
  readonly burst: Burst;
  waiting: number;
  sent: number;
}

/** An address that waits; asked for once more, it is not announced more often than either would have it. */
interface Waiting {
  readonly address: IpAddress;
  readonly of: Paced;
  left: number;
}

interface Lane {
  readonly queue: Map<string, Waiting>;
  pause: Micros;
  nextAt: Instant;
}

/** `later`: the lease is in doubt; `never`: the address is not there any more. */
export type Judge = (burst: Burst, address: IpAddress) => "now" | "later" | "never";

/** A lease that is in doubt is soon confirmed or over. */
export const putOff = 100_000;

export class Pacing {
  readonly #lanes = new Map<string, Lane>();

  /** What of a burst goes out at once; the rest waits. */
  offer(burst: Burst, instance: DesiredInstance, pauses: Pauses, now: Instant): Burst[] {
    const atOnce: Burst[] = [];
    for (const family of [4, 6] as const) {
      const addresses = burst.addresses.filter((address) => ipFamily(address) === family);
      if (addresses.length === 0) continue;
      const part = { ...burst, addresses };
      const lane = this.#laneOf(burst.interface, family, instance, pauses, now);
      if (lane === undefined) {
        atOnce.push(part);
        continue;
      }
      const of: Paced = { burst: part, waiting: 0, sent: 0 };
      for (const address of addresses) enqueue(lane, of, address);
    }
    // As it was, where nothing waits: both families are one announcement.
    return atOnce.length === 2 ? [burst] : atOnce;
  }

  /** Whose turn it is: one frame of each lane. */
  take(now: Instant, judge: Judge): Burst[] {
    const due: Burst[] = [];
    for (const [name, lane] of this.#lanes) {
      if (lane.nextAt > now) continue;
      const next = this.#next(lane, judge, now);
      if (next === undefined) {
        if (lane.queue.size === 0) this.#lanes.delete(name);
        continue;
      }
      lane.nextAt = addMicros(now, lane.pause);
      due.push(next);
    }
    return due;
  }

  /** It does not answer any more: what it had to say is over (keepalived's vrrp_remove_delayed_arp). */
  forget(instance: string): void {
    for (const { queue } of this.#lanes.values()) {
      for (const [key, { of }] of queue) if (of.burst.instance === instance) queue.delete(key);
    }
  }

  *deadlines(): Iterable<Instant> {
    for (const { queue, nextAt } of this.#lanes.values()) if (queue.size > 0) yield nextAt;
  }

  /** Nobody is announced who is not there any more: the next one has the turn. */
  #next(lane: Lane, judge: Judge, now: Instant): Burst | undefined {
    for (const [key, waiting] of lane.queue) {
      const { of, address, left } = waiting;
      const verdict = judge(of.burst, address);
      if (verdict === "later") {
        lane.nextAt = addMicros(now, putOff);
        return undefined;
      }
      lane.queue.delete(key);
      // Round by round over all addresses, as without pauses.
      if (verdict === "now" && left > 1) lane.queue.set(key, { ...waiting, left: left - 1 });
      else of.waiting--;
      if (verdict === "now") return partOf(of, address);
    }
    return undefined;
  }

  /** Undefined: no pause. A virtual MAC's announcements count with those of the interface below it. */
  #laneOf(on: string, family: 4 | 6, instance: DesiredInstance, pauses: Pauses, now: Instant): Lane | undefined {
    const base = instance.links.find(({ name }) => name === on)?.parent ?? on;
    const group = pauses.groups.find(({ interfaces }) => interfaces.includes(base));
    const kind = family === 4 ? "garp" : "gna";
    const pause = group?.[kind] ?? pauses[kind];
    const name = `${kind} ${group === undefined ? base : group.interfaces.join(" ")}`;
    if (pause === 0) return undefined;
    const lane = this.#lanes.get(name) ?? { queue: new Map(), pause, nextAt: now };
    lane.pause = pause;
    this.#lanes.set(name, lane);
    return lane;
  }
}

/** Whether any announcements have to wait for each other. */
export const hasPauses = ({ garp, gna, groups }: Pauses): boolean =>
  garp > 0 || gna > 0 || groups.some((group) => (group.garp ?? 0) > 0 || (group.gna ?? 0) > 0);

function enqueue({ queue }: Lane, of: Paced, address: IpAddress): void {
  const key = `${of.burst.interface} ${address}`;
  const known = queue.get(key);
  if (known !== undefined) {
    known.left = Math.max(known.left, of.burst.repeat);
    return;
  }
  of.waiting++;
  queue.set(key, { address, of, left: of.burst.repeat });
}

/** One frame; with the last one of a burst goes what is told of the whole. */
function partOf(of: Paced, address: IpAddress): Burst {
  const { burst, sent } = of;
  of.sent++;
  const isWhole = of.waiting === 0;
  const whole = isWhole ? { addresses: burst.addresses, sent } : undefined;
  return { ...burst, addresses: [address], repeat: 1, told: isWhole && burst.told, whole };
}
