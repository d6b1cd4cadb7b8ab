// The notify scripts of one instance in the world: feeds the line its exits and deadlines, starts and ends what it says.
import { type BatonEventOf, type Instant, type Micros, micros, toMillis } from "@baton/domain";
import type { Host, Span } from "@baton/host";
import type { Command } from "@baton/keepalived-conf";
import {
  argvOf,
  type Environment,
  type Identity,
  type RunningScript,
  type ScriptEnd,
  startScript,
} from "@baton/script";
import { attribute, spanName } from "@baton/telemetry";
import type { Occasion, ScriptJob } from "./script-jobs.ts";
import { emptyLine, type LineEffect, type LineInput, lineDeadline, stepLine } from "./script-line.ts";

export interface ScriptDeliveryOptions<What extends Occasion> {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log">;
  /** How long a script may still run once a later state waits; a reload may change it. */
  grace(): Micros;
  readonly environment: Environment;
  identityOf(command: Command): Identity;
  /** The first script of a change was started. */
  onStarted(change: What): void;
  onEnded(outcome: "delivered" | "failed", sinceChange: Micros): void;
}

export interface ScriptDelivery<What extends Occasion> {
  offer(jobs: readonly ScriptJob<What>[]): void;
  /** The node stops. */
  leave(): void;
  readonly idle: boolean;
}

/** Of a script's output, kept for the event. */
const outputBytesMax = 1_024;

export function createScriptDelivery<What extends Occasion>(
  options: ScriptDeliveryOptions<What>,
): ScriptDelivery<What> {
  type Job = ScriptJob<What>;
  const { host } = options;
  const running = new Map<number, RunningScript>();
  let line = emptyLine<Job>(options.grace());
  let timer: NodeJS.Timeout | undefined;

  function feed(input: LineInput<Job>): void {
    const next = stepLine({ ...line, grace: options.grace() }, input, host.now());
    line = next.line;
    for (const effect of next.effects) execute(effect);
    clearTimeout(timer);
    const due = lineDeadline(line);
    if (due !== undefined) timer = setTimeout(ask, Math.max(0, Math.ceil((due - host.now()) / 1_000)));
  }

  // One turn of the loop lets in every exit that waits: a late notifier must not end a script that has ended.
  const ask = () => setImmediate(() => feed({ type: "deadline-reached" }));

  function execute(effect: LineEffect<Job>): void {
    switch (effect.type) {
      case "start-script":
        return start(effect.job, effect.turn);
      case "kill-script":
        return running.get(effect.turn)?.signal(effect.signal);
      case "drop":
        reportFailure(host, effect.job, undefined, effect.reason);
        return options.onEnded("failed", sinceChange(effect.job));
    }
  }

  function start(job: Job, turn: number): void {
    const startedAt = host.now();
    const span = openSpan(job, startedAt);
    const onExit = (end: ScriptEnd): void => {
      running.delete(turn);
      finish(job, span, end);
      feed({ type: "script-exited", turn });
    };
    running.set(turn, launch(job, onExit));
    options.onStarted(job.change);
    host.log.info(`${job.change.instance}: ${job.change.state}: runs ${targetOf(job)}`, {
      instance: job.change.instance,
      sinceEventMs: toMillis(sinceChange(job)),
      eventId: job.change.cause.id,
    });
  }

  function launch(job: Job, onExit: (end: ScriptEnd) => void): RunningScript {
    const identity = options.identityOf(job.command);
    if (!identity.ok) {
      setImmediate(() => onExit({ success: false, exit: "not started", output: identity.reason }));
      return { pid: undefined, output: () => "", signal: () => undefined };
    }
    const argv = argvOf(job.command, job.appended);
    return startScript({ argv, ids: identity.ids, environment: options.environment, outputBytesMax, onExit });
  }

  function openSpan(job: Job, startedAt: Instant): Span {
    const { change } = job;
    return host.tracer.span(spanName.notificationDeliver, {
      parent: change.cause.traceparent,
      kind: "consumer",
      startedAt,
      attributes: {
        [attribute.instance]: change.instance,
        [attribute.state]: change.state,
        [attribute.channel]: "script",
        [attribute.target]: targetOf(job),
        [attribute.replayed]: change.replayed,
        [attribute.eventId]: change.cause.id,
      },
    });
  }

  function finish(job: Job, span: Span, end: ScriptEnd): void {
    const took = sinceChange(job);
    if (end.success) {
      reportDelivery(host, job, span, end, took);
      span.end();
    } else {
      const error = end.output === "" ? end.exit : `${end.exit}: ${end.output}`;
      reportFailure(host, job, span, error);
      span.end({ error: end.exit });
    }
    options.onEnded(end.success ? "delivered" : "failed", took);
  }

  function sinceChange(job: Job): Micros {
    return micros(Math.max(0, host.now() - job.change.at));
  }

  return {
    offer: (jobs) => feed({ type: "offered", jobs }),
    leave: () => feed({ type: "leave" }),
    get idle() {
      return running.size === 0 && line.waiting.length === 0;
    },
  };
}

const targetOf = (job: ScriptJob<Occasion>): string => [job.command.text, ...job.appended].join(" ");

type Reporting = Pick<Host, "events">;

function reportDelivery(host: Reporting, job: ScriptJob<Occasion>, span: Span, end: ScriptEnd, took: Micros): void {
  const data: BatonEventOf<"notification-delivered">["data"] = {
    instance: job.change.instance,
    state: job.change.state,
    channel: "script",
    target: targetOf(job),
    attempts: 1,
    durationMs: toMillis(took),
    replayed: job.change.replayed,
    detail: end.output,
  };
  const aggregate = { kind: "notification", id: job.change.story ?? job.change.instance } as const;
  host.events.append(aggregate, { type: "notification-delivered", data }, job.change.cause, span.traceparent);
}

function reportFailure(host: Reporting, job: ScriptJob<Occasion>, span: Span | undefined, error: string): void {
  const data: BatonEventOf<"notification-failed">["data"] = {
    instance: job.change.instance,
    state: job.change.state,
    channel: "script",
    target: targetOf(job),
    attempts: span === undefined ? 0 : 1,
    // keepalived never runs a notify script twice for one change, and neither do we.
    final: true,
    error,
  };
  const aggregate = { kind: "notification", id: job.change.story ?? job.change.instance } as const;
  host.events.append(aggregate, { type: "notification-failed", data }, job.change.cause, span?.traceparent);
}
