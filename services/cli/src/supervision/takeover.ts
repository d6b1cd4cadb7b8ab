// Taking over from a supervisor that was killed (SAFETY S19). Its services work on; they hear nothing from us, so each is
// ended and started anew, as if it had died alone, which costs nobody a packet. Two that are away together may: the lease
// lives in dataplane's memory and in election's. So one follows the other, and each waits until the one before serves.
// Pure, like the machine it is a part of.
import { addMicros, assertNever, type Instant, secondsToMicros } from "@baton/domain";
import { sequence, unchanged, withChild } from "./steps.ts";
import type { ChildName, ChildState, Step, SupervisorState, Takeover } from "./types.ts";

export const takeoverLimits = {
  /** One that does not serve holds up the next for no longer. */
  replacing: secondsToMicros(5),
  /** As long is waited for an old election to find the new dataplane. It looks every second, and may be dead. */
  reclaiming: secondsToMicros(3),
  /** And as long does a stop wait for the end of all this: only a child of our own can be asked to make before it breaks. */
  stop: secondsToMicros(20),
} as const;

/** The brokers with their new passwords, the configuration, the holder of leases, then the election that resumes under them. */
const takeoverOrder: readonly ChildName[] = [
  "nats",
  "redis",
  "control",
  "dataplane",
  "election",
  "health",
  "notifier",
  "uplink",
];

/** Nothing but the brokers and the configuration's own process is started before the configuration is known. */
export const startsUnconfigured = (name: ChildName): boolean =>
  name === "nats" || name === "redis" || name === "control";

/** Undefined when there is nobody to take over from. */
export function planTakeover(children: ReadonlyMap<ChildName, ChildState>): Takeover | undefined {
  const isAdopted = [...children.values()].some(({ kind }) => kind === "adopted");
  return isAdopted ? atTurn(takeoverOrder.filter((name) => children.has(name))) : undefined;
}

const atTurn = (queue: readonly ChildName[]): Takeover => ({ queue, stage: "turn", until: undefined });

/** Goes as far as can be gone now. */
export function advanceTakeover(state: SupervisorState, now: Instant): Step {
  const { takeover } = state;
  if (takeover === undefined || state.phase !== "running") return unchanged(state);
  const next = advanceOnce(state, takeover, now);
  return next === undefined ? unchanged(state) : sequence(state, [() => next, (after) => advanceTakeover(after, now)]);
}

/** Undefined where something has to come first. */
function advanceOnce(state: SupervisorState, takeover: Takeover, now: Instant): Step | undefined {
  const [name, ...rest] = takeover.queue;
  if (name === undefined) return { state: { ...state, takeover: undefined }, effects: [{ type: "note-taken-over" }] };
  const isOver = takeover.until !== undefined && now >= takeover.until;
  const finish = (): Step => unchanged({ ...state, takeover: atTurn(rest) });
  switch (takeover.stage) {
    case "turn":
      return state.configured || startsUnconfigured(name) ? replace(state, takeover, name, now) : undefined;
    case "replacing":
      if (!isOver && !serves(state, name)) return undefined;
      return name === "dataplane" && isElectionAdopted(state) ? awaitLeases(state, takeover, now) : finish();
    case "reclaiming":
      return isOver || !isElectionAdopted(state) ? finish() : undefined;
    default:
      return assertNever(takeover.stage);
  }
}

const isElectionAdopted = (state: SupervisorState): boolean => state.children.get("election")?.kind === "adopted";

/** Its end brings the start of its successor. One that had died before is up already, and only waited for. */
function replace(state: SupervisorState, takeover: Takeover, name: ChildName, now: Instant): Step {
  const replacing: SupervisorState = {
    ...state,
    takeover: { ...takeover, stage: "replacing", until: addMicros(now, takeoverLimits.replacing) },
  };
  const child = state.children.get(name);
  if (child?.kind !== "adopted") return unchanged(replacing);
  const { pid, record } = child;
  return {
    state: withChild(replacing, name, { kind: "replaced", pid, record }),
    effects: [{ type: "kill", child: name, why: "another supervisor started it" }],
  };
}

/** Brokers do not say so: they serve when they run. */
function serves(state: SupervisorState, name: ChildName): boolean {
  const child = state.children.get(name);
  const isBroker = name === "nats" || name === "redis";
  return child?.kind === "up" && child.pid !== 0 && (isBroker || state.readiness.children.has(name));
}

/** The new lease book is empty until the old election has written itself into it. */
function awaitLeases(state: SupervisorState, takeover: Takeover, now: Instant): Step {
  const until = addMicros(now, takeoverLimits.reclaiming);
  return {
    state: { ...state, takeover: { ...takeover, stage: "reclaiming", until } },
    effects: [{ type: "await-leases" }],
  };
}

export function onLeasesKnown(state: SupervisorState): Step {
  const { takeover } = state;
  return unchanged(takeover?.stage === "reclaiming" ? { ...state, takeover: atTurn(takeover.queue.slice(1)) } : state);
}

/** We were not scheduled, and heard nobody meanwhile: everybody gets his time once more. */
export const forgiveTakeover = (takeover: Takeover | undefined, now: Instant): Takeover | undefined =>
  takeover === undefined || takeover.stage === "turn"
    ? takeover
    : { ...takeover, until: addMicros(now, takeoverLimits[takeover.stage]) };
