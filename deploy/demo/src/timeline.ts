// What happened after a disturbance, in milliseconds from it. Pure: events of both nodes and the prober's report go in,
// all on CLOCK_BOOTTIME of this one machine.
import type { BatonEventType, EventEnvelope } from "@baton/domain";
import type { ProbeReport } from "@baton/lab";

export interface Moves {
  /** When the disturbance was made. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  /** What shows that it was noticed; the decision itself where silence is the only sign. */
  readonly noticedBy: { readonly node: string; readonly type: BatonEventType };
}

/** Milliseconds after the disturbance; undefined: it did not happen. */
export interface Timeline {
  readonly detectedMs: number | undefined;
  readonly decidedMs: number | undefined;
  readonly addressOnMs: number | undefined;
  readonly announcedMs: number | undefined;
  readonly firstAnswerMs: number | undefined;
  readonly probesLost: number;
  /** From the last answered probe before to the first one after. */
  readonly outageMs: number;
}

export function timelineOf(moves: Moves, events: readonly EventEnvelope[], report: ProbeReport): Timeline {
  const after = (at: number | undefined): number | undefined =>
    at === undefined ? undefined : Math.round((at - moves.at) / 10) / 100;
  const first = (node: string, type: BatonEventType): number | undefined =>
    events
      .filter((envelope) => envelope.node === node && envelope.event.type === type && envelope.at >= moves.at)
      .map(({ at }) => at)
      .sort((a, b) => a - b)[0];
  const outages = report.outages.filter(({ lastLostAt }) => lastLostAt >= moves.at);
  return {
    detectedMs: after(first(moves.noticedBy.node, moves.noticedBy.type)),
    decidedMs: after(first(moves.to, "became-master")),
    addressOnMs: after(first(moves.to, "vip-added")),
    announcedMs: after(first(moves.to, "garp-sent")),
    firstAnswerMs: after(report.reigns.find(({ by, firstAt }) => by === moves.to && firstAt >= moves.at)?.firstAt),
    probesLost: outages.reduce((sum, { lost }) => sum + lost, 0),
    outageMs: Math.round(outages.reduce((sum, { durationMs }) => sum + durationMs, 0) * 100) / 100,
  };
}

/** Whether the address went over, and somebody answered behind it. */
export const hasMoved = (timeline: Timeline): boolean =>
  timeline.decidedMs !== undefined && timeline.addressOnMs !== undefined && timeline.firstAnswerMs !== undefined;

const cell = (millis: number | undefined): string => (millis === undefined ? "not seen" : `${millis.toFixed(1)} ms`);

export function timelineLines(timeline: Timeline): string[] {
  const rows: [string, string][] = [
    ["detected", cell(timeline.detectedMs)],
    ["decided", cell(timeline.decidedMs)],
    ["address on", cell(timeline.addressOnMs)],
    ["announced", cell(timeline.announcedMs)],
    ["first answered probe", cell(timeline.firstAnswerMs)],
    ["probes lost", `${timeline.probesLost}${timeline.probesLost === 0 ? "" : ` in ${cell(timeline.outageMs)}`}`],
  ];
  return rows.map(([what, value]) => `    ${what.padEnd(22)}${value.padStart(12)}`);
}
