// The supervisor's decisions (SAFETY S19): who is started when, what a death costs, who is taken for hung, and in which
// order all of it ends. Pure: input and time in, new state and effects out.
import {
  addMicros,
  assertNever,
  type Instant,
  instant,
  microsSince,
  millisToMicros,
  secondsToMicros,
} from "@baton/domain";
import { notNeeded } from "@baton/host";
import type { ChildName, ChildRecord, ChildState, Effect, Input, Report, Step, SupervisorState } from "./types.ts";

export const limits = {
  /**
   * Without a sign of life for this long a service is hung and killed. Longer than any lease (10 s at most): a service
   * that stops for a while and comes back is the lease's business, not ours.
   */
  silence: secondsToMicros(15),
  /**
   * The same for one that has not spoken yet, and so holds nothing: it loads. That takes half a second, but many times as
   * long where all of them do it at once on a slow machine; killing them would only make them load again.
   */
  loading: secondsToMicros(90),
  /** Waking this much later than asked means that we were not scheduled, and heard nobody meanwhile. */
  ownLateness: secondsToMicros(2),
  /** The pause before a restart, by the number of quick deaths in a row. */
  pauses: [0, 200, 1000, 5000].map(millisToMicros),
  /** Who lived this long did not die quickly. */
  quick: secondsToMicros(60),
  /** An adopted child is replaced this long after the one before it at the latest; its successor may take 4 s to load. */
  replacement: secondsToMicros(10),
  /** A reload that control has not answered when it dies is asked for again; what is older was answered, by a refusal. */
  reload: secondsToMicros(10),
  /** The node is ready this long after election, whoever else is not. */
  readyWithoutOthers: secondsToMicros(5),
  /** Control that dies this often before it has said anything about the configuration will not say it. */
  deathsBeforeConfigured: 4,
} as const;

/** Nothing but the configuration's own process and the brokers is started before the configuration is known. */
const first: readonly ChildName[] = ["nats", "redis", "control"];
const startOrder: readonly ChildName[] = [
  ...first,
  "dataplane",
  "health",
  "balancer",
  "election",
  "notifier",
  "uplink",
];

/**
 * Election first, while the dataplane that holds its lease lives: it resumes under the lease (SAFETY S5). Then
 * dataplane, whose election then lives.
 */
const replaceOrder: readonly ChildName[] = ["election", "dataplane", "health", "balancer", "notifier", "uplink"];

/**
 * Whoever speaks on the wire goes first, whoever remembers goes last. Virtual services go after the addresses, which
 * bring their clients, and before health, whose last words would empty them server by server; the notifier hears those
 * (`omega`), as it has heard election's.
 */
export const stopOrder: readonly ChildName[] = [
  "election",
  "dataplane",
  "balancer",
  "health",
  "notifier",
  "control",
  "uplink",
  "redis",
  "nats",
];

/**
 * How long a child may take to end by itself. Election: the longest LEAVING is two times (skew + 100 ms) plus the
 * handover of at most 2 s (SAFETY S6), and its outbox. The balancer: 6 s for tens of thousands of services, and its
 * outbox. The others flush their outbox, 2 s at most.
 */
const stopBound = (child: ChildName) => secondsToMicros(child === "election" || child === "balancer" ? 8 : 5);

/** The balancer is there only where the configuration has virtual servers. */
export const isNeeded = ({ balances }: SupervisorState, name: ChildName): boolean => name !== "balancer" || balances;

const cleanExit = "code 0";
/** EX_SOFTWARE of sysexits.h. */
const exitSoftware = 70;

