// Composition root of a node's uplink: started by `baton up` when baton.yaml names a hub.
import { NodeServiceClient, type NodeStatus } from "@baton/contracts";
import { inboxPrefix, openHub, openNatsBus } from "@baton/event-log";
import { clientOptions, paths, readCredentials, startHost } from "@baton/host";
import { metric } from "@baton/telemetry";
import { credentials, Metadata } from "@grpc/grpc-js";
import { runUplink } from "./run-uplink.ts";
import { openWitnessLine, relayWitnesses } from "./witness-relay.ts";

/** Control answers in a millisecond or two; a heartbeat without status is better than a late one. */
const statusWithinMillis = 700;

const host = await startHost({ service: "uplink" });
const { node, runDir } = host.env;
const { settings } = await host.config.current();
if (settings.hub === undefined) throw new Error("an uplink needs a hub in baton.yaml");

const local = host.own(
  openNatsBus({
    credentials: async () => {
      const known = await readCredentials(runDir);
      const login = known?.nats.users.uplink;
      return known === undefined || login === undefined ? undefined : { url: known.nats.url, ...login };
    },
    name: `${node}/uplink`,
    inboxPrefix: inboxPrefix("uplink"),
  }),
);
const hub = host.own(openHub({ ...settings.hub, name: `${node}/uplink` }));
const control = host.own(
  new NodeServiceClient(`unix:${paths.nodeSocket(runDir)}`, credentials.createInsecure(), clientOptions),
);
const electionSocket = paths.socket(runDir, "election");
host.own(
  relayWitnesses({
    node,
    hub,
    openLine: (onTestimony) => openWitnessLine(electionSocket, onTestimony),
    nowMillis: () => performance.now(),
  }),
);
const uplink = runUplink({ host, local, hub, status: askStatus, wallMillis: () => Date.now() });
await host.serveWatch({
  states: () => [],
  counters: () => [
    { name: metric.uplinkForwarded.name, labels: {}, value: uplink.forwarded },
    { name: metric.uplinkConnected.name, labels: {}, value: uplink.connected ? 1 : 0 },
  ],
});
host.onStop(() => uplink.stop());
host.ready();

function askStatus(): Promise<NodeStatus | undefined> {
  const deadline = Date.now() + statusWithinMillis;
  return new Promise((resolve) => {
    control.getStatus({ summary: true }, new Metadata(), { deadline }, (error, status) =>
      resolve(error === null ? status : undefined),
    );
  });
}
