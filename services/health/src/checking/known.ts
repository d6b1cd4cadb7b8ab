// What health knows, as it is kept for a process that comes after one that was killed: memories of checks, and the pools.
// No schedule: it begins anew. What is read is hostile until parsed; a log of before the machine's start is worth nothing.
//
// A log is a header and lines, `[version, at, {"check" | "pool" | "server": …}]`, of which the last about somebody counts; a
// reload that takes somebody away makes `{"gone": {…}}` of it.
import { type Aggregate, addMicros, type Instant, instant, secondsToMicros } from "@baton/domain";
import {
  type Checker,
  type CheckMoment,
  type Drain,
  isProbed,
  type Pool,
  type PoolChecks,
  type PoolConfig,
  type PoolServer,
  type ServerCheck,
  type WeightPart,
} from "@baton/health";

export interface KnownCheck {
  /** Of its spec. */
  readonly id: string;
  readonly likeness: string;
  readonly name: string;
  readonly up: boolean;
  readonly hasRun: boolean;
  readonly attempts: number;
  readonly url: number;
  readonly failedUrl: number | undefined;
  readonly weight: WeightPart | undefined;
  readonly failures: number;
}

export interface KnownPool {
  readonly name: string;
  readonly quorumUp: boolean;
  readonly sorry: boolean;
  readonly held: string | undefined;
  readonly sorryServer: string | undefined;
  readonly quorumSince: Instant;
}

export interface KnownServer {
  readonly pool: string;
  readonly server: string;
  readonly alive: boolean;
  readonly ramp: { readonly since: Instant; readonly tenths: number } | undefined;
}

export interface Known {
  readonly checks: ReadonlyMap<string, KnownCheck>;
  readonly pools: ReadonlyMap<string, KnownPool>;
  /** Of each pool. */
  readonly servers: ReadonlyMap<string, readonly KnownServer[]>;
}

export interface LineStamp {
  /** Of the last event about the line's check or pool. */
  readonly version: number;
  /** CLOCK_BOOTTIME in microseconds. */
  readonly at: Instant;
}

const format = 2;
/**
 * Events are on disk a moment after they are appended. A line of the log's last moments whose event is not there is about
 * something that nobody has been told, and is to happen again. An older one has lost its event in another way.
 */
export const lastMoments = secondsToMicros(1);
export const nothingKnown: Known = { checks: new Map(), pools: new Map(), servers: new Map() };

// --- to text --------------------------------------------------------------------------------------------------------

export function knownCheck(
  { id, likeness }: Pick<KnownCheck, "id" | "likeness">,
  name: string,
  state: ServerCheck,
): KnownCheck {
  const { up, hasRun, weight } = state;
  if (!isProbed(state))
    return { id, likeness, name, up, hasRun, attempts: 0, url: 0, failedUrl: undefined, weight, failures: 0 };
  const { attempts, url, failedUrl, failures } = state;
  return { id, likeness, name, up, hasRun, attempts, url, failedUrl, weight, failures };
}

export const knownPool = (state: Pool, quorumSince: Instant): KnownPool => ({
  name: state.config.name,
  quorumUp: state.quorumUp,
  sorry: state.sorry,
  held: state.held,
  sorryServer: state.config.sorryServer?.server,
  quorumSince,
});

export const knownServer = (pool: string, { config: { server }, alive, ramp }: PoolServer): KnownServer => ({
  pool,
  server,
  alive,
  ramp,
});

/** `boot`: which start of the machine; times are counted from it. */
export const knownHeader = (boot: string): string => JSON.stringify({ format, boot });

/** `text`: JSON of `{ check }`, `{ pool }` or `{ server }`, or that one as gone. */
export const knownLine = (text: string, { version, at }: LineStamp): string => `[${version},${at},${text}]`;

export const goneText = (text: string): string => `{"gone":${text}}`;

// --- from text ------------------------------------------------------------------------------------------------------

/** The version of the last event about somebody that is on disk; 0: there is none. */
export type VersionOf = (aggregate: Aggregate) => number;

/** What does not make sense is left out, and so is what nobody has been told of. */
export function parseKnown(text: string | undefined, boot: string, versionOf: VersionOf): Known {
  const [head, ...rest] = (text ?? "").split("\n");
  const root = objectOf(parseJson(head));
  if (root === undefined || root.format !== format || root.boot !== boot) return nothingKnown;
  const lines = rest.flatMap((line) => stampedOf(parseJson(line)) ?? []);
  const end = lines.reduce((latest, { at }) => Math.max(latest, at), 0);
  const checks = new Map<string, KnownCheck>();
  const pools = new Map<string, KnownPool>();
  const servers = new Map<string, Map<string, KnownServer>>();
  for (const { version, at, what: said } of lines) {
    const gone = objectOf(said.gone);
    const what = gone ?? said;
    const learn = <Key, What>(from: Map<Key, What>, key: Key, about: What): unknown =>
      gone === undefined ? from.set(key, about) : from.delete(key);
    const isTold = (aggregate: Aggregate): boolean => version <= versionOf(aggregate) || at < end - lastMoments;
    const check = checkOf(what.check);
    if (check !== undefined && isTold({ kind: "checker", id: check.name })) learn(checks, check.id, check);
    const pool = poolOf(what.pool);
    if (pool !== undefined && isTold({ kind: "virtual-server", id: pool.name })) learn(pools, pool.name, pool);
    const server = serverOf(what.server);
    if (server === undefined || !isTold({ kind: "virtual-server", id: server.pool })) continue;
    const others = servers.get(server.pool) ?? new Map<string, KnownServer>();
    learn(others, server.server, server);
    servers.set(server.pool, others);
  }
  return { checks, pools, servers: new Map([...servers].map(([pool, own]) => [pool, [...own.values()]])) };
}