/** `adopted`: the pid of a process of an earlier supervisor that still does the work. */
export function initialState(
  children: ReadonlyMap<ChildName, { readonly restarts: number; readonly adopted?: number | undefined }>,
): SupervisorState {
  return {
    phase: "running",
    configured: false,
    balances: false,
    readiness: { children: new Set(), announceAt: undefined, announced: false },
    replacing: undefined,
    reloadAt: undefined,
    reason: "",
    exitCode: 0,
    children: new Map(
      startOrder
        .filter((name) => children.has(name))
        .map((name) => {
          const { restarts = 0, adopted } = children.get(name) ?? {};
          const record = { restarts, quickDeaths: 0 };
          const child: ChildState =
            adopted === undefined
              ? { kind: "down", startAt: undefined, record }
              : { kind: "adopted", pid: adopted, record };
          return [name, child] as const;
        }),
    ),
    wakeAt: undefined,
  };
}

export function step(state: SupervisorState, input: Input, now: Instant): Step {
  const { state: next, effects } = apply(state, input, now);
  return { state: { ...next, wakeAt: nextWake(next) }, effects };
}

function apply(state: SupervisorState, input: Input, now: Instant): Step {
  switch (input.type) {
    case "begin":
      return sequence(state, [
        (before) => start(before, first, now),
        ...first.map((name) => (before: SupervisorState) => replace(before, name)),
      ]);
    case "woke":
      return onWake(state, now);
    case "started":
      return onStarted(state, input.child, input.pid, now);
    case "start-failed":
      return onEnd(state, input.child, input.error, now);
    case "exited":
      return onEnd(state, input.child, input.exit, now);
    case "reported":
      return onReport(state, input.child, input.report, now);
    case "reload":
      return onReload(state, now);
    case "stop":
      return onStop(state, input.reason, input.exitCode, now);
    default:
      return assertNever(input);
  }
}

const unchanged = (state: SupervisorState): Step => ({ state, effects: [] });

const withChild = (state: SupervisorState, name: ChildName, child: ChildState): SupervisorState => ({
  ...state,
  children: new Map([...state.children, [name, child]]),
});

/** Steps one after the other, effects in order. */
function sequence(state: SupervisorState, steps: readonly ((state: SupervisorState) => Step)[]): Step {
  return steps.reduce<Step>(
    (sum, each) => {
      const next = each(sum.state);
      return { state: next.state, effects: [...sum.effects, ...next.effects] };
    },
    { state, effects: [] },
  );
}

// --- starting ---------------------------------------------------------------------------------------------------------

/** Those that are down and wait for nothing. The pid comes with `started`, in the same turn. */
function start(state: SupervisorState, names: readonly ChildName[], now: Instant): Step {
  const waiting = names.filter((name) => state.children.get(name)?.kind === "down" && isNeeded(state, name));
  return sequence(
    state,
    waiting.map((name) => (before) => startOne(before, name, now)),
  );
}

function startOne(state: SupervisorState, name: ChildName, now: Instant): Step {
  const child = state.children.get(name);
  if (child?.kind !== "down") return unchanged(state);
  const { record } = child;
  // Pid 0: it has no pid yet. A start that fails comes back as an end.
  const up: ChildState = { kind: "up", pid: 0, since: now, aliveAt: now, heard: false, record };
  return { state: withChild(state, name, up), effects: [{ type: "start", child: name, restarts: record.restarts }] };
}

function onStarted(state: SupervisorState, name: ChildName, pid: number, now: Instant): Step {
  const child = state.children.get(name);
  if (child === undefined || child.kind === "down") return unchanged(state);
  const next = withChild(state, name, { ...child, pid });
  if (child.kind !== "up") return unchanged(next);
  const up = withChild(next, name, { ...child, pid, aliveAt: now });
  return name === "control" && up.reloadAt !== undefined ? onReload(up, now) : unchanged(up);
}

/** A control that is down hears it when it is there again: it takes up what the one before had applied, and reads no file. */
function onReload(state: SupervisorState, now: Instant): Step {
  if (state.phase !== "running") return unchanged(state);
  const hears = state.children.get("control")?.kind === "up";
  return { state: { ...state, reloadAt: now }, effects: hears ? [{ type: "reload-config" }] : [] };
}

