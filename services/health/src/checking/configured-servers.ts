// Checks and pools in step with the configuration: at the first one they begin, but for what a killed process knew; each
// later one is a diff.
import {
  type CheckMoment,
  type PoolCheck,
  type ServerCheck,
  type ServerCheckConfig,
  startCheck,
  startFollowed,
} from "@baton/health";
import { beginFiles, type CheckBoard, type CheckMember, type CheckUser } from "./check-board.ts";
import { type CheckSpec, createNames, machineConfig, type PoolSpec } from "./check-specs.ts";
import type { Drains } from "./drains.ts";
import { type Known, type KnownCheck, nothingKnown, recalled, recalledPool } from "./known.ts";
import type { PoolBoard } from "./pool-board.ts";
import { type CheckPlan, planReload, supposedOf } from "./reload-checks.ts";

export interface ConfiguredServers {
  /** `flush`: what ends goes as a whole (`lvs_flush_on_stop`). */
  apply(specs: readonly PoolSpec[], options: { readonly jitter: number; readonly flush: boolean }): void;
}

/** What the checks of one pool decide. */
interface Employed {
  readonly spec: PoolSpec;
  readonly users: { readonly key: string; readonly user: CheckUser }[];
  /** Of each server: keys of its checks, in order. */
  readonly keys: Map<string, readonly string[]>;
  /** As it began or went on with. */
  readonly checks: Map<string, readonly PoolCheck[]>;
}

/** Whether a check counts as passed for a server before it has run, and as what is known afterwards. */
type Supposition = (pool: string, server: string, state: ServerCheck, key: string) => boolean;

export interface ConfiguredServersOptions {
  readonly checks: CheckBoard;
  readonly pools: PoolBoard;
  readonly drains: Pick<Drains, "of" | "keepOnly">;
  /** For the first configuration. */
  readonly known: Known;
  readonly moment: () => CheckMoment;
  /** What a tracked file says; undefined: nobody has read it. */
  readonly fileValue: (name: string) => number | undefined;
}

