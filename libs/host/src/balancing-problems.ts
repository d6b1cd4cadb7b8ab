// What nftables cannot carry, where baton.yaml says that it is to carry the virtual servers: said before anything runs.
// Where `load_balancer` is `auto`, which engine it will be is known by the balancer alone, which then says the same.
// And what of baton.yaml comes to nothing with these virtual servers.
import { wantedTable } from "@baton/ipvs";
import { type Config, type Diagnostic, type RealServerConfig, virtualServerName } from "@baton/keepalived-conf";
import { explainObstacle, obstacles } from "@baton/nft-balancer";
import type { Settings } from "./settings.ts";

/** Errors; empty: it can be used. `file`: keepalived.conf. */
export function balancingProblems(
  { virtualServers, virtualServerGroups, global }: Pick<Config, "virtualServers" | "virtualServerGroups" | "global">,
  { loadBalancer }: Pick<Settings, "loadBalancer">,
  file: string,
): readonly Diagnostic[] {
  if (loadBalancer !== "nftables") return [];
  const groups = new Map(virtualServerGroups.map((group) => [group.name, group]));
  const carried = virtualServers.flatMap((server) => {
    const group = server.id.kind === "group" ? groups.get(server.id.name) : undefined;
    const { sorryServer } = server;
    const sorry =
      sorryServer === undefined ? [] : [{ ...sorryServer, weight: 1, upperThreshold: 0, lowerThreshold: 0 }];
    const table = wantedTable(
      { virtualServers: [server], virtualServerGroups: group === undefined ? [] : [group] },
      ({ realServers }) => [...realServers, ...sorry],
    );
    // A group of thousands of addresses has one reason thousands of times.
    const reasons = new Set([...table.services.values()].flatMap((service) => obstacles(service).map(explainObstacle)));
    return [...reasons].map((reason) => problem(file, `${virtualServerName(server)}: ${reason}`));
  });
  const daemon = global.lvs.syncDaemon === undefined ? [] : [problem(file, noDaemon)];
  return [...carried, ...daemon];
}

const namedMax = 3;

/** Warnings: of thousands of virtual servers one. `file`: keepalived.conf. */
export function slowStartAdvice(
  { virtualServers }: Pick<Config, "virtualServers">,
  { checks }: Pick<Settings, "checks">,
  file: string,
): readonly Diagnostic[] {
  if ((checks?.slowStartSeconds ?? 0) === 0) return [];
  const idle = virtualServers.filter(({ realServers }) => realServers.length > 1 && !realServers.some(hasTenths));
  if (idle.length === 0) return [];
  const more = idle.length - namedMax;
  const names = idle.slice(0, namedMax).map(virtualServerName).join(", ") + (more > 0 ? ` and ${more} more` : "");
  return [
    {
      ...problem(
        file,
        `checks.slow_start does nothing in ${names}: no server weighs more than 1, and a tenth of it is 1`,
      ),
      severity: "warning",
      code: "slow-start-without-weight",
      hint: "weight 10 in place of 1, and a quorum ten times as large, leave all as it is and have tenths",
    },
  ];
}

/** Weights are whole numbers, and the least is 1; a check may set another one. */
const hasTenths = ({ weight, checkers }: RealServerConfig): boolean =>
  weight > 1 ||
  checkers.some(
    (each) => (each.type === "MISC_CHECK" && each.dynamic) || (each.type === "FILE_CHECK" && each.weight !== 0),
  );

const noDaemon = "lvs_sync_daemon: nftables does not share connections with another machine";

const problem = (file: string, message: string): Diagnostic => ({
  file,
  line: 0,
  column: 0,
  severity: "error",
  code: "not-for-nftables",
  errorClass: "ok",
  message,
  text: undefined,
  used: undefined,
  hint: "load_balancer: ipvs in baton.yaml carries it",
});
