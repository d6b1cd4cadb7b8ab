// All checks in the world: their machines get their deadlines and outcomes, and what they ask for is carried out in
// order. What one says is told to every server that it decides for.
import type { SecureContext } from "node:tls";
import type { BatonEventOf, CauseRef, Instant } from "@baton/domain";
import {
  type CheckEffect,
  type Checker,
  type CheckInput,
  type CheckNews,
  type FollowedStep,
  followBfd,
  followFile,
  isProbed,
  nextCheckDeadline,
  type PoolCheck,
  type ProbeOutcome,
  type ServerCheck,
  stepCheck,
} from "@baton/health";
import type { Host } from "@baton/host";
import { type ProbedConfig, type ProgramSurroundings, probe } from "@baton/probes";
import { attribute, spanName } from "@baton/telemetry";
import type { Agenda, AgendaEntry } from "./agenda.ts";
import { type CheckSpec, isProbedChecker } from "./check-specs.ts";
import { type CheckTotals, createTotals } from "./check-totals.ts";
import { obstacleWords } from "./obstacle-words.ts";
import type { ProbeQueue } from "./probe-queue.ts";

/** One server that a check decides for; `check`: what it is called among that server's checks. */
export interface CheckUser {
  readonly pool: string;
  readonly server: string;
  readonly check: string;
}

export interface CheckMember {
  name: string;
  spec: CheckSpec;
  state: ServerCheck;
  users: readonly CheckUser[];
  /** Some user takes for granted what this check has not found out yet: it is told of the first result, news or not. */
  isDisputed: boolean;
  readonly entry: AgendaEntry;
  probing: AbortController | undefined;
  /** When one that follows something else last heard of it. */
  heardAt: Instant | undefined;
  lastEvent: CauseRef | undefined;
}

export interface CheckReport {
  readonly user: CheckUser;
  readonly report: PoolCheck;
  readonly news: CheckNews;
  readonly cause: CauseRef | undefined;
}

export interface CheckBoard {
  readonly members: ReadonlyMap<string, CheckMember>;
  readonly totals: CheckTotals;
  readonly queue: ProbeQueue;
  add(spec: CheckSpec, name: string, state: ServerCheck): CheckMember;
  /** The same check under another key goes on, with the probe that is under way. */
  rekey(member: CheckMember, spec: CheckSpec, name: string): void;
  /** What a reload made of it. */
  replace(member: CheckMember, state: ServerCheck): void;
  remove(member: CheckMember): void;
  suspend(member: CheckMember, suspended: boolean): void;
  followFile(file: string, value: number, cause: CauseRef | undefined): void;
  followBfd(session: string, up: boolean, cause: CauseRef | undefined): void;
  /** Ends every probe; resolves when all have let go. */
  stop(): Promise<void>;
}

export interface CheckBoardOptions {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log">;
  readonly agenda: Agenda;
  readonly queue: ProbeQueue;
  /** As of the configuration that is carried out. */
  readonly tls: () => SecureContext;
  /** `release`: the program, if it was one, has gone. */
  readonly program: (checker: ProbedConfig) => { readonly program: ProgramSurroundings; release(): void };
  readonly onReport: (report: CheckReport) => void;
  /** What decides is another: worth keeping. */
  readonly onKnown: (member: CheckMember) => void;
  readonly attempt?: typeof probe;
}