function stampedOf(value: unknown) {
  const [version, at, what] = listOf(value);
  const about = objectOf(what);
  return isCount(version) && isCount(at) && about !== undefined ? { version, at, what: about } : undefined;
}

export function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const objectOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function checkOf(value: unknown): KnownCheck | undefined {
  const { id, likeness, name, up, hasRun, attempts, url, failedUrl, weight, failures } = objectOf(value) ?? {};
  if (!isText(id) || !isText(likeness) || !isText(name) || typeof up !== "boolean" || typeof hasRun !== "boolean")
    return undefined;
  if (!isCount(attempts) || !isCount(url) || !isCount(failures)) return undefined;
  return {
    id,
    likeness,
    name,
    up,
    hasRun,
    attempts,
    url,
    failedUrl: isCount(failedUrl) ? failedUrl : undefined,
    weight: weightOf(weight),
    failures,
  };
}

function weightOf(value: unknown): WeightPart | undefined {
  const { kind, weight } = objectOf(value) ?? {};
  if (!Number.isSafeInteger(weight) || (kind !== "instead" && kind !== "added")) return undefined;
  return { kind, weight: Number(weight) };
}

function poolOf(value: unknown): KnownPool | undefined {
  const { name, quorumUp, sorry, held, sorryServer, quorumSince } = objectOf(value) ?? {};
  if (!isText(name) || typeof quorumUp !== "boolean" || typeof sorry !== "boolean") return undefined;
  return {
    name,
    quorumUp,
    sorry,
    held: isText(held) ? held : undefined,
    sorryServer: isText(sorryServer) ? sorryServer : undefined,
    quorumSince: instant(isCount(quorumSince) ? quorumSince : 0),
  };
}

function serverOf(value: unknown): KnownServer | undefined {
  const { pool, server, alive, ramp } = objectOf(value) ?? {};
  if (!isText(pool) || !isText(server) || typeof alive !== "boolean") return undefined;
  const { since, tenths } = objectOf(ramp) ?? {};
  const isRamp = isCount(since) && isCount(tenths) && tenths >= 1 && tenths <= 9;
  return { pool, server, alive, ramp: isRamp ? { since: instant(since), tenths } : undefined };
}

// --- to life --------------------------------------------------------------------------------------------------------

/**
 * `fresh`: as at a start. It runs within its next interval, at a random moment: what was down is the schedule of all
 * checks, and they are not to come back at once.
 */
export function recalled(fresh: ServerCheck, known: KnownCheck, { now, random }: CheckMoment): ServerCheck {
  const { up, hasRun, weight } = known;
  if (!isProbed(fresh)) return { ...fresh, up, hasRun, weight };
  const { config } = fresh;
  const attempts = Math.min(known.attempts, config.retry);
  const pause = up && attempts > 0 && hasRun ? config.delayBeforeRetry : config.delayLoop;
  const phase: Checker["phase"] = {
    kind: "waiting",
    dueAt: addMicros(now, Math.min(pause, config.delayLoop) * random),
  };
  const inRange = (url: number): number => (url < config.urls ? url : 0);
  const failedUrl = known.failedUrl === undefined ? undefined : inRange(known.failedUrl);
  const { failures } = known;
  return { ...fresh, up, hasRun, attempts, url: failedUrl ?? inRange(known.url), failedUrl, weight, failures, phase };
}

export interface RecalledParts {
  readonly config: PoolConfig;
  readonly checks: PoolChecks;
  readonly known: KnownPool;
  readonly knownServers: readonly KnownServer[];
  readonly drainOf: (server: string) => Drain;
}

/** What the pool was: the reload that follows (stepPool) makes of it what is. */
export function recalledPool({ config, checks, known, knownServers, drainOf }: RecalledParts, now: Instant): Pool {
  const configs = new Map(config.servers.map((each) => [each.server, each]));
  const servers = knownServers.flatMap(({ server, alive, ramp }): PoolServer[] => {
    const own = configs.get(server) ?? { server, weight: 1, inhibitOnFailure: false };
    const since = ramp === undefined || ramp.since > now ? undefined : ramp;
    return [
      {
        config: own,
        checks: checks.get(server) ?? [],
        alive,
        drain: drainOf(server),
        ramp: config.slowStart > 0 ? since : undefined,
      },
    ];
  });
  const unique = [...new Map(servers.map((each) => [each.config.server, each])).values()];
  const inhibit = config.sorryServer?.inhibit ?? false;
  const sorryServer = known.sorryServer === undefined ? undefined : { server: known.sorryServer, inhibit };
  return {
    config: { ...config, sorryServer, servers: unique.map((each) => each.config) },
    servers: unique,
    quorumUp: known.quorumUp,
    sorry: known.sorry && sorryServer !== undefined,
    held: known.held,
    ended: false,
  };
}
