// The quorum of tracked virtual servers, from health to the election: when a change of it counts is stay-put.ts's to say,
// for each instance by whether it is master. Health gone changes nothing: its last word stands (SAFETY S15).
import type { AggregateState } from "@baton/contracts";
import {
  addMicros,
  type CauseRef,
  type EventEnvelope,
  type Instant,
  type Micros,
  microsSince,
  millisToMicros,
  secondsToMicros,
} from "@baton/domain";
import type { Host } from "@baton/host";
import { excuseStayPut, type StayPut, startStayPut, type Verdict, weighQuorum } from "@baton/vrrp";
import type { TrackedQuorum } from "../tracked-quorums.ts";
import type { StaleInput } from "./freshness.ts";
import { causeOf, type TrackerInput } from "./trackers.ts";

/** An instance that tracks quorums, as it is now. */
export interface QuorumWatcher {
  readonly name: string;
  readonly quorums: readonly TrackedQuorum[];
  /** Master, or listening as one. */
  readonly inOffice: boolean;
}

export interface QuorumParts {
  readonly host: Pick<Host, "now" | "events">;
  /** Those that have started and are of the configuration. */
  watchers(): readonly QuorumWatcher[];
  /** To these instances, together. */
  feed(instances: readonly string[], input: TrackerInput | StaleInput): void;
}

interface Report {
  readonly verdict: Verdict;
  readonly cause: CauseRef | undefined;
}

/** A restarted health is back sooner than this; one that hangs is given up by the follower some seconds before. */
const patience: Micros = secondsToMicros(5);
/** One that health has said nothing of is asked for so often: a reload may have told it later than us. */
const askAgainEvery = secondsToMicros(5);
/** Who comes into office or leaves it is looked at so often; beats may be many more. */
const lookEvery = millisToMicros(250);

export class Quorums {
  readonly #parts: QuorumParts;
  readonly #reports = new Map<string, Report>();
  /** By instance, then by virtual server. */
  readonly #weighed = new Map<string, Map<string, StayPut>>();
  #tracked: ReadonlySet<string> = new Set();
  #following: { close(): void } | undefined;
  #followedAt: Instant | undefined;
  /** Undefined: health is there. */
  #silentSince: Instant | undefined;
  #stale = false;
  #lookedAt: Instant | undefined;

  constructor(parts: QuorumParts) {
    this.#parts = parts;
  }

