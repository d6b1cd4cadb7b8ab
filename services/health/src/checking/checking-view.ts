// What others see of checks and pools: their Watch states and their metric samples.
import type { AggregateState, Counter } from "@baton/contracts";
import { checkFailureWords } from "@baton/domain";
import { type Checker, isProbed, liveWeight, type ProbeOutcome } from "@baton/health";
import type { Host } from "@baton/host";
import { type MetricName, metric, prometheusName } from "@baton/telemetry";
import type { CheckBoard, CheckMember } from "./check-board.ts";
import type { Drains } from "./drains.ts";
import { obstacleWords } from "./obstacle-words.ts";
import type { PoolMember } from "./pool-board.ts";

type Events = Pick<Host["events"], "version">;

export function checkerState(member: CheckMember, events: Events): AggregateState {
  const { name, state, users, heardAt, lastEvent } = member;
  const probed = isProbed(state) ? state : undefined;
  const aggregate = { kind: "checker", id: name } as const;
  const value = {
    name,
    type: state.config.type,
    status: statusOf(member),
    attempts: state.up && state.hasRun ? (probed?.failures ?? 0) : 0,
    checkedAt: probed?.last?.endedAt ?? heardAt ?? 0,
    lastFailure: probed?.last === undefined ? "" : failureWords(name, probed, probed.last.outcome),
    runs: probed?.counts.runs ?? 0,
    failures: probed?.counts.failures ?? 0,
    latenessMicros: Math.max(0, probed?.last?.lateness ?? 0),
    suspended: probed?.suspended ?? false,
    shared: new Set(users.map(({ pool, server }) => `${pool}\n${server}`)).size,
    lastEventId: lastEvent?.id ?? "",
    correlationId: lastEvent?.correlationId ?? "",
    traceparent: lastEvent?.traceparent ?? "",
  };
  return { ...aggregate, version: events.version(aggregate), state: { $case: "checker", value } };
}

type Status = "unknown" | "up" | "down";

function statusOf({ state: { up, hasRun } }: CheckMember): Status {
  if (!hasRun) return "unknown";
  return up ? "up" : "down";
}

function failureWords(check: string, { failures, url }: Checker, outcome: ProbeOutcome): string {
  if (outcome.ok === undefined) return `cannot be tried: ${obstacleWords(outcome)}`;
  if (outcome.ok) return "";
  const { reason, errno = "", status = 0, excerpt = "", detail = "" } = outcome;
  return checkFailureWords({ check, reason, errno, status, excerpt, detail, durationMs: 0, attempt: failures, url });
}

export function virtualServerState(member: PoolMember, drains: Drains, events: Events): AggregateState {
  const { name, state, wanted, quorumSince, lastEvent } = member;
  const aggregate = { kind: "virtual-server", id: name } as const;
  const value = {
    name,
    quorum: state.config.quorum,
    hysteresis: state.config.hysteresis,
    quorumUp: state.quorumUp,
    sorry: state.sorry,
    held: state.held ?? "",
    servers: state.servers.map(({ config: { server, weight }, alive, drain, checks }) => ({
      server,
      alive,
      drain,
      drainUntil: drains.of(name, server).until ?? 0,
      configuredWeight: weight,
      failing: checks.filter(({ up }) => !up).map(({ check }) => check),
    })),
    destinations: wanted.map((each) => ({ ...each })),
    liveWeight: liveWeight(state),
    since: quorumSince,
    lastEventId: lastEvent?.id ?? "",
    correlationId: lastEvent?.correlationId ?? "",
    traceparent: lastEvent?.traceparent ?? "",
  };
  return { ...aggregate, version: events.version(aggregate), state: { $case: "virtualServer", value } };
}

const sample = (of: MetricName, value: number, labels: Record<string, string>, suffix = ""): Counter => ({
  name: prometheusName(of) + suffix,
  labels,
  value,
});

/** Ages of single checks, where they are this few; of more the oldest of each type tells whether somebody is forgotten. */
export const agesMax = 200;

export function checkCounters({ members, totals, queue }: CheckBoard, now: number): Counter[] {
  if (members.size === 0) return [];
  return [
    ...[...totals.byType()].flatMap(([kind, of]) => [
      sample(metric.checkResults, of.success, { kind, outcome: "success" }),
      sample(metric.checkResults, of.failure, { kind, outcome: "failure" }),
      sample(metric.checkResults, of.obstacle, { kind, outcome: "obstacle" }),
      sample(metric.checkDuration, of.durationSeconds, { kind }, "_sum"),
      sample(metric.checkDuration, of.success + of.failure, { kind }, "_count"),
      sample(metric.checkLateness, of.latenessSeconds, { kind }, "_sum"),
      sample(metric.checkLateness, of.success + of.failure + of.obstacle, { kind }, "_count"),
    ]),
    sample(metric.probes, queue.running, { state: "running" }),
    sample(metric.probes, queue.waiting, { state: "waiting" }),
    ...standing([...members.values()], now),
  ];
}

function standing(members: readonly CheckMember[], now: number): Counter[] {
  const counts = new Map<string, Record<Status, number>>();
  const oldest = new Map<string, number>();
  const ages: Counter[] = [];
  for (const member of members) {
    const { name, state } = member;
    const kind = state.config.type;
    const count = counts.get(kind) ?? { unknown: 0, up: 0, down: 0 };
    count[statusOf(member)]++;
    counts.set(kind, count);
    // What is suspended is not looked at on purpose.
    if (!isProbed(state) || state.last === undefined || state.suspended) continue;
    const age = Math.max(0, now - state.last.endedAt) / 1_000_000;
    oldest.set(kind, Math.max(age, oldest.get(kind) ?? 0));
    if (members.length <= agesMax) ages.push(sample(metric.checkAge, age, { kind, check: name }));
  }
  return [
    ...[...counts].flatMap(([kind, count]) =>
      (["unknown", "up", "down"] as const).map((status) => sample(metric.checks, count[status], { kind, status })),
    ),
    ...[...oldest].map(([kind, age]) => sample(metric.checkAgeMax, age, { kind })),
    ...ages,
  ];
}
