// Turns what was done into events and spans, grouped by instance, each with the cause that started it. Only history is
// made here: nothing waits for it (SAFETY S7), and a removal may wait a moment for the event that explains it.
import { addMicros, type BatonEvent, type CauseRef, type Instant, micros, type Term, term } from "@baton/domain";
import { attribute, spanName } from "@baton/telemetry";
import type { ManagedAddress } from "./desired.ts";
import type { Lease, Refusal } from "./lease-book.ts";
import { RoutingHistory, type RoutingLists, routingEvents } from "./routing/history.ts";
import type { ManagedRouting } from "./routing/managed.ts";
import type { Input, Report, SpanPlan, Transition } from "./types.ts";

/** A released claim names no event; became-backup comes over the other channel within this. */
export const explanationWait = micros(20_000);

type Announced = Extract<Input, { type: "announced" }>;

/** Why an address was touched. */
export interface Story {
  readonly term: Term;
  readonly cause: CauseRef | undefined;
  readonly since: Instant;
}

export const storyOf = (lease: Lease | undefined, since: Instant): Story => ({
  term: lease?.term ?? term(0),
  cause: lease?.cause,
  since,
});

interface Chapter extends Story {
  readonly routing: RoutingLists;
  readonly addresses: ManagedAddress[];
  readonly events: BatonEvent[];
  endedAt: Instant;
}

interface RemovalChapter extends Chapter {
  readonly reason: string;
  readonly explainBy: Instant | undefined;
}

export class Chronicle {
  readonly #added = new Map<string, Chapter>();
  readonly #removed = new Map<string, RemovalChapter>();
  /** The last event that took each instance out of mastership. */
  readonly #downs = new Map<string, Transition>();
  readonly #ready: Report[] = [];
  readonly #routing = new RoutingHistory();
  /** Removals that what follows them cannot wait for. */
  readonly #early: Report[] = [];

  seen(transition: Transition): void {
    if (transition.type !== "became-master") this.#downs.set(transition.instance, transition);
  }

  added(address: ManagedAddress, story: Story, now: Instant): void {
    const chapter = this.#additionOf(address.instance, story, now);
    chapter.addresses.push(address);
    chapter.events.push({
      type: "vip-added",
      data: {
        ...placeOf(address),
        label: address.label ?? "",
        term: story.term,
        elapsedMicros: Math.max(0, now - story.since),
      },
    });
  }

  /** `explained` false: the event that says why may still be under way. */
  removed(address: ManagedAddress, story: Story & { reason: string; explained: boolean }, now: Instant): void {
    const chapter = this.#removalOf(address.instance, story, now, story.explained, story.reason);
    chapter.addresses.push(address);
    const { term, reason } = story;
    chapter.events.push({ type: "vip-removed", data: { ...placeOf(address), term, reason } });
  }

  routingAdded(object: ManagedRouting, story: Story, now: Instant): void {
    this.#additionOf(object.instance, story, now).routing[`${object.kind}s`].push(object.text);
  }

  routingRemoved(object: ManagedRouting, story: Story & { reason: string; explained: boolean }, now: Instant): void {
    const chapter = this.#removalOf(object.instance, story, now, story.explained, story.reason);
    chapter.routing[`${object.kind}s`].push(object.text);
  }

  routingRepaired(object: ManagedRouting, story: Story): void {
    this.#routing.repaired(object, story);
  }

  routingFailed(object: ManagedRouting, story: Story, error: string): void {
    this.#routing.failed(object, story, error);
  }

  /** Opens the story of the removals that follow it. */
  expired(instance: string, story: Story, silentMs: number, now: Instant): void {
    const chapter = this.#removalOf(instance, story, now, true, "lease-expired");
    chapter.events.push({ type: "lease-expired", data: { instance, term: story.term, silentMs } });
  }

