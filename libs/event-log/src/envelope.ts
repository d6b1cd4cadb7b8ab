// Whether an unknown value is an event as this version understands it: journals outlive releases.
import { isEventType } from "@baton/contracts/codec";
import type { EventEnvelope } from "@baton/domain";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const texts = ["id", "time", "node", "service", "correlationId", "causationId"] as const;
const numbers = ["at", "epoch", "version"] as const;

export function readEnvelope(value: unknown): EventEnvelope | undefined {
  if (!isRecord(value)) return undefined;
  if (!texts.every((name) => typeof value[name] === "string")) return undefined;
  if (!numbers.every((name) => Number.isSafeInteger(value[name]))) return undefined;
  const { aggregate, event, traceparent } = value;
  if (!isRecord(aggregate) || typeof aggregate.kind !== "string" || typeof aggregate.id !== "string") {
    return undefined;
  }
  if (!isRecord(event) || typeof event.type !== "string" || !isEventType(event.type)) return undefined;
  if (!isRecord(event.data)) return undefined;
  if (traceparent !== undefined && typeof traceparent !== "string") return undefined;
  return value as unknown as EventEnvelope;
}

/** (epoch, version) rises with every event of an aggregate: what is not above the last one seen was seen. */
export const isAfter = (
  event: Pick<EventEnvelope, "epoch" | "version">,
  last: Pick<EventEnvelope, "epoch" | "version"> | undefined,
): boolean =>
  last === undefined || event.epoch > last.epoch || (event.epoch === last.epoch && event.version > last.version);
