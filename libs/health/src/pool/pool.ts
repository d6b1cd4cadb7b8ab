// One virtual server as a machine: a server is alive while none of its checks has failed, the service is up while the
// live ones weigh enough, and the sorry server stands in while they do not.
//
//   quorum down ──weight ≥ quorum + hysteresis──▶ up        up ──weight < quorum − hysteresis, or 0──▶ down
//
// keepalived's rules (its ipwrapper.c). It begins with the quorum down and gains it with the servers that begin alive, so
// that `quorum_up` runs at a start; a loss is told at a start only where a sorry server has to be added. What the table
// is to hold follows from the state (wanted.ts): nothing here is a command.
import { assert, assertNever, type Instant } from "@baton/domain";
import { dropRamp, nextRampStep, ramped, stepRamps, withoutIdleRamps } from "./ramp.ts";
import type {
  Drain,
  Pool,
  PoolCheck,
  PoolChecks,
  PoolConfig,
  PoolEvent,
  PoolInput,
  PoolServer,
  PoolServerConfig,
  PoolStep,
  Told,
} from "./types.ts";
import { isInTable } from "./wanted.ts";
import { serves, wholeWeight } from "./weight.ts";

/** `checks`: what is supposed of the servers before anything has run (startCheck, startFollowed). */
export function startPool(config: PoolConfig, checks: PoolChecks): PoolStep {
  assertConfig(config);
  const empty: Pool = { config, servers: [], quorumUp: false, sorry: false, held: undefined, ended: false };
  const servers = config.servers.map((each) => newServer(each, checks));
  const begun = tell(
    { ...empty, servers },
    servers.filter(({ alive }) => alive).map((server) => upOf(empty, server, "start", beginningTold(config))),
  );
  return follow(begun, (state) => weigh(state, true));
}

/** When the machine wants to be asked again; undefined: it waits for its checks. */
export const nextPoolDeadline = (pool: Pool): Instant | undefined => (pool.ended ? undefined : nextRampStep(pool));

export function stepPool(pool: Pool, input: PoolInput, now: Instant): PoolStep {
  if (pool.ended) return tell(pool, []);
  const { state, effects } = take(pool, input, now);
  const settled = withoutIdleRamps({ ...state, held: heldOf(pool, state) });
  return { state: settled, effects: markHeld(effects, settled) };
}

function take(pool: Pool, input: PoolInput, now: Instant): PoolStep {
  switch (input.type) {
    case "check-reported":
      return onReport(pool, input, now);
    case "drain":
      return weigh(
        changeServer(pool, input.server, (server) => drainedAs(pool, server, input.drain, now)),
        false,
      );
    case "deadline-reached":
      return tell(stepRamps(pool, now), []);
    case "reload":
      return reload(pool, input.config, input.checks, now);
    case "stop":
      return stop(pool, input.flush);
    case "remove":
      return remove(pool, input.flush);
    default:
      return assertNever(input);
  }
}

function assertConfig({ quorum, hysteresis, servers }: PoolConfig): void {
  assert(quorum >= 1 && hysteresis >= 0, `a quorum is at least 1: ${quorum}, ${hysteresis}`);
  assert(new Set(servers.map(({ server }) => server)).size === servers.length, "servers have names of their own");
}

// --- steps ----------------------------------------------------------------------------------------------------------

const tell = (state: Pool, events: readonly PoolEvent[]): PoolStep => ({
  state,
  effects: events.map((event) => ({ type: "append-event", event })),
});

function follow(first: PoolStep, then: (state: Pool) => PoolStep): PoolStep {
  const second = then(first.state);
  return { state: second.state, effects: [...first.effects, ...second.effects] };
}

const changeServer = (pool: Pool, name: string, change: (server: PoolServer) => PoolServer): Pool => ({
  ...pool,
  servers: pool.servers.map((server) => (server.config.server === name ? change(server) : server)),
});

// --- servers --------------------------------------------------------------------------------------------------------

const newServer = (config: PoolServerConfig, checks: PoolChecks): PoolServer => {
  const own = checks.get(config.server) ?? [];
  return { config, checks: own, alive: isAlive(own), drain: "none", ramp: undefined };
};

const isAlive = (checks: readonly PoolCheck[]): boolean => checks.every(({ up }) => up);

