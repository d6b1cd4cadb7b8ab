// Whether links count as up: what the kernel says, but for `interface_up_down_delays`, by which a change counts once it
// has lasted, and but for a virtual MAC's link that is gone: dataplane makes it anew within milliseconds, and an
// instance does not fall for that. Pure in style: `now` is an argument.
import { addMicros, type Instant, type Micros, micros } from "@baton/domain";
import type { Config, InstanceConfig } from "@baton/keepalived-conf";

export interface LinkDelays {
  readonly down: Micros;
  readonly up: Micros;
}

export const noDelays: LinkDelays = { down: micros(0), up: micros(0) };

/** How long a link of our own may be gone or down: dataplane needs some milliseconds to mend it, a busy one more. */
export const mendingPatience = micros(250_000);

interface Known {
  counts: boolean;
  /** keepalived: delays count from the first time that the link was up. */
  wasUp: boolean;
}

export class LinkStates {
  readonly #links = new Map<string, Known>();
  /** When what the kernel says of a link will count. */
  readonly #changes = new Map<string, Instant>();

  /** Whether the link counts as up, now that the kernel says `up`. */
  see(name: string, up: boolean, delays: LinkDelays, now: Instant): boolean {
    const known = this.#links.get(name);
    if (known === undefined) {
      this.#links.set(name, { counts: up, wasUp: up });
      return up;
    }
    const at = this.#changes.get(name) ?? addMicros(now, known.wasUp ? (up ? delays.up : delays.down) : 0);
    if (up !== known.counts && at > now) this.#changes.set(name, at);
    else {
      known.counts = up;
      this.#changes.delete(name);
    }
    known.wasUp ||= up;
    return known.counts;
  }

  /** When the next change counts, if it lasts; undefined: none is waiting. */
  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const at of this.#changes.values()) if (next === undefined || at < next) next = at;
    return next;
  }
}

type Timing = Pick<InstanceConfig, "interface" | "downTimerAdverts" | "advertInterval">;

/** Delays by interface: a loss must count before the other routers would notice that nothing is heard over it. */
export function linkDelays(
  config: Pick<Config, "interfaceDelays"> & { readonly instances: readonly Timing[] },
): Map<string, LinkDelays> {
  return new Map(
    config.interfaceDelays.map((delay) => {
      const onIt = config.instances.filter((instance) => instance.interface === delay.interface);
      return [delay.interface, onIt.reduce(shorten, { down: delay.down, up: delay.up })];
    }),
  );
}

function shorten(delays: LinkDelays, { downTimerAdverts, advertInterval }: Timing): LinkDelays {
  if (downTimerAdverts === 1) return noDelays;
  const most = micros(Math.floor((downTimerAdverts - 1) * advertInterval - advertInterval / 256));
  if (delays.down <= most) return delays;
  return { down: most, up: delays.up === delays.down ? most : delays.up };
}
