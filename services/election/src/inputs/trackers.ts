// Tracker results of the health service -> election inputs. Health gone changes nothing: its last value stands (SAFETY S15).
import type { AggregateState, TrackerState } from "@baton/contracts";
import { type CauseRef, type EventEnvelope, type Instant, instant, type Micros, type TrackerKind } from "@baton/domain";
import type { ConfigSnapshot, Host } from "@baton/host";
import { metric, prometheusName } from "@baton/telemetry";
import { type Input, type TrackerStatus, trackerKey } from "@baton/vrrp";
import { Freshness, type StaleInput } from "./freshness.ts";

/** What health says with each pulse: how long ago it looked. */
const ageName = prometheusName(metric.trackerAge);

export type TrackerInput = Extract<Input, { type: "tracker-changed" }>;

export interface Trackers {
  /** The last status of each tracker and which of them are stale, for an instance that is added later. */
  current(): readonly (TrackerInput | StaleInput)[];
  configure(config: ConfigSnapshot["config"]): void;
  /** Looks for what has become stale; `stalled`: how long this process did not run before. */
  beat(now: Instant, stalled: Micros): void;
  close(): void;
}

export function followTrackers(host: Host, onChange: (input: TrackerInput | StaleInput) => void): Trackers {
  const freshness = new Freshness();
  const known = new Map<string, TrackerInput>();
  const take = (input: TrackerInput): void => {
    const key = trackerKey(input);
    const before = known.get(key);
    // A restarted health service knows nothing yet: what it said before stands until it says something.
    if (input.status === "unknown" && before !== undefined) return;
    known.set(key, input);
    if (before?.status !== input.status) onChange(input);
  };
  const following = host.events.follow("health", ["tracker"], {
    snapshot: (states) => {
      for (const state of states) {
        const input = fromState(state);
        if (input !== undefined) take(input);
      }
    },
    event: (envelope) => {
      const input = fromEvent(envelope);
      if (input !== undefined) take(input);
    },
    counters: (counters) => {
      for (const { name, labels, value } of counters) {
        const { kind: of, tracker = "" } = labels;
        const kind = trackerKinds.find((each) => each === of);
        if (name !== ageName || kind === undefined || !Number.isFinite(value)) continue;
        const at = host.now() - Math.round(value * 1_000_000);
        freshness.confirm({ kind, name: tracker }, instant(Math.max(0, at)));
      }
    },
  });
  return {
    current: () => [...known.values(), ...freshness.stale()],
    configure: (config) => freshness.configure(config, host.now()),
    beat(now, stalled) {
      if (stalled > 0) freshness.excuse(stalled);
      for (const input of freshness.changes(now)) onChange(input);
    },
    close: () => following.close(),
  };
}

function fromState(state: AggregateState): TrackerInput | undefined {
  if (state.state?.$case !== "tracker") return undefined;
  const tracker = state.state.value;
  const kind = trackerKinds.find((each) => each === tracker.kind);
  return (
    kind && { type: "tracker-changed", kind, name: tracker.name, status: statusOf(tracker), cause: causeOf(tracker) }
  );
}

const trackerKinds = ["script", "file", "process", "bfd"] as const satisfies readonly TrackerKind[];

function fromEvent(envelope: EventEnvelope): TrackerInput | undefined {
  const { event } = envelope;
  const cause = { id: envelope.id, correlationId: envelope.correlationId, traceparent: envelope.traceparent };
  const changed = (kind: TrackerKind, name: string, status: TrackerStatus): TrackerInput => ({
    type: "tracker-changed",
    kind,
    name,
    status,
    cause,
  });
  switch (event.type) {
    case "script-failed":
      return changed("script", event.data.script, "down");
    case "script-succeeded":
      return changed("script", event.data.script, "up");
    case "file-changed":
      return changed("file", event.data.file, event.data.value);
    case "process-quorum-lost":
      return changed("process", event.data.process, "down");
    case "process-quorum-gained":
      return changed("process", event.data.process, "up");
    case "bfd-session-up":
      return changed("bfd", event.data.session, "up");
    case "bfd-session-down":
      return changed("bfd", event.data.session, "down");
    default:
      return undefined;
  }
}

function statusOf({ status, value }: TrackerState): TrackerStatus {
  if (status === "read") return value;
  return status === "up" || status === "down" ? status : "unknown";
}

/** The event that a state is the outcome of. */
export const causeOf = (
  tracker: Pick<TrackerState, "lastEventId" | "correlationId" | "traceparent">,
): CauseRef | undefined =>
  tracker.lastEventId === ""
    ? undefined
    : {
        id: tracker.lastEventId,
        correlationId: tracker.correlationId === "" ? tracker.lastEventId : tracker.correlationId,
        traceparent: tracker.traceparent === "" ? undefined : tracker.traceparent,
      };
