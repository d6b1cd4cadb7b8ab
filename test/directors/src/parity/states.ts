// What every configuration goes through, and what pools and the wanted table make of it in each state.
import { instant, micros } from "@baton/domain";
import {
  type FollowedCheck,
  type FollowedConfig,
  followBfd,
  followFile,
  type Pool,
  type PoolCheck,
  startFollowed,
  startPool,
  stepPool,
  wantedDestinations,
} from "@baton/health";
import { poolServerName, poolServers, type WantedService, wantedTable } from "@baton/ipvs";
import { type Config, parseConfig, type VirtualServerConfig } from "@baton/keepalived-conf";
import { type Host, hosts } from "./configurations.ts";

/** Which of the two servers answer, one state after the other; the first is the start. */
export const states: readonly { readonly name: string; readonly up: readonly Host[] }[] = [
  { name: "start", up: hosts },
  { name: "one server failed", up: ["12"] },
  { name: "it returned", up: hosts },
  { name: "none answers", up: [] },
  { name: "one answers again", up: ["11"] },
  { name: "all answer again", up: hosts },
];

/** The number in the file of a server. */
export const fileValue = (host: Host, up: readonly Host[]): number => (up.includes(host) ? 0 : 1);

export function configOf(text: string): Config {
  const { config, diagnostics } = parseConfig({ file: "keepalived.conf", hostName: "vm", readFile: () => ({ text }) });
  if (config === undefined) throw new Error(`no configuration: ${JSON.stringify(diagnostics)}\n${text}`);
  return config;
}

/** `172.16.100.11:80`, `down11` → `11` */
function hostAt(name: string): Host {
  const host = hosts.find((each) => new RegExp(`(^down|\\.)${each}($|:)`).test(name));
  if (host === undefined) throw new Error(`whose is ${name}?`);
  return host;
}

/** Servers that checks ask at their address, and whose they are. */
export const answeringOf = (text: string): Record<string, Host> =>
  Object.fromEntries(
    configOf(text).virtualServers.flatMap(({ realServers }) =>
      realServers
        .filter(({ checkers }) => checkers.some(({ type }) => type !== "FILE_CHECK"))
        .map(({ address }) => [address, hostAt(address)] as const),
    ),
  );

/** The services of each state. */
export function tablesOf(text: string): WantedService[][] {
  const config = configOf(text);
  const pools = new Map(config.virtualServers.map((server) => [server, new FollowingPool(server)]));
  return states.map(({ up }) => {
    for (const pool of pools.values()) pool.follow(up);
    const wanted = wantedTable(config, (server) => {
      const pool = pools.get(server)?.pool;
      return pool && poolServers(server, wantedDestinations(pool));
    });
    return [...wanted.services.values()];
  });
}

/** A pool whose checks follow files, or hosts: what asks a server hears from it while its host is up. */
class FollowingPool {
  pool: Pool;
  readonly #checks: { readonly server: string; check: FollowedCheck }[];

  constructor(config: VirtualServerConfig) {
    const { quorum, hysteresis, omega, realServers, sorryServer } = config;
    this.#checks = realServers.flatMap((server) =>
      server.checkers.flatMap((checker, i) => {
        const config: FollowedConfig =
          checker.type === "FILE_CHECK"
            ? { ...checker, name: checker.trackFile, identity: String(i) }
            : { type: "BFD_CHECK", name: poolServerName(server), identity: String(i), alpha: checker.alpha };
        return [{ server: poolServerName(server), check: startFollowed(config, "start") }];
      }),
    );
    const checksOf = (server: string): PoolCheck[] =>
      this.#checks.filter((each) => each.server === server).map(({ check }) => reportOf(check));
    const { state } = startPool(
      {
        name: JSON.stringify(config.id),
        quorum,
        hysteresis,
        omega,
        servers: realServers.map((each) => ({ ...each, server: poolServerName(each) })),
        sorryServer: sorryServer && { server: poolServerName(sorryServer), inhibit: sorryServer.inhibit },
        startNotices: false,
        panicGuard: false,
        slowStart: micros(0),
      },
      new Map(realServers.map((each) => [poolServerName(each), checksOf(poolServerName(each))])),
    );
    this.pool = state;
  }

  follow(up: readonly Host[]): void {
    for (const each of this.#checks) {
      const { type, name } = each.check.config;
      const host = hostAt(name);
      const { state, news } =
        type === "FILE_CHECK" ? followFile(each.check, fileValue(host, up)) : followBfd(each.check, up.includes(host));
      each.check = state;
      if (news === undefined) continue;
      const input = { type: "check-reported", server: each.server, report: reportOf(state), news } as const;
      this.pool = stepPool(this.pool, input, instant(0)).state;
    }
  }
}

const reportOf = ({ config, up, weight }: FollowedCheck): PoolCheck => ({ check: config.identity, up, weight });