export function createCheckBoard(options: CheckBoardOptions): CheckBoard {
  const { host, agenda, queue, onReport, onKnown } = options;
  const attempt = options.attempt ?? probe;
  const members = new Map<string, CheckMember>();
  const underWay = new Set<Promise<void>>();
  const totals = createTotals();

  const moment = () => ({ now: host.now(), random: Math.random() });

  function feed(member: CheckMember, input: CheckInput): void {
    const before = member.state;
    if (!isProbed(before)) return;
    const { state, effects } = stepCheck(before, input, moment());
    member.state = state;
    let cause: CauseRef | undefined;
    for (const effect of effects) cause = carryOut(member, state, effect) ?? cause;
    if (input.type === "probed" && input.outcome.ok === state.up) settleDispute(member);
    member.entry.set(nextCheckDeadline(state));
    if (isOtherMemory(before, state)) onKnown(member);

    function carryOut(of: CheckMember, next: Checker, effect: CheckEffect): CauseRef | undefined {
      switch (effect.type) {
        case "run-probe":
          begin(of, effect.run, effect.url);
          return undefined;
        case "cancel-probe":
          of.probing?.abort();
          return undefined;
        case "append-event":
          return announce(of, effect.event, undefined, next.last?.startedAt);
        case "report":
          tell(of, effect, cause);
          return undefined;
      }
    }
  }

  function begin(member: CheckMember, run: number, url: number): void {
    const { checker } = member.spec;
    if (!isProbedChecker(checker)) return;
    const probing = new AbortController();
    member.probing = probing;
    const finish = (outcome: ProbeOutcome): void => {
      if (member.probing === probing) member.probing = undefined;
      const before = member.state;
      noteObstacle(member, outcome);
      feed(member, { type: "probed", run, outcome });
      const { state } = member;
      if (state === before || !isProbed(state) || state.last === undefined) return;
      totals.count(checker.type, outcome, state.last.lateness);
    };
    queue.add(() => {
      // Nobody waits for it any more: it needs no turn.
      if (probing.signal.aborted) return Promise.resolve();
      const { program, release } = options.program(checker);
      const over = attempt(checker, { signal: probing.signal, url, tls: options.tls(), program }).then((outcome) => {
        underWay.delete(over);
        release();
        finish(outcome);
      });
      underWay.add(over);
      return over;
    });
  }

  /** No event follows from it, and its server stays where it is: somebody has to say that it is not being checked. */
  function noteObstacle({ name, state }: CheckMember, outcome: ProbeOutcome): void {
    const wasHindered = isProbed(state) && state.last !== undefined && state.last.outcome.ok === undefined;
    if (outcome.ok !== undefined || wasHindered) return;
    host.log.error(`${name} cannot be tried, and what is known stands: ${obstacleWords(outcome)}`);
  }

  function announce(
    member: CheckMember,
    event: BatonEventOf<"check-failed" | "check-attempt-failed" | "check-succeeded">,
    cause: CauseRef | undefined,
    startedAt = host.now(),
  ): CauseRef {
    const span = host.tracer.span(spanName.checkRun, {
      startedAt,
      parent: cause?.traceparent,
      attributes: { [attribute.check]: member.name },
    });
    const aggregate = { kind: "checker", id: member.name } as const;
    const { id, correlationId } = host.events.append(aggregate, event, cause, span.traceparent);
    const failed = event.type === "check-succeeded" ? {} : { error: event.data.reason };
    span.end({ attributes: { [attribute.eventId]: id }, ...failed });
    member.lastEvent = { id, correlationId, traceparent: span.traceparent };
    host.log.info(`${member.name}: ${event.type}`, { eventId: id, ...failed });
    return member.lastEvent;
  }

  function tell(
    member: CheckMember,
    { up, weight, news }: Pick<PoolCheck, "up" | "weight"> & { readonly news: CheckNews },
    cause: CauseRef | undefined,
  ): void {
    for (const user of member.users) onReport({ user, report: { check: user.check, up, weight }, news, cause });
  }

  function settleDispute(member: CheckMember): void {
    const { up, weight, hasRun } = member.state;
    if (!member.isDisputed || !hasRun) return;
    member.isDisputed = false;
    tell(member, { up, weight, news: "weight" }, member.lastEvent);
  }

  function follow(
    member: CheckMember,
    { state, news }: FollowedStep,
    { detail, reason }: { readonly detail: string; readonly reason: string },
    trigger: CauseRef | undefined,
  ): void {
    member.state = state;
    member.heardAt = host.now();
    if (news === undefined) return settleDispute(member);
    const check = member.name;
    const cause =
      news === "weight"
        ? trigger
        : announce(
            member,
            state.up
              ? { type: "check-succeeded", data: { check, durationMs: 0 } }
              : {
                  type: "check-failed",
                  data: { check, reason, errno: "", status: 0, excerpt: "", detail, durationMs: 0, attempt: 1, url: 0 },
                },
            trigger,
          );
    tell(member, { up: state.up, weight: state.weight, news }, cause);
    onKnown(member);
  }

  const add = (spec: CheckSpec, name: string, state: ServerCheck): CheckMember => {
    const member: CheckMember = {
      name,
      spec,
      state,
      users: [],
      isDisputed: false,
      entry: agenda.entry(() => feed(member, { type: "deadline-reached" })),
      probing: undefined,
      heardAt: undefined,
      lastEvent: undefined,
    };
    members.set(spec.key, member);
    if (isProbed(state)) member.entry.set(nextCheckDeadline(state));
    return member;
  };

  function remove(member: CheckMember): void {
    if (members.get(member.spec.key) === member) members.delete(member.spec.key);
    feed(member, { type: "stop" });
    member.users = [];
    member.entry.set(undefined);
  }

  return {
    members,
    totals,
    queue,
    add,
    rekey: (member, spec, name) => {
      if (members.get(member.spec.key) === member) members.delete(member.spec.key);
      member.spec = spec;
      member.name = name;
      members.set(spec.key, member);
    },
    replace: (member, state) => {
      member.state = state;
      if (isProbed(state)) member.entry.set(nextCheckDeadline(state));
    },
    remove,
    suspend: (member, suspended) => {
      if (!isProbed(member.state) || member.state.suspended === suspended) return;
      host.log.info(`${member.name}: ${suspended ? "suspended: its service's address is not here" : "goes on"}`);
      feed(member, { type: suspended ? "suspend" : "resume" });
    },
    followFile: (file, value, cause) => {
      for (const member of members.values()) {
        const { checker } = member.spec;
        if (checker.type !== "FILE_CHECK" || checker.trackFile !== file || isProbed(member.state)) continue;
        const step = followFile(member.state, value);
        follow(member, step, { reason: "file", detail: `the number in ${file} is ${value}` }, cause);
      }
    },
    followBfd: (session, up, cause) => {
      for (const member of members.values()) {
        const { checker } = member.spec;
        if (checker.type !== "BFD_CHECK" || checker.session !== session || isProbed(member.state)) continue;
        follow(member, followBfd(member.state, up), { reason: "bfd", detail: `${session} is down` }, cause);
      }
    },
    stop: async () => {
      for (const member of [...members.values()]) remove(member);
      await Promise.all(underWay);
    },
  };
}

/** Files' checks that begin with their servers take what is known before anybody supposes anything: there is nothing to tell. */
export function beginFiles(
  members: Iterable<CheckMember>,
  value: (file: string) => number | undefined,
  now: Instant,
): void {
  for (const member of members) {
    const { checker } = member.spec;
    if (checker.type !== "FILE_CHECK" || isProbed(member.state) || member.state.hasRun) continue;
    const number = value(checker.trackFile);
    if (number === undefined) continue;
    member.state = followFile(member.state, number).state;
    member.heardAt = now;
  }
}

/** What a restarted process has to know: not when it runs next. */
function isOtherMemory(before: Checker, after: Checker): boolean {
  return (
    before.up !== after.up ||
    before.hasRun !== after.hasRun ||
    before.attempts !== after.attempts ||
    before.failedUrl !== after.failedUrl ||
    before.weight?.weight !== after.weight?.weight
  );
}

/** One that is known, but tried as another member: it has an attempt of its own, due when that one was. */
export const withoutRun = (state: ServerCheck): ServerCheck =>
  isProbed(state) && state.phase.kind === "running"
    ? { ...state, phase: { kind: "waiting", dueAt: state.phase.dueAt } }
    : state;
