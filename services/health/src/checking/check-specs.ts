// What a configuration wants checked: its virtual servers as pools, and the checks of their servers, each with a key. Of
// equal keys one prober is enough, however many servers it decides for: all that matters is in the key, times included.
import { createHash } from "node:crypto";
import { compareIp, type IpAddress, ipFamily, type Micros, micros } from "@baton/domain";
import { type CheckConfig, checkIdentity, type FollowedConfig, type PoolConfig } from "@baton/health";
import { poolServerName } from "@baton/ipvs";
import { type CheckerConfig, type Config, type VirtualServerConfig, virtualServerName } from "@baton/keepalived-conf";
import type { ProbedConfig } from "@baton/probes";

/** Of `checks` in baton.yaml; by default everything is as in keepalived. */
export interface CheckingSettings {
  readonly jitter: number;
  readonly slowStart: Micros;
  readonly panicGuard: boolean;
}

export interface AddressRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

export interface CheckSpec {
  readonly key: string;
  /** Short for the key. */
  readonly id: string;
  /** Equal for checks that try the same, whatever their times are. */
  readonly likeness: string;
  /** Its type and what it tries, for people; of two checks it may be the same. */
  readonly label: string;
  readonly checker: CheckerConfig;
  /** `ha_suspend`: it runs only while one of these is on this machine; undefined: always. */
  readonly whileLocal: readonly AddressRange[] | undefined;
}

export interface ServerSpec {
  /** As in its pool. */
  readonly server: string;
  /** In the order of the file; a check that stands there twice is there twice. */
  readonly checks: readonly CheckSpec[];
}

export interface PoolSpec {
  readonly name: string;
  readonly pool: PoolConfig;
  readonly servers: readonly ServerSpec[];
}

export const poolSpecs = (config: Config, settings: CheckingSettings): PoolSpec[] =>
  config.virtualServers.map((server) => poolSpec(server, config, settings));

/**
 * As `poolSpecs`, for one configuration after the other: of a virtual server that is the same object as before, and of which
 * nothing else says anything new, the spec is the same object as well.
 */
export function rememberPoolSpecs(): typeof poolSpecs {
  let around = "";
  let known = new WeakMap<VirtualServerConfig, PoolSpec>();
  return (config, settings) => {
    const { virtualServerGroups, global } = config;
    const now = JSON.stringify([settings, virtualServerGroups, global.lvs.initNotifies]);
    if (now !== around) known = new WeakMap();
    around = now;
    return config.virtualServers.map((server) => {
      const spec = known.get(server) ?? poolSpec(server, config, settings);
      known.set(server, spec);
      return spec;
    });
  };
}

function poolSpec(server: VirtualServerConfig, config: Config, settings: CheckingSettings): PoolSpec {
  const whileLocal = server.haSuspend ? rangesOf(server, config) : undefined;
  return {
    name: virtualServerName(server),
    pool: poolConfig(server, config, settings),
    servers: server.realServers.map((real) => ({
      server: poolServerName(real),
      checks: real.checkers.map((checker) => checkSpec(checker, whileLocal)),
    })),
  };
}

function poolConfig(server: VirtualServerConfig, { global }: Config, settings: CheckingSettings): PoolConfig {
  const { sorryServer } = server;
  return {
    name: virtualServerName(server),
    // keepalived takes 0 too, which no weight is below.
    quorum: Math.max(1, server.quorum),
    hysteresis: server.hysteresis,
    omega: server.omega,
    servers: server.realServers.map((real) => ({
      server: poolServerName(real),
      weight: real.weight,
      inhibitOnFailure: real.inhibitOnFailure,
    })),
    sorryServer: sorryServer && { server: poolServerName(sorryServer), inhibit: sorryServer.inhibit },
    startNotices: global.lvs.initNotifies,
    panicGuard: settings.panicGuard,
    slowStart: settings.slowStart,
  };
}

