// Tracker results of the health service -> election inputs. Health gone changes nothing: its last value stands (SAFETY S15).
import type { AggregateState, TrackerState } from "@baton/contracts";
import type { CauseRef, EventEnvelope } from "@baton/domain";
import type { Host } from "@baton/host";
import type { Input, TrackerStatus } from "@baton/vrrp";

export type TrackerInput = Extract<Input, { type: "tracker-changed" }>;

export interface Trackers {
  /** The last status of each script, for an instance that is added later. */
  current(): readonly TrackerInput[];
  close(): void;
}

export function followTrackers(host: Host, onChange: (input: TrackerInput) => void): Trackers {
  const known = new Map<string, TrackerInput>();
  const take = (input: TrackerInput): void => {
    const before = known.get(input.name);
    // A restarted health service knows nothing yet: what it said before stands until it says something.
    if (input.status === "unknown" && before !== undefined) return;
    known.set(input.name, input);
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
  return script(tracker.name, statusOf(tracker), causeOf(tracker));
}

function fromEvent(envelope: EventEnvelope): TrackerInput | undefined {
  const { event } = envelope;
  if (event.type !== "script-failed" && event.type !== "script-succeeded") return undefined;
  const cause = { id: envelope.id, correlationId: envelope.correlationId, traceparent: envelope.traceparent };
  return script(event.data.script, event.type === "script-failed" ? "down" : "up", cause);
}

const script = (name: string, status: TrackerStatus, cause: CauseRef | undefined): TrackerInput => ({
  type: "tracker-changed",
  kind: "script",
  name,
  status,
  cause,
});

const statusOf = (tracker: TrackerState): TrackerStatus =>
  tracker.status === "up" || tracker.status === "down" ? tracker.status : "unknown";

const causeOf = (tracker: TrackerState): CauseRef | undefined =>
  tracker.lastEventId === ""
    ? undefined
    : {
        id: tracker.lastEventId,
        correlationId: tracker.correlationId === "" ? tracker.lastEventId : tracker.correlationId,
        traceparent: tracker.traceparent === "" ? undefined : tracker.traceparent,
      };
