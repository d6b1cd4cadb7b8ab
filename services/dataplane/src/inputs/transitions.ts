// Election's events as the core knows them: the edge that starts and ends work (SAFETY S1).
import { type EventEnvelope, instant, term } from "@baton/domain";
import type { Transition, TransitionType } from "../types.ts";

const types: ReadonlySet<string> = new Set<TransitionType>([
  "became-master",
  "became-backup",
  "entered-fault",
  "instance-stopped",
]);

const isTransition = (type: string): type is TransitionType => types.has(type);

export function transitionOf({ id, correlationId, traceparent, at, event }: EventEnvelope): Transition | undefined {
  if (!isTransition(event.type) || !("term" in event.data && "instance" in event.data)) return undefined;
  const { instance, term: number } = event.data;
  if (!Number.isSafeInteger(number) || number < 0 || !Number.isSafeInteger(at)) return undefined;
  return { type: event.type, instance, term: term(number), cause: { id, correlationId, traceparent }, at: instant(at) };
}