// --- taking over ------------------------------------------------------------------------------------------------------

/** Its end brings the start of the next one. */
function replace(state: SupervisorState, name: ChildName): Step {
  const child = state.children.get(name);
  if (child?.kind !== "adopted") return unchanged(state);
  const { pid, record } = child;
  return {
    state: withChild(state, name, { kind: "replaced", pid, record }),
    effects: [{ type: "kill", child: name, why: "another supervisor started it" }],
  };
}

function replaceNext(state: SupervisorState, now: Instant): Step {
  if (!state.configured || state.phase !== "running" || state.replacing !== undefined) return unchanged(state);
  const name = replaceOrder.find((each) => state.children.get(each)?.kind === "adopted");
  if (name === undefined) return unchanged(state);
  return replace({ ...state, replacing: { child: name, until: addMicros(now, limits.replacement) } }, name);
}

function replacementDone(state: SupervisorState, now: Instant): Step {
  return replaceNext({ ...state, replacing: undefined }, now);
}

// --- living -----------------------------------------------------------------------------------------------------------

function onReport(state: SupervisorState, name: ChildName, report: Report, now: Instant): Step {
  const child = state.children.get(name);
  // Whatever it says, it lives.
  const alive = child?.kind === "up" ? withChild(state, name, { ...child, aliveAt: now, heard: true }) : state;
  switch (report.type) {
    case "alive":
    case "stopped": // its exit is what counts
      return unchanged(alive);
    case "ready":
      return sequence(alive, [
        (before) => onReady(before, name, now),
        (before) => (before.replacing?.child === name ? replacementDone(before, now) : unchanged(before)),
      ]);
    case "config": {
      if (alive.phase !== "running") return unchanged(alive);
      const told = { ...alive, balances: report.balances, reloadAt: undefined };
      if (told.configured) return fit(told, "balancer", now);
      return sequence({ ...told, configured: true }, [
        (before) => start(before, startOrder, now),
        (before) => replaceNext(before, now),
      ]);
    }
    case "config-failed": {
      const { diagnostics, exitCode } = report;
      // Once there was a good one, a bad one changes nothing (DESIGN rule 7).
      const fatal = !alive.configured && alive.phase === "running";
      const reject: Effect = { type: "reject-config", diagnostics, fatal };
      if (!fatal) return { state: alive, effects: [reject] };
      return sequence(alive, [
        (before) => ({ state: before, effects: [reject] }),
        (before) => onStop(before, "the configuration was rejected", exitCode, now),
      ]);
    }
    default:
      return assertNever(report);
  }
}

/**
 * Started when the configuration has work for it again, told to stop when it has none; a stop is waited for. One that has
 * died has not cleared up after itself: its successor does, and is told to stop by the next configuration.
 */
function fit(state: SupervisorState, name: ChildName, now: Instant): Step {
  const child = state.children.get(name);
  if (child === undefined) return unchanged(state);
  if (isNeeded(state, name)) return child.kind === "down" ? startOne(state, name, now) : unchanged(state);
  if (child.kind === "down") return unchanged(child.startAt === undefined ? state : { ...state, balances: true });
  return child.kind === "up" ? askToStop(state, name, child, notNeeded, now) : unchanged(state);
}

/** Election says it when every instance has left its initial state: then the node is ready, as soon as the others are. */
function onReady(state: SupervisorState, name: ChildName, now: Instant): Step {
  const children = new Set([...state.readiness.children, name]);
  const announceAt =
    state.readiness.announceAt ?? (name === "election" ? addMicros(now, limits.readyWithoutOthers) : undefined);
  return announceReady({ ...state, readiness: { ...state.readiness, children, announceAt } }, now);
}