function checkSpec(checker: CheckerConfig, whileLocal: readonly AddressRange[] | undefined): CheckSpec {
  // What follows something else runs by itself: there is nothing to suspend.
  const ranges = isProbedChecker(checker) ? whileLocal : undefined;
  // Plain data that the same code has made: its members come in the same order.
  const key = JSON.stringify({ checker, whileLocal: ranges ?? null });
  const id = digestOf(key);
  const likeness = digestOf(`${checker.type} ${checkIdentity(checker)}`);
  return { key, id, likeness, label: labelOf(checker), checker, whileLocal: ranges };
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 22);

export const isProbedChecker = (checker: CheckerConfig): checker is ProbedConfig =>
  checker.type !== "FILE_CHECK" && checker.type !== "BFD_CHECK";

/** undefined: its packets have no address of their own (fwmark), so that it is never suspended. */
function rangesOf({ id }: VirtualServerConfig, { virtualServerGroups }: Config): AddressRange[] | undefined {
  if (id.kind === "fwmark") return undefined;
  if (id.kind === "address") return [{ first: id.address, last: id.address }];
  const entries = virtualServerGroups.find(({ name }) => name === id.name)?.entries ?? [];
  const ranges = entries.flatMap((entry) => (entry.kind === "range" ? [{ first: entry.first, last: entry.last }] : []));
  return ranges.length === 0 ? undefined : ranges;
}

export const isWithin = ({ first, last }: AddressRange, address: IpAddress): boolean =>
  ipFamily(first) === ipFamily(address) && compareIp(first, address) <= 0 && compareIp(address, last) <= 0;

/** For the machine of a probed check. */
export function probedConfig(checker: ProbedConfig, name: string, jitter: number): CheckConfig {
  const { type, alpha, delayLoop, warmup, retry, delayBeforeRetry, logAllFailures } = checker;
  const isGet = checker.type === "HTTP_GET" || checker.type === "SSL_GET";
  return {
    type,
    name,
    identity: checkIdentity(checker),
    alpha,
    delayLoop: micros(Math.max(1, delayLoop)),
    warmup,
    retry,
    delayBeforeRetry,
    logAllFailures,
    urls: isGet ? Math.max(1, checker.urls.length) : 1,
    fastRecovery: isGet && checker.fastRecovery,
    jitter,
  };
}

export function machineConfig(checker: CheckerConfig, name: string, jitter: number): CheckConfig | FollowedConfig {
  switch (checker.type) {
    case "FILE_CHECK": {
      const { type, weight, reverse } = checker;
      return { type, name, identity: checkIdentity(checker), weight, reverse };
    }
    case "BFD_CHECK":
      return { type: checker.type, name, identity: checkIdentity(checker), alpha: checker.alpha };
    default:
      return probedConfig(checker, name, jitter);
  }
}

const labelMax = 100;
const labelOf = (checker: CheckerConfig): string => `${checker.type} ${subjectOf(checker)}`.slice(0, labelMax);

function subjectOf(checker: CheckerConfig): string {
  switch (checker.type) {
    case "FILE_CHECK":
      return checker.trackFile;
    case "BFD_CHECK":
      return checker.session;
    case "MISC_CHECK":
      return checker.command.text;
    case "PING_CHECK":
      return checker.connection.address;
    case "DNS_CHECK":
      return `${poolServerName(checker.connection)} ${checker.queryType} ${checker.name}`;
    case "HTTP_GET":
    case "SSL_GET":
      return poolServerName(checker.connection) + (checker.urls[0]?.path ?? "");
    default:
      return poolServerName(checker.connection);
  }
}

export interface Names {
  /** false: somebody has it. */
  take(name: string): boolean;
  /** The label, and a number where it is taken. */
  unique(label: string): string;
}

export function createNames(): Names {
  const taken = new Set<string>();
  const numbers = new Map<string, number>();
  const take = (name: string): boolean => !taken.has(name) && taken.add(name).has(name);
  return {
    take,
    unique: (label) => {
      let name = label;
      while (!take(name)) {
        const number = (numbers.get(label) ?? 1) + 1;
        numbers.set(label, number);
        name = `${label} #${number}`;
      }
      return name;
    },
  };
}
