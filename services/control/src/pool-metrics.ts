// Virtual servers as Prometheus metrics, from the read model: totals always, series of single ones only where they are few
// enough for a time series database that has other nodes to keep.
import type { NodeStatus, VirtualServerState } from "@baton/contracts";
import { attribute, type MetricName, metric } from "@baton/telemetry";
import type { MetricSample } from "./metrics-text.ts";

/** More single virtual servers, or real servers, than this have no series of their own. */
export const seriesMax = 300;

type Family = readonly [of: MetricName, samples: MetricSample[]];

export function poolFamilies({ virtualServers }: Pick<NodeStatus, "virtualServers">): Family[] {
  if (virtualServers.length === 0) return [];
  const servers = virtualServers.flatMap((pool) => pool.servers.map((server) => ({ pool, server })));
  const few = virtualServers.length <= seriesMax ? virtualServers : [];
  const fewServers = servers.length <= seriesMax ? servers : [];
  return [
    [
      metric.virtualServers,
      [
        sample(virtualServers.filter(({ quorumUp }) => quorumUp).length, { state: "quorum" }),
        sample(virtualServers.filter(({ quorumUp }) => !quorumUp).length, { state: "no-quorum" }),
        sample(virtualServers.filter(({ sorry }) => sorry).length, { state: "sorry" }),
        sample(virtualServers.filter(({ held }) => held !== "").length, { state: "held" }),
      ],
    ],
    [
      metric.realServers,
      [
        sample(servers.filter(({ server }) => server.alive).length, { state: "live" }),
        sample(servers.filter(({ server }) => !server.alive).length, { state: "down" }),
        sample(servers.filter(({ server }) => server.drain !== "none").length, { state: "drained" }),
      ],
    ],
    [metric.virtualServerQuorum, few.map((pool) => sample(pool.quorumUp ? 1 : 0, named(pool)))],
    [metric.virtualServerLive, few.map((pool) => sample(pool.servers.filter(isAlive).length, named(pool)))],
    [
      metric.realServerUp,
      fewServers.map(({ pool, server }) =>
        sample(server.alive ? 1 : 0, { ...named(pool), [attribute.realServer]: server.server }),
      ),
    ],
  ];
}

const isAlive = ({ alive }: VirtualServerState["servers"][number]): boolean => alive;
const named = ({ name }: VirtualServerState): Record<string, string> => ({ [attribute.virtualServer]: name });
const sample = (value: number, labels: Record<string, string>): MetricSample => ({ labels, value });
