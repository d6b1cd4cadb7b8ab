// The uplink at work: the node's stored events to the hub, and a heartbeat with the node's status each second. The hub
// being away is its normal life: events wait in the node's own stream, heartbeats are dropped.
import { type NodeStatus, subjectFilter } from "@baton/contracts";
import { messageOf } from "@baton/domain";
import type { Bus, Hub } from "@baton/event-log";
import type { Host } from "@baton/host";
import { encodeHeartbeat, type Heartbeat, heartbeatEveryMillis, heartbeatSubject } from "./heartbeat.ts";
import { Forwarder } from "./uplink-forwarder.ts";

export interface UplinkDependencies {
  readonly host: Pick<Host, "env" | "now" | "log">;
  readonly local: Pick<Bus, "durable" | "onStatus">;
  readonly hub: Pick<Hub, "publish" | "lastOn" | "onStatus" | "sendSignal" | "flush">;
  /** Undefined when control does not answer in time. */
  status(): Promise<NodeStatus | undefined>;
  /** Milliseconds of the Unix epoch. */
  wallMillis(): number;
}

export interface Uplink {
  readonly forwarded: number;
  readonly connected: boolean;
  /** Stops forwarding and tells the hub that the node stops. */
  stop(): Promise<void>;
}

/** The last heartbeat must not hold up the node's stop. */
const farewellMillis = 300;

export function runUplink(dependencies: UplinkDependencies): Uplink {
  const { host, local, hub } = dependencies;
  const { node } = host.env;
  const forwarder = new Forwarder(hub);
  const hubLink = watchHub(dependencies, () => forwarder.doubt());
  // After a loss of the local bus events may come again that the hub has already.
  const localLink = local.onStatus(() => forwarder.doubt());
  const consumer = local.durable({
    name: "uplink",
    filter: subjectFilter({ node }),
    start: "first",
    handle: (batch) => forwarder.forward(batch),
    onError: (error) => hubLink.problem(error),
  });
  const heartbeats = startHeartbeats(dependencies);
  return {
    get forwarded() {
      return forwarder.forwarded;
    },
    get connected() {
      return hubLink.connected();
    },
    stop: async () => {
      heartbeats.close();
      await consumer.close();
      localLink.close();
      hubLink.close();
      sendHeartbeat(dependencies, { ...timesOf(dependencies), status: undefined, stopping: true });
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, farewellMillis));
      await Promise.race([hub.flush().catch(() => undefined), timeout]);
    },
  };
}

/** Each change is one line in the log, however often the connection is tried. */
function watchHub({ host, hub }: UplinkDependencies, onChange: () => void) {
  let connected = false;
  let said = "";
  const sayOnce = (message: string, detail: string): void => {
    if (said !== message + detail) host.log.warn(message, { detail });
    said = message + detail;
  };
  const status = hub.onStatus((now, detail) => {
    if (now !== connected) onChange();
    if (now && !connected) host.log.info("connected to the hub");
    connected = now;
    if (now) said = "";
    else sayOnce("the hub is away; events wait in the node's stream", detail);
  });
  return {
    connected: () => connected,
    problem: (error: unknown) => {
      const detail = messageOf(error);
      if (connected) sayOnce("the hub does not take an event; trying again", detail);
    },
    close: () => status.close(),
  };
}

function startHeartbeats(dependencies: UplinkDependencies): { close(): void } {
  let asking = false;
  let closed = false;
  const beat = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    // Before the question: what happens while it is on its way counts as news, though the status may tell it already.
    const taken = timesOf(dependencies);
    const status = await dependencies.status().catch(() => undefined);
    asking = false;
    if (!closed) sendHeartbeat(dependencies, { ...taken, status, stopping: false });
  };
  const timer = setInterval(() => void beat(), heartbeatEveryMillis);
  // The page of a hub that is there again should not wait for the next full second.
  const status = dependencies.hub.onStatus((connected) => {
    if (connected) void beat();
  });
  return {
    close: () => {
      closed = true;
      clearInterval(timer);
      status.close();
    },
  };
}

const timesOf = ({ host, wallMillis }: UplinkDependencies) => ({ at: host.now(), wallMillis: wallMillis() });

function sendHeartbeat({ host, hub }: UplinkDependencies, heartbeat: Omit<Heartbeat, "node">): void {
  const { node } = host.env;
  const send = (status: NodeStatus | undefined): boolean =>
    hub.sendSignal(heartbeatSubject(node), encodeHeartbeat({ node, ...heartbeat, status }));
  // A status too large for one message is left out: that the node lives is still told, and its events go their own way.
  if (!send(heartbeat.status) && heartbeat.status !== undefined) send(undefined);
}
