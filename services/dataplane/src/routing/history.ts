// What happens to many routes and rules at once is one event: names in lists, in the order in which it was done.
import type { BatonEvent } from "@baton/domain";
import type { Story } from "../chronicle.ts";
import type { Report } from "../types.ts";
import type { ManagedRouting } from "./managed.ts";

export interface RoutingLists {
  readonly routes: string[];
  readonly rules: string[];
}

/** So many names make one event: the bus carries a megabyte at most. */
const namesMax = 500;

export function routingEvents(
  { routes, rules }: RoutingLists,
  eventOf: (lists: RoutingLists) => BatonEvent,
): BatonEvent[] {
  const events: BatonEvent[] = [];
  for (let start = 0; start < Math.max(routes.length, rules.length); start += namesMax) {
    const end = start + namesMax;
    events.push(eventOf({ routes: routes.slice(start, end), rules: rules.slice(start, end) }));
  }
  return events;
}

interface Chapter {
  readonly instance: string;
  readonly story: Story;
  readonly lists: RoutingLists;
  readonly eventOf: (lists: RoutingLists) => BatonEvent;
}

/** Repairs and failures: those of one step and kind are told together. */
export class RoutingHistory {
  readonly #chapters = new Map<string, Chapter>();

  repaired(object: ManagedRouting, story: Story): void {
    const { instance } = object;
    const { term } = story;
    this.#add("repaired", object, story, (lists) => ({ type: "routes-repaired", data: { instance, ...lists, term } }));
  }

  failed(object: ManagedRouting, story: Story, error: string): void {
    const { instance } = object;
    const { term } = story;
    this.#add(`failed ${error}`, object, story, (lists) => ({
      type: "routes-failed",
      data: { instance, ...lists, term, error },
    }));
  }

  take(): Report[] {
    const reports = [...this.#chapters.values()].map(({ instance, story, lists, eventOf }): Report => {
      const events = routingEvents(lists, eventOf);
      return { type: "report", instance, span: undefined, events, cause: story.cause, chained: false };
    });
    this.#chapters.clear();
    return reports;
  }

  #add(what: string, object: ManagedRouting, story: Story, eventOf: Chapter["eventOf"]): void {
    const key = `${object.instance}\0${story.term}\0${what}`;
    const lists: RoutingLists = { routes: [], rules: [] };
    const chapter = this.#chapters.get(key) ?? { instance: object.instance, story, lists, eventOf };
    this.#chapters.set(key, chapter);
    chapter.lists[`${object.kind}s`].push(object.text);
  }
}
