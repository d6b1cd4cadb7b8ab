// What others see of a tracker: its Watch state and its metric samples.
import type { AggregateState, Counter } from "@baton/contracts";
import type { CauseRef } from "@baton/domain";
import type { ScriptTracker } from "@baton/health";
import { type MetricName, metric, prometheusName } from "@baton/telemetry";

export function toAggregateState(
  state: ScriptTracker,
  version: number,
  lastEvent: CauseRef | undefined,
): AggregateState {
  const { config, counts } = state;
  return {
    kind: "tracker",
    id: config.name,
    version,
    state: {
      $case: "tracker",
      value: {
        name: config.name,
        kind: "script",
        status: state.status,
        result: state.result,
        checkedAt: state.checkedAt ?? 0,
        lastExit: state.lastExit,
        lastEventId: lastEvent?.id ?? "",
        correlationId: lastEvent?.correlationId ?? "",
        traceparent: lastEvent?.traceparent ?? "",
        runs: counts.runs,
        skipped: counts.skipped,
        timeouts: counts.timeouts,
      },
    },
  };
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
