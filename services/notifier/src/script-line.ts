// The notify scripts of one instance stand in one line: in order, one at a time. Pure; time is an argument.
//
// keepalived runs them side by side without a limit, so that a slow notify_backup can end after the notify_master that
// came later. Here a script may take as long as it likes while its state is the newest. Once a later state waits, it has
// `grace` to finish; then it is ended (SIGTERM, 2 s, SIGKILL), so that no state waits for ever. While the node stops
// there is no time for that: the STOP script starts beside it, as with keepalived.
import { addMicros, type Instant, type Micros, micros } from "@baton/domain";

const killDelay = micros(2_000_000);
const leavingGrace = micros(300_000);
/** A bound, not a policy: a flapping instance with a hung script drops the oldest that wait. */
export const waitingMax = 64;

/** Jobs of one change of state carry the same `change` and do not press each other. */
export interface Standing {
  readonly change: object;
}

export interface Line<Job extends Standing> {
  readonly grace: Micros;
  readonly running: Running<Job> | undefined;
  readonly waiting: readonly Job[];
  /** How many were started: the number of the last one. */
  readonly turns: number;
  readonly leaving: boolean;
}

interface Running<Job> {
  readonly job: Job;
  readonly turn: number;
  readonly signals: number;
  /** Undefined while no later state waits. */
  readonly signalAt: Instant | undefined;
}

export type LineInput<Job> =
  | { readonly type: "offered"; readonly jobs: readonly Job[] }
  | { readonly type: "script-exited"; readonly turn: number }
  | { readonly type: "deadline-reached" }
  /** The node stops: what waits and is not of the newest change is not told any more. */
  | { readonly type: "leave" };

export type LineEffect<Job> =
  | { readonly type: "start-script"; readonly job: Job; readonly turn: number }
  | { readonly type: "kill-script"; readonly turn: number; readonly signal: "SIGTERM" | "SIGKILL" }
  /** Never started. */
  | { readonly type: "drop"; readonly job: Job; readonly reason: string };

export interface LineStep<Job extends Standing> {
  readonly line: Line<Job>;
  readonly effects: readonly LineEffect<Job>[];
}

export const emptyLine = <Job extends Standing>(grace: Micros): Line<Job> => ({
  grace,
  running: undefined,
  waiting: [],
  turns: 0,
  leaving: false,
});

export const lineDeadline = <Job extends Standing>(line: Line<Job>): Instant | undefined => line.running?.signalAt;

export function stepLine<Job extends Standing>(line: Line<Job>, input: LineInput<Job>, now: Instant): LineStep<Job> {
  switch (input.type) {
    case "offered":
      return advance(queue(line, input.jobs), now);
    case "script-exited":
      // Another turn: a script that was left behind while the node stops.
      if (line.running?.turn !== input.turn) return { line, effects: [] };
      return advance({ line: { ...line, running: undefined }, effects: [] }, now);
    case "deadline-reached":
      return onDeadline(line, now);
    case "leave":
      return advance(dropOlder({ ...line, leaving: true }), now);
  }
}

function queue<Job extends Standing>(line: Line<Job>, jobs: readonly Job[]): LineStep<Job> {
  const waiting = [...line.waiting, ...jobs];
  if (line.leaving) return dropOlder({ ...line, waiting });
  const excess = waiting.splice(0, Math.max(0, waiting.length - waitingMax));
  return { line: { ...line, waiting }, effects: excess.map((job) => drop(job, "too many later states")) };
}

function dropOlder<Job extends Standing>(line: Line<Job>): LineStep<Job> {
  const newest = line.waiting.at(-1)?.change;
  const older = line.waiting.filter((job) => job.change !== newest);
  const waiting = line.waiting.filter((job) => job.change === newest);
  return { line: { ...line, waiting }, effects: older.map((job) => drop(job, "the node stops")) };
}

const drop = <Job>(job: Job, reason: string): LineEffect<Job> => ({ type: "drop", job, reason });

/** Starts the next job if the place is free; otherwise sees to it that the place becomes free. */
function advance<Job extends Standing>({ line, effects }: LineStep<Job>, now: Instant): LineStep<Job> {
  const [job, ...waiting] = line.waiting;
  if (job === undefined) return { line, effects };
  if (line.running !== undefined) return { line: { ...line, running: press(line.running, line, now) }, effects };
  const turn = line.turns + 1;
  const started = { ...line, waiting, turns: turn };
  const running = press({ job, turn, signals: 0, signalAt: undefined }, started, now);
  return { line: { ...started, running }, effects: [...effects, { type: "start-script", job, turn }] };
}

/** A later state waits: from now on the running script's time is limited. */
function press<Job extends Standing>(running: Running<Job>, line: Line<Job>, now: Instant): Running<Job> {
  if (!line.waiting.some((job) => job.change !== running.job.change)) return running;
  const limit = addMicros(now, line.leaving ? leavingGrace : line.grace);
  const signalAt = running.signalAt === undefined || limit < running.signalAt ? limit : running.signalAt;
  return { ...running, signalAt };
}

function onDeadline<Job extends Standing>(line: Line<Job>, now: Instant): LineStep<Job> {
  const { running } = line;
  if (running?.signalAt === undefined || now < running.signalAt) return { line, effects: [] };
  if (line.leaving) return advance({ line: { ...line, running: undefined }, effects: [] }, now);
  const signal = running.signals === 0 ? "SIGTERM" : "SIGKILL";
  const next = { ...running, signals: running.signals + 1, signalAt: addMicros(now, killDelay) };
  return { line: { ...line, running: next }, effects: [{ type: "kill-script", turn: running.turn, signal }] };
}
