// What customers, scripts, events and the kernel's rules had to say of a storm, and what of that may not be.
import type { Disappointment } from "@baton/balancing";
import type { EventEnvelope } from "@baton/domain";

/** Everything so far, in its order. */
export interface View {
  readonly events: readonly EventEnvelope[];
  /** A line for each script that was run. */
  readonly notes: readonly string[];
  /** Changes of the kernel's rules. */
  readonly changes: readonly string[];
  readonly disappointments: readonly Disappointment[];
}

/** What may be seen of a storm, and has to be. */
export interface Expected {
  /** Whom it was about: only its customers may notice, only of it may be spoken. */
  readonly touched?: { readonly name: string; readonly address: string };
  /** Of it, once of each service. */
  readonly event?: "realserver-up" | "realserver-down";
  readonly services: number;
  /** When everything was right: milliseconds of the wall clock. */
  readonly rightAt: number;
}

/** Empty: nothing was seen that should not have been, and nothing is missing. */
export function wrongIn(expected: Expected, before: View, after: View): string[] {
  const news = <T>(of: (view: View) => readonly T[]): T[] => of(after).slice(of(before).length);
  return [
    ...wrongEvents(
      expected,
      news((view) => view.events),
    ),
    ...wrongNotes(
      expected,
      news((view) => view.notes),
    ),
    ...wrongChanges(
      expected,
      news((view) => view.changes),
    ),
    ...wrongToCustomers(
      expected,
      news((view) => view.disappointments),
    ),
  ];
}

function wrongEvents({ touched, event, services }: Expected, news: readonly EventEnvelope[]): string[] {
  const spoken = news.filter((each) => /^(realserver|quorum|sorry)/.test(each.event.type));
  const isOfIt = (each: EventEnvelope): boolean =>
    touched !== undefined && JSON.stringify(each.event.data).includes(touched.address);
  const strange = spoken.filter((each) => !isOfIt(each));
  const types = spoken.filter(isOfIt).map((each) => each.event.type);
  const wanted = Array.from({ length: services }, () => event);
  return [
    ...strange.map((each) => `${each.event.type} ${JSON.stringify(each.event.data)}`),
    ...(event !== undefined && types.join() !== wanted.join() ? [`of ${touched?.name}: ${types.join()}`] : []),
  ];
}

function wrongNotes({ touched, event, services }: Expected, news: readonly string[]): string[] {
  if (event === undefined) {
    // A reload: who comes or goes with it may be told of, and nobody else.
    const strange = news.filter((note) => touched === undefined || !note.startsWith(touched.name));
    return strange.length === 0 ? [] : [`notified: ${strange.join()}`];
  }
  const wanted = Array.from({ length: services }, () => `${touched?.name}-${event.slice("realserver-".length)}`);
  return news.join() === wanted.join() ? [] : [`notified: ${news.join()}`];
}

const wrongChanges = ({ touched }: Expected, news: readonly string[]): string[] =>
  touched === undefined && news.length > 0 ? [`the kernel's rules were changed: ${news.slice(0, 5).join("; ")}`] : [];

function wrongToCustomers({ touched, rightAt }: Expected, news: readonly Disappointment[]): string[] {
  const isExcused = ({ server, since }: Disappointment): boolean =>
    touched !== undefined && (server === touched.name || (server === undefined && since <= rightAt));
  return news
    .filter((each) => !isExcused(each))
    .slice(0, 5)
    .map((each) => JSON.stringify(each));
}