function announceReady(state: SupervisorState, now: Instant): Step {
  const { children, announceAt, announced } = state.readiness;
  if (announced || announceAt === undefined || state.phase !== "running") return unchanged(state);
  const others = [...state.children.keys()].filter(
    (name) => reportsLife(name) && name !== "uplink" && isNeeded(state, name),
  );
  if (now < announceAt && !others.every((name) => children.has(name))) return unchanged(state);
  return {
    state: { ...state, readiness: { children, announceAt, announced: true } },
    effects: [{ type: "announce-ready" }],
  };
}

function onWake(state: SupervisorState, now: Instant): Step {
  // Late ourselves: nobody was heard meanwhile, whoever is silent gets another chance (SAFETY S2).
  const late = state.wakeAt !== undefined && microsSince(now, state.wakeAt) > limits.ownLateness;
  const heard = late ? forgive(state, now) : state;
  return sequence(heard, [
    (before) => announceReady(before, now),
    (before) => (isDue(before.replacing, now) ? replacementDone(before, now) : unchanged(before)),
    ...[...heard.children.keys()].map((name) => (before: SupervisorState) => wakeChild(before, name, now)),
  ]);
}

const isDue = (replacing: SupervisorState["replacing"], now: Instant): boolean =>
  replacing !== undefined && now >= replacing.until;

const forgive = (state: SupervisorState, now: Instant): SupervisorState => ({
  ...state,
  children: new Map(
    [...state.children].map(([name, child]) => [name, child.kind === "up" ? { ...child, aliveAt: now } : child]),
  ),
});

function wakeChild(state: SupervisorState, name: ChildName, now: Instant): Step {
  const child = state.children.get(name);
  if (child === undefined) return unchanged(state);
  switch (child.kind) {
    case "down":
      return child.startAt !== undefined && now >= child.startAt ? startOne(state, name, now) : unchanged(state);
    case "up":
      return reportsLife(name) && now >= silentAt(child)
        ? kill(state, name, child, "no sign of life")
        : unchanged(state);
    case "stopping":
      return now >= child.deadline ? kill(state, name, child, "did not stop in time") : unchanged(state);
    case "killed":
    case "adopted":
    case "replaced":
      return unchanged(state);
    default:
      return assertNever(child);
  }
}

/** The brokers are programs of others and say nothing. */
const reportsLife = (name: ChildName): boolean => name !== "nats" && name !== "redis";

const silentAt = ({ aliveAt, heard }: { aliveAt: Instant; heard: boolean }): Instant =>
  addMicros(aliveAt, heard ? limits.silence : limits.loading);

function kill(state: SupervisorState, name: ChildName, child: { pid: number; record: ChildRecord }, why: string): Step {
  const { pid, record } = child;
  return {
    state: withChild(state, name, { kind: "killed", pid, record }),
    effects: [{ type: "kill", child: name, why }],
  };
}

function nextWake(state: SupervisorState): Instant | undefined {
  const times = [...state.children].flatMap(([name, child]) => {
    if (child.kind === "down") return child.startAt === undefined ? [] : [child.startAt];
    if (child.kind === "stopping") return [child.deadline];
    return child.kind === "up" && reportsLife(name) ? [silentAt(child)] : [];
  });
  const { announceAt, announced } = state.readiness;
  if (announceAt !== undefined && !announced && state.phase === "running") times.push(announceAt);
  if (state.replacing !== undefined && state.phase === "running") times.push(state.replacing.until);
  return times.length === 0 ? undefined : instant(Math.min(...times));
}

// --- ending -----------------------------------------------------------------------------------------------------------

