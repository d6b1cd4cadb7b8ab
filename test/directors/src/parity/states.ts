// What every configuration goes through, and what pools and the wanted table make of it in each state.
import { instant, micros } from "@baton/domain";
import {
  type FollowedCheck,
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

/** A pool whose checks follow files; what asks servers counts as answered. */
class FollowingPool {
  pool: Pool;
  readonly #checks: { readonly server: string; check: FollowedCheck }[];

  constructor(config: VirtualServerConfig) {
    const { quorum, hysteresis, omega, realServers, sorryServer } = config;
    this.#checks = realServers.flatMap((server) =>
      server.checkers.flatMap((checker, i) => {
        if (checker.type !== "FILE_CHECK") return [];
        const check = startFollowed({ ...checker, name: checker.trackFile, identity: String(i) }, "start");
        return [{ server: poolServerName(server), check }];
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
      const host = hosts.find((name) => each.check.config.name === `down${name}`);
      if (host === undefined) throw new Error(`whose file is ${each.check.config.name}?`);
      const { state, news } = followFile(each.check, fileValue(host, up));
      each.check = state;
      if (news === undefined) continue;
      const input = { type: "check-reported", server: each.server, report: reportOf(state), news } as const;
      this.pool = stepPool(this.pool, input, instant(0)).state;
    }
  }
}

const reportOf = ({ config, up, weight }: FollowedCheck): PoolCheck => ({ check: config.identity, up, weight });
