// Events that have one first cause, told as a story: each below the one that caused it. Pure.
import type { EventEnvelope } from "@baton/domain";
import { eventLine, eventSentence } from "./event-sentence.ts";

/** Where in a payload the names of its subjects are. */
const named = [
  "instance",
  "address",
  "server",
  "virtualServer",
  "tracker",
  "script",
  "check",
  "group",
  "service",
] as const;

/** A real server goes by its address too: `10.0.0.1` is `10.0.0.1:80`, `2001:db8::1` is `[2001:db8::1]:80`. */
function isAbout({ aggregate, event }: EventEnvelope, name: string): boolean {
  if (aggregate.id === name) return true;
  const data: Readonly<Record<string, unknown>> = event.data;
  if (named.some((field) => data[field] === name)) return true;
  const { server } = data;
  return typeof server === "string" && (/^\[?(.*?)\]?:\d+$/.exec(server)?.[1] ?? "") === name;
}

/** The last event about `name` and all that have its first cause, oldest first; empty: there is none. */
export function storyOf(name: string, events: readonly EventEnvelope[]): readonly EventEnvelope[] {
  const last = events.findLast((envelope) => isAbout(envelope, name));
  if (last === undefined) return [];
  if (last.correlationId === "") return [last];
  return events.filter(({ correlationId }) => correlationId === last.correlationId);
}

/** More than this is no longer seen as one below the other. */
const depthMax = 6;

export function storyLines(story: readonly EventEnvelope[]): string[] {
  const depths = new Map<string, number>();
  const [first] = story;
  return story.map((envelope) => {
    const { id, causationId, at, node, event } = envelope;
    const cause = depths.get(causationId);
    const depth = cause === undefined ? 0 : Math.min(cause + 1, depthMax);
    depths.set(id, depth);
    if (envelope === first) return eventLine(envelope);
    const after = `+${((at - (first?.at ?? at)) / 1_000_000).toFixed(3)} s`;
    return `${after.padStart(23)}  ${"  ".repeat(depth)}${eventSentence(node, event)}`;
  });
}
