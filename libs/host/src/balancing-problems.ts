// What nftables cannot carry, where baton.yaml says that it is to carry the virtual servers: said before anything runs.
// Where `load_balancer` is `auto`, which engine it will be is known by the balancer alone, which then says the same.
import { wantedTable } from "@baton/ipvs";
import { type Config, type Diagnostic, virtualServerName } from "@baton/keepalived-conf";
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
