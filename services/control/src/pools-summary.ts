// All virtual servers of the node in a few lines: for whoever looks at many nodes, and for whom thousands of them are too many.
import type { NodeStatus, PoolsSummary, VirtualServerState } from "@baton/contracts";

/** More troubles than this are counted, and not named. */
export const troublesMax = 50;

type Trouble = PoolsSummary["troubles"][number];

/** Undefined: the node has no virtual servers. */
export function summarizePools({
  virtualServers,
  checkers,
}: Pick<NodeStatus, "virtualServers" | "checkers">): PoolsSummary | undefined {
  if (virtualServers.length === 0) return undefined;
  const failures = new Map(checkers.map(({ name, lastFailure }) => [name, lastFailure]));
  const servers = virtualServers.flatMap((each) => each.servers);
  const lost = virtualServers.filter(({ quorumUp }) => !quorumUp);
  // What is worst first: a service that nobody serves.
  const troubles = [...lost, ...virtualServers.filter(({ quorumUp }) => quorumUp)].flatMap((each) =>
    troublesOf(each, failures),
  );
  return {
    virtualServers: virtualServers.length,
    withoutQuorum: lost.length,
    realServers: servers.length,
    live: servers.filter(({ alive }) => alive).length,
    drained: servers.filter(({ drain }) => drain !== "none").length,
    troubles: troubles.slice(0, troublesMax),
  };
}

function troublesOf({ name, quorumUp, servers }: VirtualServerState, failures: ReadonlyMap<string, string>): Trouble[] {
  const trouble = (server: string, what: string, why = ""): Trouble => ({ virtualServer: name, server, what, why });
  return [
    ...(quorumUp ? [] : [trouble("", "no-quorum")]),
    ...servers.flatMap(({ server, alive, drain, failing }) => [
      ...(alive ? [] : [trouble(server, "down", failing.map((check) => failures.get(check) || check).join("; "))]),
      ...(drain === "none" ? [] : [trouble(server, drain === "removed" ? "drained" : "draining")]),
    ]),
  ];
}
