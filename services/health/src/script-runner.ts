// One track script in the world: feeds the machine its deadlines and exits, carries out its effects in order.
import { type BatonEventOf, type CauseRef, trackerAggregate } from "@baton/domain";
import type { ScriptTracker, ScriptTrackerConfig } from "@baton/health";
import { type Effect, type Input, nextDeadline, startTracker, step } from "@baton/health";
import type { Host } from "@baton/host";
import type { TrackScriptConfig } from "@baton/keepalived-conf";
import { argvOf, type Environment, type RunningScript, type ScriptEnd, startScript } from "@baton/script";
import { attribute, spanName } from "@baton/telemetry";
import type { RunSlot } from "./run-record.ts";
import type { TrackedScript } from "./scripts.ts";

export interface ScriptRunnerOptions {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log">;
  readonly tracked: TrackedScript;
  readonly environment: Environment;
  readonly origin: "fresh" | "resumed";
  readonly slot: RunSlot;
}

export interface ScriptRunner {
  readonly tracked: TrackedScript;
  state(): ScriptTracker;
  /** The last event of this tracker: where the story of its present status began. */
  lastEvent(): CauseRef | undefined;
  /** New numbers for the same command. */
  configure(tracked: TrackedScript): void;
  /** Ends a running script with its children; resolves when it has gone. */
  stop(): Promise<void>;
}

export const limits = {
  /** Of a script's output, kept for the event. */
  outputBytesMax: 1_024,
  /** setTimeout counts in 31 bits; a longer wait is taken in steps. */
  timeoutMillisMax: 3_600_000,
} as const;

export function createScriptRunner(options: ScriptRunnerOptions): ScriptRunner {
  const { host, slot } = options;
  let tracked = options.tracked;
  let state = startTracker(machineConfig(tracked.script), host.now(), options.origin);
  let running: RunningScript | undefined;
  let lastEvent: CauseRef | undefined;
  let timer: NodeJS.Timeout | undefined;
  let onStopped: () => void = () => undefined;

  function feed(input: Input): void {
    const next = step(state, input, host.now());
    state = next.state;
    for (const effect of next.effects) execute(effect);
    arm();
    if (state.phase.kind === "stopped") onStopped();
  }

  function arm(): void {
    clearTimeout(timer);
    const due = nextDeadline(state);
    if (due === undefined) return;
    const millis = Math.ceil((due - host.now()) / 1_000);
    // Node runs timers before it reads exits: one turn of the loop lets in every exit that waits, so that a late
    // process does not take a script for timed out that ended in time (SAFETY S2).
    const ask = () => setImmediate(() => feed({ type: "deadline-reached", output: running?.output() ?? "" }));
    timer = setTimeout(ask, Math.max(0, Math.min(millis, limits.timeoutMillisMax)));
  }

  function execute(effect: Effect): void {
    switch (effect.type) {
      case "run-script":
        running = run(effect.run);
        slot.hold(running.pid);
        return;
      case "kill-script":
        return running?.signal(effect.signal);
      case "append-event":
        lastEvent = announce(effect);
        return;
    }
  }

  function run(number: number): RunningScript {
    const onExit = (end: ScriptEnd): void => {
      if (number === state.run) slot.clear();
      feed({ type: "script-exited", run: number, outcome: end });
    };
    const { identity, script } = tracked;
    if (!identity.ok) return refuse(identity.reason, onExit);
    return startScript({
      argv: argvOf(script.command),
      ids: identity.ids,
      environment: options.environment,
      outputBytesMax: limits.outputBytesMax,
      onExit,
    });
  }

  function announce({ event, startedAt }: Extract<Effect, { type: "append-event" }>): CauseRef {
    const span = host.tracer.span(spanName.scriptRun, {
      startedAt,
      attributes: { [attribute.script]: event.data.script },
    });
    const aggregate = trackerAggregate("script", event.data.script);
    const { id, correlationId } = host.events.append(aggregate, event, undefined, span.traceparent);
    span.end({
      attributes: {
        [attribute.scriptExit]: state.lastExit,
        [attribute.scriptResult]: state.status,
        [attribute.eventId]: id,
      },
      ...(event.type === "script-failed" ? { error: event.data.exit } : {}),
    });
    host.log.info(`script ${event.data.script} is ${state.status}`, { exit: state.lastExit, eventId: id });
    return { id, correlationId, traceparent: span.traceparent };
  }

  function beginFailed(): void {
    // init_fail is a status without a run: consumers that were there before the script must hear of it too.
    if (state.status !== "down") return;
    const data = { script: state.config.name, exit: "init_fail", durationMs: 0, output: "", failures: 0 };
    const event: BatonEventOf<"script-failed"> = { type: "script-failed", data };
    lastEvent = announce({ type: "append-event", event, startedAt: host.now() });
  }

  beginFailed();
  arm();
  return {
    get tracked() {
      return tracked;
    },
    state: () => state,
    lastEvent: () => lastEvent,
    configure(after) {
      tracked = after;
      feed({ type: "configure", config: machineConfig(after.script) });
    },
    stop: () =>
      new Promise((resolve) => {
        onStopped = resolve;
        feed({ type: "stop" });
      }),
  };
}

const machineConfig = (script: TrackScriptConfig): ScriptTrackerConfig => ({
  name: script.name,
  interval: script.interval,
  timeout: script.timeout,
  rise: script.rise,
  fall: script.fall,
  initFail: script.initFail,
});

/** A run that is not even tried fails like any other: never as somebody else than was asked for. */
function refuse(reason: string, onExit: (end: ScriptEnd) => void): RunningScript {
  setImmediate(() => onExit({ success: false, exit: "not started", output: reason }));
  return { pid: undefined, output: () => "", signal: () => undefined };
}
