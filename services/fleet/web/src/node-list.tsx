// The routers themselves: heard or not, what they run, what waits in their outboxes.
import type { NodeView, PoolsView, PoolTroubleView } from "../../src/view.ts";
import { agoText } from "./time-text.ts";

const statusText = {
  connected: "connected",
  silent: "not heard",
  stopped: "stopped",
  expected: "never heard",
} as const satisfies Record<NodeView["status"], string>;

const statusTone = { connected: "good", silent: "bad", stopped: "neutral", expected: "neutral" } as const;

export function NodeList({ nodes, now }: { nodes: readonly NodeView[]; now: number }) {
  return (
    <section className="nodes" aria-labelledby="nodes-title">
      <h2 id="nodes-title">Nodes</h2>
      <ul>
        {nodes.map((node) => (
          <li key={node.node} className="card node">
            <h3>{node.node}</h3>
            <p className={`dot ${statusTone[node.status]}`}>
              {statusText[node.status]}
              {node.lastHeard !== "" && ` for ${agoText(node.lastHeard, now)}`}
            </p>
            {node.status !== "expected" && <Details node={node} />}
            {node.pools !== undefined && <Pools pools={node.pools} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Details({ node }: { node: NodeView }) {
  const troubled = node.services.filter((service) => service.status !== "running" && service.status !== "ready");
  const restarts = node.services.reduce((sum, service) => sum + service.restarts, 0);
  return (
    <p className="details">
      {node.version !== "" && <span>version {node.version}</span>}
      {node.generation > 0 && <span>configuration {node.generation}</span>}
      {node.services.length > 0 && troubled.length === 0 && <span>{node.services.length} services running</span>}
      {troubled.map((service) => (
        <span key={service.name} className="warn">
          {service.name} {service.status}
        </span>
      ))}
      {restarts > 0 && (
        <span className="warn">
          {restarts} {restarts === 1 ? "restart" : "restarts"}
        </span>
      )}
      {node.backlog > 0 && <span className="warn">{node.backlog} events waiting</span>}
    </p>
  );
}

function Pools({ pools }: { pools: PoolsView }) {
  const { virtualServers, withoutQuorum, realServers, live, drained, troubles } = pools;
  return (
    <div className="pools">
      <p className="details">
        <span>
          {virtualServers} virtual {virtualServers === 1 ? "server" : "servers"}
        </span>
        {withoutQuorum > 0 && <span className="warn">{withoutQuorum} without quorum</span>}
        <span className={live < realServers ? "warn" : undefined}>
          {live} of {realServers} real servers live
        </span>
        {drained > 0 && <span>{drained} drained</span>}
      </p>
      {troubles.length > 0 && (
        <ul className="troubles">
          {troubles.map((trouble) => (
            <li key={`${trouble.virtualServer} ${trouble.server} ${trouble.what}`}>{troubleText(trouble)}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function troubleText({ virtualServer, server, what, why }: PoolTroubleView): string {
  if (server === "") return `${virtualServer} has no quorum`;
  const state = what === "draining" ? "is being drained" : `is ${what}`;
  return `${server} of ${virtualServer} ${state}${why === "" ? "" : `: ${why}`}`;
}