function onReport(
  pool: Pool,
  { server: name, report, news }: Extract<PoolInput, { type: "check-reported" }>,
  now: Instant,
): PoolStep {
  const before = pool.servers.find(({ config }) => config.server === name);
  if (before?.checks.some(({ check }) => check === report.check) !== true) return tell(pool, []);
  const checks = before.checks.map((each) => (each.check === report.check ? report : each));
  const alive = isAlive(checks);
  const changed = alive !== before.alive;
  const after = { ...before, checks, alive };
  const state = changeServer(pool, name, () => (changed ? afterChange(pool, after, now) : after));
  const isTold = changed || news === "confirmed";
  return follow(tell(state, isTold ? [changeOf(pool, after, report.check, changed)] : []), (next) =>
    weigh(next, false),
  );
}

/** Who comes back is warmed up slowly, unless nobody else is there to serve meanwhile. */
const afterChange = (pool: Pool, server: PoolServer, now: Instant): PoolServer =>
  server.alive ? ramped(pool, server, now) : dropRamp(server);

/** Whose drain is undone comes back as from a failure. */
function drainedAs(pool: Pool, server: PoolServer, drain: Drain, now: Instant): PoolServer {
  const isBack = server.alive && server.drain !== "none" && drain === "none";
  return isBack ? ramped(pool, { ...server, drain }, now) : { ...server, drain };
}

const changeOf = (pool: Pool, server: PoolServer, check: string, changed: boolean): PoolEvent => {
  const data = {
    virtualServer: pool.config.name,
    server: server.config.server,
    reason: "check" as const,
    check,
    changed,
    told: "everyone" as const,
  };
  return server.alive ? { type: "realserver-up", data } : { type: "realserver-down", data: { ...data, held: false } };
};

type Doing = "start" | "reload" | "removed" | "stop";
const doingOf = (pool: Pool, server: PoolServer, reason: Doing, told: Told) => ({
  virtualServer: pool.config.name,
  server: server.config.server,
  reason,
  check: "",
  changed: true,
  told,
});
const upOf = (pool: Pool, server: PoolServer, reason: Doing, told: Told): PoolEvent => ({
  type: "realserver-up",
  data: doingOf(pool, server, reason, told),
});
const downOf = (pool: Pool, server: PoolServer, reason: Doing, told: Told): PoolEvent => ({
  type: "realserver-down",
  data: { ...doingOf(pool, server, reason, told), held: false },
});

const beginningTold = ({ startNotices }: PoolConfig): Told => (startNotices ? "everyone" : "nobody");

// --- quorum ---------------------------------------------------------------------------------------------------------

/** What the live servers weigh together. */
export const liveWeight = ({ servers }: Pool): number =>
  servers.reduce((sum, server) => sum + (server.alive ? wholeWeight(server) : 0), 0);

/** `starting`: the first time, or after a reload: a sorry server that is needed is added even if nothing was lost. */
function weigh(pool: Pool, starting: boolean): PoolStep {
  const { quorum, hysteresis, sorryServer } = pool.config;
  const weight = liveWeight(pool);
  const reason = starting ? "start" : "servers";
  if (!pool.quorumUp && weight >= quorum + hysteresis) {
    const gained = quorumEvent(pool, "quorum-gained", weight, reason, "everyone");
    return tell({ ...pool, quorumUp: true, sorry: false }, [gained, ...sorryEvents(pool, "sorry-server-removed")]);
  }
  const isLost = pool.quorumUp && (weight === 0 || weight < quorum - hysteresis);
  const isWanting = starting && !pool.quorumUp && sorryServer !== undefined && !pool.sorry;
  if (!isLost && !isWanting) return tell(pool, []);
  const lost = quorumEvent(pool, "quorum-lost", weight, reason, "everyone");
  const next = { ...pool, quorumUp: false, sorry: sorryServer !== undefined };
  return tell(next, [lost, ...(pool.sorry ? [] : sorryEvents(next, "sorry-server-added"))]);
}

function quorumEvent(
  pool: Pool,
  type: "quorum-gained" | "quorum-lost",
  weight: number,
  reason: "servers" | "start" | "removed" | "stop",
  told: Told,
): PoolEvent {
  const { name, quorum, hysteresis } = pool.config;
  const threshold = quorum + (pool.quorumUp ? -hysteresis : hysteresis);
  return { type, data: { virtualServer: name, quorum, hysteresis, threshold, weight, reason, told } };
}

function sorryEvents(
  { config, sorry }: Pool,
  type: "sorry-server-added" | "sorry-server-removed",
): readonly PoolEvent[] {
  if (!sorry || config.sorryServer === undefined) return [];
  return [{ type, data: { virtualServer: config.name, server: config.sorryServer.server } }];
}

