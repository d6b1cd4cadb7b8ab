// When instances start: what holds a lease at once, everybody else after `vrrp_startup_delay` and `vrrp_delay_after_boot`,
// and nobody before dataplane has made the link that it is to speak from.
import { type Instant, type Micros, micros } from "@baton/domain";
import type { ConfigSnapshot, Host } from "@baton/host";
import type { Party } from "./roster.ts";

export interface StarterParts {
  readonly host: Pick<Host, "now" | "log" | "env">;
  present(): Iterable<Party>;
  /** Whether a crashed election has left a lease to go on under. */
  resumes(party: Party): boolean;
  /** Whether a member's link is still to be made: who begins without it begins in FAULT, and tells everybody. */
  awaitsLink(party: Party): boolean;
  start(party: Party): void;
}

type Delays = Pick<ConfigSnapshot["config"]["global"]["vrrp"], "startupDelay" | "delayAfterBoot">;

/** setTimeout counts milliseconds in 31 bits. */
const timeoutMax = 2 ** 31 - 1;

/**
 * How long instances still wait: until the later of both delays, the one counted from the start of the node (`startedAt`;
 * undefined: an election that came back, which has no such start), the other from the boot, as `now` is.
 */
export function remainingDelay(
  { startupDelay, delayAfterBoot }: Delays,
  startedAt: Instant | undefined,
  now: Instant,
): Micros {
  const afterStart = startedAt === undefined || startupDelay === 0 ? 0 : startedAt + startupDelay;
  return micros(Math.max(0, afterStart - now, delayAfterBoot - now));
}

export class Starter {
  readonly #parts: StarterParts;
  readonly #startedAt: Instant | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** While somebody is still to be started: as what delays are configured. */
  #delays: Delays | undefined;

  constructor(parts: StarterParts) {
    this.#parts = parts;
    this.#startedAt = parts.host.env.restarts === 0 ? parts.host.now() : undefined;
  }

  /** True while instances are held back by a delay. */
  get waits(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts whoever may be, and the others in their time; a reload calls it again. */
  begin(delays: Delays): void {
    this.close();
    this.#delays = delays;
    const { host } = this.#parts;
    const remaining = remainingDelay(delays, this.#startedAt, host.now());
    for (const party of this.#parts.present()) {
      if (remaining > 0 && !this.#parts.resumes(party)) continue;
      if (!this.#parts.awaitsLink(party)) this.#parts.start(party);
    }
    if ([...this.#parts.present()].every(({ unit }) => unit.unstarted.length === 0)) this.#delays = undefined;
    if (remaining === 0) return;
    const millis = Math.ceil(remaining / 1_000);
    host.log.info("instances wait", { forMs: millis });
    this.#timer = setTimeout(() => this.begin(delays), Math.min(millis, timeoutMax));
  }

  /** A link that somebody waited for may be there. */
  linksChanged(): void {
    if (this.#delays !== undefined && !this.waits) this.begin(this.#delays);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
