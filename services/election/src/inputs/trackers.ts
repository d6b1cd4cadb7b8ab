// Tracker results of the health service -> election inputs. Health gone changes nothing: its last value stands (SAFETY S15).
import type { AggregateState, TrackerState } from "@baton/contracts";
import type { CauseRef, EventEnvelope, TrackerKind } from "@baton/domain";
import type { Host } from "@baton/host";
import { type Input, type TrackerStatus, trackerKey } from "@baton/vrrp";

export type TrackerInput = Extract<Input, { type: "tracker-changed" }>;

export interface Trackers {
  /** The last status of each tracker, for an instance that is added later. */
  current(): readonly TrackerInput[];
  close(): void;
}

export function followTrackers(host: Host, onChange: (input: TrackerInput) => void): Trackers {
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
  });
  return { current: () => [...known.values()], close: () => following.close() };
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

const causeOf = (tracker: TrackerState): CauseRef | undefined =>
  tracker.lastEventId === ""
    ? undefined
    : {
        id: tracker.lastEventId,
        correlationId: tracker.correlationId === "" ? tracker.lastEventId : tracker.correlationId,
        traceparent: tracker.traceparent === "" ? undefined : tracker.traceparent,
      };