  /** Health is listened to only where somebody tracks what it says: it has thousands of virtual servers to tell of. */
  configure(tracking: readonly { readonly name: string; readonly quorums?: readonly TrackedQuorum[] }[]): void {
    const wanted = new Map(tracking.map(({ name, quorums = [] }) => [name, new Set(quorums.map((each) => each.name))]));
    for (const [instance, weighed] of this.#weighed) {
      for (const name of weighed.keys()) if (wanted.get(instance)?.has(name) !== true) weighed.delete(name);
      if (weighed.size === 0) this.#weighed.delete(instance);
    }
    this.#tracked = new Set([...wanted.values()].flatMap((each) => [...each]));
    for (const name of this.#reports.keys()) if (!this.#tracked.has(name)) this.#reports.delete(name);
    if (this.#tracked.size === 0) this.close();
    else if (this.#following === undefined || this.#isMissing()) this.#follow();
    this.#look();
  }

  /** What an instance begins with: to be fed to it before it starts. */
  begin(instance: string, quorums: readonly TrackedQuorum[], resumes: boolean): readonly (TrackerInput | StaleInput)[] {
    const now = this.#parts.host.now();
    const weighed = new Map<string, StayPut>();
    this.#weighed.set(instance, weighed);
    return quorums.flatMap((quorum) => {
      const facts = { reported: this.#reports.get(quorum.name)?.verdict, inOffice: resumes, stale: this.#stale };
      const start = startStayPut(resumes ? "resuming" : "starting", quorum.weight);
      const next = weighQuorum(start, { ...facts, hold: quorum.hold }, now);
      weighed.set(quorum.name, next);
      const stale: StaleInput = { type: "tracker-stale", kind: "virtual-server", name: quorum.name, stale: true };
      return [
        ...(next.counted === undefined ? [] : [this.#input(quorum.name, next.counted)]),
        ...(this.#stale ? [stale] : []),
      ];
    });
  }

  /** Looks for what counts by now; `stalled`: how long this process did not run before. */
  beat(now: Instant, stalled: Micros): void {
    if (this.#following === undefined) return;
    if (stalled > 0) this.#excuse(stalled);
    const stale = this.#silentSince !== undefined && microsSince(now, this.#silentSince) > patience;
    if (stale !== this.#stale) {
      this.#stale = stale;
      this.#tellStale();
    }
    this.#askForMissing(now);
    if (this.#lookedAt === undefined || microsSince(now, this.#lookedAt) >= lookEvery) this.#look();
  }

  close(): void {
    this.#following?.close();
    this.#following = undefined;
    this.#silentSince = undefined;
    this.#stale = false;
  }

  #isMissing(): boolean {
    return [...this.#tracked].some((name) => !this.#reports.has(name));
  }

  /** What begins without its quorum has no event that says so, and what was not tracked is not remembered. */
  #askForMissing(now: Instant): void {
    const isDue = this.#followedAt === undefined || microsSince(now, this.#followedAt) >= askAgainEvery;
    if (isDue && this.#silentSince === undefined && this.#isMissing()) this.#follow();
  }

  /** From a snapshot on, of all there are. */
  #follow(): void {
    const { host } = this.#parts;
    this.#following?.close();
    this.#followedAt = host.now();
    this.#silentSince ??= host.now();
    this.#following = host.events.follow("health", ["virtual-server"], {
      snapshot: (states) => {
        this.#silentSince = undefined;
        for (const state of states) this.#take(...reportOfState(state));
        this.#look();
      },
      event: (envelope) => {
        const report = reportOfEvent(envelope);
        if (report === undefined) return;
        this.#take(envelope.aggregate.id, report);
        this.#look();
      },
      disconnected: () => {
        this.#silentSince ??= host.now();
      },
    });
  }

  #excuse(duration: Micros): void {
    if (this.#silentSince !== undefined) this.#silentSince = addMicros(this.#silentSince, duration);
    for (const weighed of this.#weighed.values())
      for (const [name, before] of weighed) weighed.set(name, excuseStayPut(before, duration));
  }

  /** A cause is that of the change: later events of the same virtual server are other stories. */
  #take(name: string, report: Report | undefined): void {
    if (report !== undefined && this.#reports.get(name)?.verdict !== report.verdict) this.#reports.set(name, report);
  }

  #tellStale(): void {
    const { feed, watchers } = this.#parts;
    const tracking = new Map<string, string[]>();
    for (const { name, quorums } of watchers())
      for (const quorum of quorums) tracking.set(quorum.name, [...(tracking.get(quorum.name) ?? []), name]);
    for (const [name, instances] of tracking)
      feed(instances, { type: "tracker-stale", kind: "virtual-server", name, stale: this.#stale });
  }

  /** Members of a sync group change together, with one input. */
  #look(): void {
    const { host, watchers, feed } = this.#parts;
    const now = host.now();
    this.#lookedAt = now;
    const changed = new Map<
      string,
      { readonly name: string; readonly verdict: Verdict; readonly instances: string[] }
    >();
    for (const { name: instance, quorums, inOffice } of watchers()) {
      const weighed = this.#weighed.get(instance) ?? new Map<string, StayPut>();
      this.#weighed.set(instance, weighed);
      for (const { name, weight, hold } of quorums) {
        const known = weighed.get(name);
        const before = known ?? startStayPut("running", weight);
        const reported = this.#reports.get(name)?.verdict;
        const after = weighQuorum(before, { reported, inOffice, stale: this.#stale, hold }, now);
        weighed.set(name, after);
        const verdict = after.counted;
        if (verdict === undefined || verdict === known?.counted) continue;
        const key = `${verdict} ${name}`;
        const alike = changed.get(key) ?? { name, verdict, instances: [] };
        changed.set(key, alike);
        alike.instances.push(instance);
      }
    }
    for (const { name, verdict, instances } of changed.values()) feed(instances, this.#input(name, verdict));
  }

  #input(name: string, status: Verdict): TrackerInput {
    const report = this.#reports.get(name);
    // One that counts as worse because it has only just started has no cause yet.
    const cause = report?.verdict === status ? report.cause : undefined;
    return { type: "tracker-changed", kind: "virtual-server", name, status, cause };
  }
}

function reportOfState({ state }: AggregateState): [name: string, report: Report | undefined] {
  if (state?.$case !== "virtualServer") return ["", undefined];
  const { name, quorumUp } = state.value;
  return [name, { verdict: quorumUp ? "up" : "down", cause: causeOf(state.value) }];
}

/** One that ends, or is taken out of the configuration, says nothing of its servers. */
function reportOfEvent({ id, correlationId, traceparent, event }: EventEnvelope): Report | undefined {
  const cause = { id, correlationId, traceparent };
  if (event.type === "quorum-gained") return { verdict: "up", cause };
  if (event.type !== "quorum-lost" || event.data.reason === "stop" || event.data.reason === "removed") return undefined;
  return { verdict: "down", cause };
}