// --- reload and end -------------------------------------------------------------------------------------------------

/**
 * Who goes is told of, who is new begins as at a start, who stays is judged by the checks it has now. The quorum is
 * computed once, with everybody in place: keepalived tells of losses that last from one server of its list to the next.
 */
function reload(pool: Pool, config: PoolConfig, checks: PoolChecks, now: Instant): PoolStep {
  assertConfig(config);
  const names = new Set(config.servers.map(({ server }) => server));
  const old = new Map(pool.servers.map((server) => [server.config.server, server]));
  const gone = pool.servers.filter((server) => !names.has(server.config.server));
  const events = gone
    .filter((server) => server.alive && isInTable(pool, server))
    .map((server) => downOf(pool, server, "removed", "everyone"));
  const kept: Pool = { ...pool, config, servers: pool.servers.filter((server) => !gone.includes(server)) };
  const servers = config.servers.map((each) => {
    const server = newServer(each, checks);
    const before = old.get(each.server);
    const changed = before?.alive !== server.alive;
    if (changed && server.alive)
      events.push(upOf(kept, server, "reload", before === undefined ? beginningTold(config) : "everyone"));
    if (changed && before !== undefined && !server.alive) events.push(downOf(kept, server, "reload", "everyone"));
    const carried = before === undefined ? server : { ...server, drain: before.drain, ramp: before.ramp };
    return changed ? afterChange(kept, carried, now) : carried;
  });
  const isOtherSorry = pool.config.sorryServer?.server !== config.sorryServer?.server;
  if (isOtherSorry) events.push(...sorryEvents(pool, "sorry-server-removed"));
  const state = { ...kept, servers, sorry: pool.sorry && !isOtherSorry };
  return follow(tell(config.slowStart > 0 ? state : { ...state, servers: servers.map(dropRamp) }, events), (next) =>
    weigh(next, true),
  );
}

const end = (pool: Pool): Pool => ({
  ...pool,
  servers: pool.servers.map((server) => dropRamp({ ...server, alive: false })),
  quorumUp: false,
  sorry: false,
  held: undefined,
  ended: true,
});

const liveInTable = (pool: Pool): readonly PoolServer[] =>
  pool.servers.filter((server) => server.alive && isInTable(pool, server));

/** `omega`: as if all servers were lost; without it SNMP alone is told. The service's end is told even if it was down. */
function stop(pool: Pool, flush: boolean): PoolStep {
  const told: Told = pool.config.omega ? "everyone" : "traps";
  const downs = flush ? [] : liveInTable(pool).map((server) => downOf(pool, server, "stop", told));
  const weight = flush ? liveWeight(pool) : 0;
  const lost = quorumEvent(pool, "quorum-lost", weight, "stop", told);
  return tell(end(pool), [...sorryEvents(pool, "sorry-server-removed"), ...downs, lost]);
}

/** Everyone is told whatever omega says: Baton goes on, and so do scripts and mail. */
function remove(pool: Pool, flush: boolean): PoolStep {
  const downs = flush ? [] : liveInTable(pool).map((server) => downOf(pool, server, "removed", "everyone"));
  const isLost = pool.quorumUp && !flush;
  const lost = isLost ? [quorumEvent(pool, "quorum-lost", 0, "removed", "everyone")] : [];
  return tell(end(pool), [...sorryEvents(pool, "sorry-server-removed"), ...downs, ...lost]);
}

// --- panic guard ----------------------------------------------------------------------------------------------------

/** Who served last stays, while nobody else does; whom the operator has drained, given weight 0 or taken out does not. */
function heldOf(before: Pool, { config, servers, ended }: Pool): string | undefined {
  if (!config.panicGuard || config.sorryServer !== undefined || ended || servers.some(serves)) return undefined;
  const served = before.servers.filter(serves).map((server) => server.config.server);
  const wanted = before.held === undefined ? served : [before.held];
  const isWilled = ({ config: { weight }, drain }: PoolServer): boolean => weight > 0 && drain === "none";
  return servers.find((server) => wanted.includes(server.config.server) && isWilled(server))?.config.server;
}

const markHeld = (effects: PoolStep["effects"], { held }: Pool): PoolStep["effects"] =>
  effects.map((effect) =>
    effect.event.type === "realserver-down" && effect.event.data.server === held
      ? { ...effect, event: { ...effect.event, data: { ...effect.event.data, held: true } } }
      : effect,
  );