export function createConfiguredServers({
  checks,
  pools,
  drains,
  known,
  moment,
  fileValue,
}: ConfiguredServersOptions): ConfiguredServers {
  let recalling = known;
  const alike = new Map([...known.checks.values()].map((each) => [each.likeness, each]));
  let isFirst = true;
  /** By pool. */
  let employed = new Map<string, Employed>();

  /** Another configuration may have come while nobody was there: the same check with other times is known, too. */
  const beforeKill = ({ id, likeness }: CheckSpec): KnownCheck | undefined =>
    recalling.checks.get(id) ?? alike.get(likeness);

  function begun(spec: CheckSpec, name: string, jitter: number) {
    const config = machineConfig(spec.checker, name, jitter);
    const fresh =
      config.type === "FILE_CHECK" || config.type === "BFD_CHECK"
        ? startFollowed(config, "start")
        : startCheck(config, "start", moment());
    const before = beforeKill(spec);
    return before === undefined ? fresh : recalled(fresh, before, moment());
  }

  /** The first configuration of this process: as at a start, but for what a killed one knew. */
  function begin(specs: readonly PoolSpec[], jitter: number): Supposition {
    const wanted = uniqueSpecs(specs);
    const names = namesOf(wanted, (spec) => {
      const before = beforeKill(spec)?.name;
      return before?.startsWith(spec.label) === true ? before : undefined;
    });
    for (const spec of wanted) {
      const name = names.get(spec.key) ?? spec.label;
      checks.add(spec, name, begun(spec, name, jitter));
    }
    return (_pool, _server, { up }) => up;
  }

  /** Nothing of it is another, and all its checks have said what they found: a reload has nothing to say about it. */
  const isSettled = (spec: PoolSpec): boolean =>
    employed.get(spec.name)?.spec === spec &&
    pools.members.get(spec.name)?.state.config === spec.pool &&
    spec.servers.every((each) => each.checks.every(({ key }) => hasSpoken(checks.members.get(key))));
  const hasSpoken = (member: CheckMember | undefined): boolean => member?.state.hasRun === true && !member.isDisputed;

  function reload(specs: readonly PoolSpec[], settled: ReadonlySet<PoolSpec>, jitter: number): Supposition {
    const names = namesOf(uniqueSpecs(specs), ({ key }) => checks.members.get(key)?.name);
    const alive = aliveServers(pools);
    const configs = new Map<string, ServerCheckConfig>();
    const plan = planReload({
      specs,
      settled,
      members: checks.members,
      keysOf: (pool, server) => employed.get(pool)?.keys.get(server),
      isAlive: (pool, server) => alive.get(pool)?.has(server) === true,
      configOf: (spec) => {
        const config = configs.get(spec.key) ?? machineConfig(spec.checker, names.get(spec.key) ?? spec.label, jitter);
        configs.set(spec.key, config);
        return config;
      },
      moment: moment(),
    });
    for (const member of plan.ended) checks.remove(member);
    for (const each of plan.checks) carryOut(each, names.get(each.spec.key) ?? each.spec.label);
    return (pool, server, { up, hasRun }, key) =>
      hasRun ? up : (plan.supposed.get(supposedOf(pool, server, key)) ?? up);
  }

  function carryOut({ spec, state, member }: CheckPlan, name: string): void {
    if (member === undefined) return void checks.add(spec, name, state);
    if (member.spec.key !== spec.key) checks.rekey(member, spec, name);
    checks.replace(member, state);
  }

  /** What such a check finds of a server that serves already is told as its failure. */
  function checksOfLive(specs: readonly PoolSpec[], settled: ReadonlySet<PoolSpec>): ReadonlySet<string> {
    const alive = aliveServers(pools);
    const serving = specs
      .filter((spec) => !settled.has(spec))
      .flatMap(({ name, servers }) => servers.filter(({ server }) => alive.get(name)?.has(server) === true));
    return new Set(serving.flatMap((each) => each.checks.map(({ key }) => key)));
  }

  /** Who decides for whom; and what each pool begins or goes on with. */
  function employ(specs: readonly PoolSpec[], settled: ReadonlySet<PoolSpec>, isUp: Supposition): void {
    const users = new Map<string, CheckUser[]>();
    const before = employed;
    for (const member of checks.members.values()) member.isDisputed = false;
    employed = new Map();
    for (const spec of specs) {
      const own = (settled.has(spec) ? before.get(spec.name) : undefined) ?? employOf(spec, isUp);
      employed.set(spec.name, own);
      for (const { key, user } of own.users) {
        const known = users.get(key);
        if (known === undefined) users.set(key, [user]);
        else known.push(user);
      }
    }
    for (const member of checks.members.values()) member.users = users.get(member.spec.key) ?? [];
  }

  function employOf(spec: PoolSpec, isUp: Supposition): Employed {
    const { name: pool, servers } = spec;
    const found: Employed = { spec, users: [], keys: new Map(), checks: new Map() };
    for (const { server, checks: wanted } of servers) {
      const names = createNames();
      const used = wanted.flatMap(({ key }) => {
        const member = checks.members.get(key);
        if (member === undefined) return [];
        // One that stands there twice counts twice.
        const check = names.unique(member.name);
        found.users.push({ key, user: { pool, server, check } });
        const up = isUp(pool, server, member.state, key);
        if (up !== member.state.up) member.isDisputed = true;
        return [{ check, up, weight: member.state.weight }];
      });
      found.checks.set(server, used);
      found.keys.set(server, [...new Set(wanted.map(({ key }) => key))]);
    }
    return found;
  }

  function meetPools(specs: readonly PoolSpec[], settled: ReadonlySet<PoolSpec>, flush: boolean): void {
    const wanted = new Set(specs.map(({ name }) => name));
    for (const name of [...pools.members.keys()]) if (!wanted.has(name)) pools.remove(name, flush);
    drains.keepOnly(wanted);
    for (const spec of specs) {
      if (settled.has(spec)) continue;
      const { name, pool } = spec;
      const own = employed.get(name)?.checks ?? new Map();
      const drainOf = (server: string) => drains.of(name, server).drain;
      const before = recalling.pools.get(name);
      if (pools.members.has(name)) pools.feed(name, { type: "reload", config: pool, checks: own });
      else if (before === undefined) pools.start(pool, own, drainOf);
      else {
        const knownServers = recalling.servers.get(name) ?? [];
        const earlier = recalledPool({ config: pool, checks: own, known: before, knownServers, drainOf }, moment().now);
        pools.resume(earlier, pool, own, before.quorumSince);
      }
    }
  }

  return {
    apply: (specs, { jitter, flush }) => {
      const settled = new Set(specs.filter(isSettled));
      const isUp = isFirst ? begin(specs, jitter) : reload(specs, settled, jitter);
      const tellable = checksOfLive(specs, settled);
      const silent = [...checks.members.values()].filter(({ spec }) => !tellable.has(spec.key));
      beginFiles(silent, fileValue, moment().now);
      employ(specs, settled, isUp);
      meetPools(specs, settled, flush);
      isFirst = false;
      recalling = nothingKnown;
      alike.clear();
    },
  };
}

const uniqueSpecs = (specs: readonly PoolSpec[]): CheckSpec[] => [
  ...new Map(
    specs.flatMap(({ servers }) => servers.flatMap(({ checks }) => checks.map((each) => [each.key, each] as const))),
  ).values(),
];

/** Who goes on keeps its name; the others get what is free, as they stand in the file. */
function namesOf(
  wanted: readonly CheckSpec[],
  keptName: (spec: CheckSpec) => string | undefined,
): ReadonlyMap<string, string> {
  const free = createNames();
  const names = new Map<string, string>();
  for (const spec of wanted) {
    const name = keptName(spec);
    if (name !== undefined && free.take(name)) names.set(spec.key, name);
  }
  for (const { key, label } of wanted) if (!names.has(key)) names.set(key, free.unique(label));
  return names;
}

const aliveServers = (pools: PoolBoard): ReadonlyMap<string, ReadonlySet<string>> =>
  new Map(
    [...pools.members.values()].map(({ name, state }) => [
      name,
      new Set(state.servers.flatMap(({ alive, config: { server } }) => (alive ? [server] : []))),
    ]),
  );
