// What others see of a tracker: its Watch state and its metric samples.
import type { AggregateState, Counter, TrackerState } from "@baton/contracts";
import { type CauseRef, type Instant, type TrackerKind, trackerAggregate } from "@baton/domain";
import type { BfdSession, FileTracker, ProcessTracker, ScriptTracker } from "@baton/health";
import { type MetricName, metric, prometheusName } from "@baton/telemetry";

/** Where the story of the present status began, and the version of the tracker's last event. */
export interface TrackerHistory {
  readonly version: number;
  readonly lastEvent: CauseRef | undefined;
}

export const scriptState = (state: ScriptTracker, history: TrackerHistory): AggregateState =>
  trackerState("script", state.config.name, history, {
    status: state.status,
    result: state.result,
    checkedAt: state.checkedAt ?? 0,
    lastExit: state.lastExit,
    runs: state.counts.runs,
    skipped: state.counts.skipped,
    timeouts: state.counts.timeouts,
  });

export const fileState = (state: FileTracker, checkedAt: Instant, history: TrackerHistory): AggregateState =>
  trackerState("file", state.name, history, {
    status: state.value === undefined ? "unknown" : "read",
    value: state.value ?? 0,
    checkedAt,
  });

export const processState = (state: ProcessTracker, checkedAt: Instant, history: TrackerHistory): AggregateState =>
  trackerState("process", state.config.name, history, { status: state.status, value: state.running, checkedAt });

export const bfdState = (state: BfdSession, history: TrackerHistory): AggregateState =>
  trackerState("bfd", state.config.name, history, {
    status: state.status,
    checkedAt: state.heardAt,
    lastExit: state.diagnostic === "none" ? "" : state.diagnostic,
  });

function trackerState(
  kind: TrackerKind,
  name: string,
  { version, lastEvent }: TrackerHistory,
  facts: Partial<TrackerState>,
): AggregateState {
  const value: TrackerState = {
    name,
    kind,
    status: "unknown",
    result: 0,
    checkedAt: 0,
    lastExit: "",
    lastEventId: lastEvent?.id ?? "",
    correlationId: lastEvent?.correlationId ?? "",
    traceparent: lastEvent?.traceparent ?? "",
    runs: 0,
    skipped: 0,
    timeouts: 0,
    value: 0,
    ...facts,
  };
  return { ...trackerAggregate(kind, name), version, state: { $case: "tracker", value } };
}

/** Sum and count only of the duration: a check's distribution is worth less than a series per bucket and script costs. */
export function toCounters(state: ScriptTracker): Counter[] {
  const { config, counts } = state;
  const labels = { kind: "script", tracker: config.name };
  const sample = (of: MetricName, value: number, suffix = "", more: Record<string, string> = {}): Counter => ({
    name: prometheusName(of) + suffix,
    labels: { ...labels, ...more },
    value,
  });
  const samples = [
    sample(metric.checkResults, counts.finished - counts.failures, "", { outcome: "success" }),
    sample(metric.checkResults, counts.failures, "", { outcome: "failure" }),
    sample(metric.checkSkipped, counts.skipped),
    sample(metric.checkTimeouts, counts.timeouts),
    sample(metric.checkDuration, counts.duration / 1_000_000, "_sum"),
    sample(metric.checkDuration, counts.finished, "_count"),
  ];
  return state.status === "unknown"
    ? samples
    : [...samples, sample(metric.trackerStatus, state.status === "up" ? 1 : 0)];
}

/**
 * How long ago each tracker was looked at: its last finished run for a script. The others are told of every change, and
 * so are confirmed by whoever is alive to say so (SAFETY S15).
 */
export function agesOf(states: readonly AggregateState[], now: Instant): Counter[] {
  return states.flatMap(({ state }) => {
    if (state?.$case !== "tracker") return [];
    const { kind, name, checkedAt } = state.value;
    // A script that has not run has no age.
    if (kind === "script" && checkedAt === 0) return [];
    const value = kind === "script" ? Math.max(0, now - checkedAt) / 1_000_000 : 0;
    return [{ name: prometheusName(metric.trackerAge), labels: { kind, tracker: name }, value }];
  });
}