function onEnd(state: SupervisorState, name: ChildName, exit: string, now: Instant): Step {
  const child = state.children.get(name);
  if (child === undefined || child.kind === "down") return unchanged(state);
  const gone = (startAt: Instant | undefined, record: ChildRecord): SupervisorState =>
    withChild(state, name, { kind: "down", startAt, record });
  if (state.phase !== "running") return stopNext(gone(undefined, child.record), now);

  if (!isNeeded(state, name)) {
    // It was told to go, which is no death, unless something kept it from clearing up.
    const hasTried = child.kind === "stopping" || child.kind === "killed";
    if (!hasTried || exit === cleanExit) return unchanged(gone(undefined, child.record));
    return onDeath({ ...state, balances: true }, name, child, exit, now);
  }
  if (child.kind === "stopping") return startOne(gone(undefined, fresh), name, now);
  if (child.kind === "replaced") return startOne(gone(undefined, countRestart(child.record)), name, now);
  return onDeath(state, name, child, exit, now);
}

/** One that has cleared up after itself: the next begins as the first did. */
const fresh: ChildRecord = { restarts: 0, quickDeaths: 0 };

const countRestart = (record: ChildRecord): ChildRecord => ({ ...record, restarts: record.restarts + 1 });

function onDeath(
  state: SupervisorState,
  name: ChildName,
  child: Exclude<ChildState, { kind: "down" }>,
  exit: string,
  now: Instant,
): Step {
  const lived = child.kind === "up" ? microsSince(now, child.since) : 0;
  const quickDeaths = lived >= limits.quick ? 0 : child.record.quickDeaths;
  const { restarts } = countRestart(child.record);
  const pause = limits.pauses[Math.min(quickDeaths, limits.pauses.length - 1)] ?? 0;
  // An adopted one that dies before the configuration is known waits for it like everybody else.
  const mayStart = state.configured || first.includes(name);
  const startAt = mayStart ? addMicros(now, pause) : undefined;
  const dead: ChildState = { kind: "down", startAt, record: { restarts, quickDeaths: quickDeaths + 1 } };
  const death: Effect = { type: "note-death", child: name, pid: child.pid, exit, restarts };
  const hopeless = name === "control" && !state.configured && quickDeaths + 1 >= limits.deathsBeforeConfigured;
  const isAnswered = state.reloadAt !== undefined && microsSince(now, state.reloadAt) > limits.reload;
  const known = name === "control" && isAnswered ? { ...state, reloadAt: undefined } : state;
  return sequence(withChild(known, name, dead), [
    (before) => ({ state: before, effects: [death] }),
    (before) => {
      if (hopeless) return onStop(before, "control does not start", exitSoftware, now);
      return mayStart && pause === 0 ? startOne(before, name, now) : unchanged(before);
    },
  ]);
}

function onStop(state: SupervisorState, reason: string, exitCode: number, now: Instant): Step {
  if (state.phase !== "running") return unchanged(state);
  const stopping: SupervisorState = { ...state, phase: "stopping", reason, exitCode };
  return sequence(stopping, [
    (before) => ({ state: before, effects: [{ type: "announce-stopping", reason }] }),
    (before) => stopNext(before, now),
  ]);
}

/** One after the other: the next is told only when the one before is gone. */
function stopNext(state: SupervisorState, now: Instant): Step {
  const name = stopOrder.find((each) => (state.children.get(each)?.kind ?? "down") !== "down");
  if (name === undefined) {
    return { state: { ...state, phase: "ended" }, effects: [{ type: "end", exitCode: state.exitCode }] };
  }
  const child = state.children.get(name);
  // It does not hear us: nothing but this is left.
  if (child?.kind === "adopted") return kill(state, name, child, "another supervisor started it");
  if (child?.kind !== "up") return unchanged(state); // told, or killed, already
  return askToStop(state, name, child, state.reason, now);
}

function askToStop(
  state: SupervisorState,
  name: ChildName,
  { pid, record }: { readonly pid: number; readonly record: ChildRecord },
  reason: string,
  now: Instant,
): Step {
  const deadline = addMicros(now, stopBound(name));
  return {
    state: withChild(state, name, { kind: "stopping", pid, deadline, record }),
    effects: [{ type: "ask-to-stop", child: name, reason }],
  };
}