  failed(address: ManagedAddress, story: Story, error: string): void {
    this.#tell(address.instance, story.cause, {
      type: "vip-failed",
      data: { ...placeOf(address), term: story.term, error },
    });
  }

  repaired(address: ManagedAddress, story: Story, kind: "missing" | "different" | "extra"): void {
    this.#tell(address.instance, story.cause, {
      type: "drift-repaired",
      data: { ...placeOf(address), term: story.term, kind },
    });
  }

  driftWar(address: ManagedAddress, story: Story, repairs: number): void {
    this.#tell(address.instance, story.cause, {
      type: "drift-war",
      data: { ...placeOf(address), term: story.term, repairs },
    });
  }

  refused(instance: string, refusal: Refusal): void {
    const { term, reason, cause } = refusal;
    this.#tell(instance, cause, { type: "claim-refused", data: { instance, term, reason } });
  }

  announced({ burst, sent, error, startedAt, endedAt }: Announced): void {
    const { instance, interface: name, term, reason, whole } = burst;
    const count = sent + (whole?.sent ?? 0);
    if (!burst.told || (count === 0 && error === undefined)) return;
    const { addresses } = whole ?? burst;
    const span: SpanPlan = {
      name: spanName.garpSend,
      startedAt,
      endedAt,
      attributes: {
        [attribute.instance]: instance,
        [attribute.interface]: name,
        [attribute.term]: term,
        [attribute.garpCount]: count,
        [attribute.addresses]: addresses,
        [attribute.reason]: reason,
      },
      ...(error === undefined ? {} : { error }),
    };
    const elapsedMicros = Math.max(0, endedAt - burst.since);
    const event: BatonEvent = {
      type: "garp-sent",
      data: { instance, interface: name, term, addresses: [...addresses], count, elapsedMicros, reason },
    };
    const events = count === 0 ? [] : [event];
    this.#ready.push({ type: "report", instance, span, events, cause: burst.cause, chained: false });
  }

  /** What can be told now. Additions first: they are what an announcement's event refers to. */
  take(now: Instant): Report[] {
    const reports = this.#early.splice(0);
    for (const [instance, chapter] of this.#added) reports.push(additionReport(instance, chapter));
    this.#added.clear();
    reports.push(...this.#ready.splice(0), ...this.#routing.take());
    for (const [instance, chapter] of this.#removed) {
      const explanation = this.#explanationOf(instance, chapter);
      if (chapter.explainBy !== undefined && explanation === undefined && chapter.explainBy > now) continue;
      this.#removed.delete(instance);
      reports.push(removalReport(instance, { ...chapter, cause: explanation ?? chapter.cause }));
    }
    return reports;
  }

  *deadlines(): Iterable<Instant> {
    for (const { explainBy } of this.#removed.values()) if (explainBy !== undefined) yield explainBy;
  }

  #additionOf(instance: string, story: Story, now: Instant): Chapter {
    this.#tellBefore(instance);
    const known = this.#added.get(instance);
    if (known !== undefined) {
      known.endedAt = now;
      return known;
    }
    const chapter = { ...story, addresses: [], events: [], routing: { routes: [], rules: [] }, endedAt: now };
    this.#added.set(instance, chapter);
    return chapter;
  }

  #removalOf(instance: string, story: Story, now: Instant, explained: boolean, reason: string): RemovalChapter {
    const known = this.#removed.get(instance);
    if (known !== undefined && known.term === story.term) return known;
    this.#tellBefore(instance);
    const explainBy = explained ? undefined : addMicros(now, explanationWait);
    const lists = { addresses: [], events: [], routing: { routes: [], rules: [] } };
    const chapter: RemovalChapter = { ...story, ...lists, endedAt: now, explainBy, reason };
    this.#removed.set(instance, chapter);
    return chapter;
  }

  /** What is still untold of an earlier removal is told as it stands: the order of events is the order of facts. */
  #tellBefore(instance: string): void {
    const untold = this.#removed.get(instance);
    if (untold === undefined) return;
    this.#removed.delete(instance);
    const cause = this.#explanationOf(instance, untold) ?? untold.cause;
    this.#early.push(removalReport(instance, { ...untold, cause }));
  }

  #explanationOf(instance: string, chapter: RemovalChapter): CauseRef | undefined {
    const down = this.#downs.get(instance);
    return chapter.explainBy !== undefined && down?.term === chapter.term ? down.cause : undefined;
  }

  #tell(instance: string, cause: CauseRef | undefined, event: BatonEvent): void {
    this.#ready.push({ type: "report", instance, span: undefined, events: [event], cause, chained: false });
  }
}

const placeOf = (address: ManagedAddress): { instance: string; address: string; interface: string } => ({
  instance: address.instance,
  address: address.address,
  interface: address.interface,
});

function additionReport(instance: string, chapter: Chapter): Report {
  const { term, since, endedAt, routing, events } = chapter;
  const elapsedMicros = Math.max(0, endedAt - since);
  const more = routingEvents(routing, (lists) => ({
    type: "routes-added",
    data: { instance, ...lists, term, elapsedMicros },
  }));
  return reportOf(spanName.addressAssign, instance, { ...chapter, events: [...events, ...more] }, false);
}

/** What needs the addresses goes before them, but the reason of all comes first. */
function removalReport(instance: string, chapter: RemovalChapter): Report {
  const { term, reason, routing } = chapter;
  const routes = routingEvents(routing, (lists) => ({
    type: "routes-removed",
    data: { instance, ...lists, term, reason },
  }));
  const expired = chapter.events.filter(({ type }) => type === "lease-expired");
  const others = chapter.events.filter(({ type }) => type !== "lease-expired");
  const events = [...expired, ...routes, ...others];
  return reportOf(spanName.addressRemove, instance, { ...chapter, events }, expired.length > 0);
}

const reportOf = (name: SpanPlan["name"], instance: string, chapter: Chapter, chained: boolean): Report => ({
  type: "report",
  instance,
  span:
    chapter.addresses.length === 0
      ? undefined
      : {
          name,
          startedAt: chapter.since,
          endedAt: chapter.endedAt,
          attributes: {
            [attribute.instance]: instance,
            [attribute.term]: chapter.term,
            [attribute.addresses]: chapter.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
          },
        },
  events: chapter.events,
  cause: chapter.cause,
  chained,
});
