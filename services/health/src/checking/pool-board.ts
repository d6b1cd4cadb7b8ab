// All pools in the world: reports, drains and reloads go in, events come out, and each change of who is to be in the
// service is told as what changes. Causes are carried along: a check's failure is why a server is down, that is why the
// quorum is lost, and the last of them is why the destinations are others.
import type { CauseRef, EventEnvelope, Instant } from "@baton/domain";
import {
  type Drain,
  nextPoolDeadline,
  type Pool,
  type PoolChecks,
  type PoolConfig,
  type PoolInput,
  type PoolStep,
  startPool,
  stepPool,
  type WantedDestination,
  wantedDestinations,
} from "@baton/health";
import type { Host } from "@baton/host";
import type { Agenda, AgendaEntry } from "./agenda.ts";

export interface PoolMember {
  readonly name: string;
  state: Pool;
  wanted: readonly WantedDestination[];
  readonly entry: AgendaEntry;
  /** Of the last change of quorum. */
  quorumSince: Instant;
  lastEvent: CauseRef | undefined;
}

export interface PoolBoard {
  readonly members: ReadonlyMap<string, PoolMember>;
  /** `drainOf`: an operator's will from before. */
  start(config: PoolConfig, checks: PoolChecks, drainOf: (server: string) => Drain): void;
  /** As an earlier process left it. */
  resume(pool: Pool, config: PoolConfig, checks: PoolChecks, quorumSince: Instant): void;
  feed(name: string, input: PoolInput, cause?: CauseRef): void;
  /**
   * Nobody has it configured any more. As at the end, destinations are not told of: whoever programmed them takes them away
   * when the configuration says so to him, and leaves nobody without servers before.
   */
  remove(name: string, flush: boolean): void;
  /** Baton ends. */
  stop(flush: boolean): void;
}

export interface PoolBoardOptions {
  readonly host: Pick<Host, "now" | "events" | "log">;
  readonly agenda: Agenda;
  /** Something of it is another: worth keeping. After all events. */
  readonly onChange: (member: PoolMember) => void;
}

/** Virtual servers that were removed, and whose destinations are remembered: as many as the balancer remembers. */
const leftMax = 10_000;

export function createPoolBoard({ host, agenda, onChange }: PoolBoardOptions): PoolBoard {
  const members = new Map<string, PoolMember>();
  /** Of those that were removed, by name, what others may still suppose: one of that name may come. */
  const left = new Map<string, readonly WantedDestination[]>();

  function admit(name: string, state: Pool, quorumSince: Instant): PoolMember {
    const member: PoolMember = {
      name,
      state,
      wanted: wantedDestinations(state),
      entry: agenda.entry(() => feed(member, { type: "deadline-reached" }, undefined)),
      quorumSince,
      lastEvent: undefined,
    };
    members.set(name, member);
    return member;
  }

  function feed(member: PoolMember, input: PoolInput, cause: CauseRef | undefined): void {
    const before = member.state;
    const step = stepPool(before, input, host.now());
    if (step.state === before && step.effects.length === 0) return;
    follow(member, step, cause, isLast(input) ? "silently" : "changes");
  }

  function follow(
    member: PoolMember,
    { state, effects }: PoolStep,
    cause: CauseRef | undefined,
    tellOf: "everything" | "changes" | "silently",
  ): void {
    member.state = state;
    const causes = createCauses(cause);
    for (const { event } of effects) {
      const envelope = append(member, event, causes.of(event.type));
      causes.learn(envelope);
      if (event.type === "quorum-gained" || event.type === "quorum-lost") member.quorumSince = host.now();
    }
    const wanted = wantedDestinations(state);
    const change = differenceOf(member.wanted, wanted, tellOf === "everything");
    member.wanted = wanted;
    if (change !== undefined && tellOf !== "silently")
      append(member, { type: "destinations-changed", data: { virtualServer: member.name, ...change } }, causes.last());
    member.entry.set(nextPoolDeadline(state));
    onChange(member);
  }

  function append(member: PoolMember, event: EventEnvelope["event"], cause: CauseRef | undefined): EventEnvelope {
    const envelope = host.events.append({ kind: "virtual-server", id: member.name }, event, cause);
    member.lastEvent = refOf(envelope);
    return envelope;
  }

  return {
    members,
    start: (config, checks, drainOf) => {
      // As one step: who is being drained is in the service at no moment.
      const step = drained(startPool(config, checks), drainOf, host.now());
      const member = admit(config.name, { ...step.state, servers: [] }, host.now());
      // Whom nobody has heard of has nobody in it.
      member.wanted = left.get(config.name) ?? [];
      left.delete(config.name);
      follow(member, step, undefined, "everything");
      host.log.info(`virtual server ${config.name} is checked`, { servers: config.servers.length });
    },
    resume: (pool, config, checks, quorumSince) => {
      const member = admit(config.name, pool, quorumSince);
      feed(member, { type: "reload", config, checks }, undefined);
    },
    feed: (name, input, cause) => {
      const member = members.get(name);
      if (member !== undefined) feed(member, input, cause);
    },
    remove: (name, flush) => {
      const member = members.get(name);
      if (member === undefined) return;
      members.delete(name);
      left.set(name, member.wanted);
      const [oldest] = left.keys();
      if (left.size > leftMax && oldest !== undefined) left.delete(oldest);
      feed(member, { type: "remove", flush }, undefined);
      member.entry.set(undefined);
    },
    stop: (flush) => {
      for (const member of members.values()) feed(member, { type: "stop", flush }, undefined);
      members.clear();
    },
  };
}

function drained(begun: PoolStep, drainOf: (server: string) => Drain, now: Instant): PoolStep {
  return begun.state.config.servers.reduce(({ state, effects }, { server }) => {
    const drain = drainOf(server);
    if (drain === "none") return { state, effects };
    const next = stepPool(state, { type: "drain", server, drain }, now);
    return { state: next.state, effects: [...effects, ...next.effects] };
  }, begun);
}

const refOf = ({ id, correlationId, traceparent }: EventEnvelope): CauseRef => ({ id, correlationId, traceparent });

/** Which event of one step has which cause: several servers may change in one, and none of them because of another. */
function createCauses(first: CauseRef | undefined) {
  let server: CauseRef | undefined;
  let quorum: CauseRef | undefined;
  let latest: CauseRef | undefined;
  return {
    of: (type: EventEnvelope["event"]["type"]): CauseRef | undefined => {
      if (type.startsWith("realserver-")) return first;
      if (type.startsWith("quorum-")) return server ?? first;
      return quorum ?? server ?? first;
    },
    learn: (envelope: EventEnvelope): void => {
      latest = refOf(envelope);
      const { type } = envelope.event;
      if (type.startsWith("realserver-")) server = latest;
      if (type.startsWith("quorum-")) quorum = latest;
    },
    last: (): CauseRef | undefined => latest ?? first,
  };
}

const isLast = ({ type }: PoolInput): boolean => type === "stop" || type === "remove";

/** undefined: nobody has to do anything. `always`: all of `after` is told, also that it is nobody. */
export function differenceOf(
  before: readonly WantedDestination[],
  after: readonly WantedDestination[],
  always = false,
): { set: WantedDestination[]; removed: string[] } | undefined {
  const known = new Map(before.map((each) => [each.server, each]));
  const set = after.filter(({ server, role, weight }) => {
    const old = known.get(server);
    known.delete(server);
    return always || old === undefined || old.role !== role || old.weight !== weight;
  });
  const removed = [...known.keys()];
  return set.length > 0 || removed.length > 0 || always ? { set, removed } : undefined;
}
