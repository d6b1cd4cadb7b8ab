// The hub at work: its bus, its read model, its page.
import { watch } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "@baton/domain";
import { type Hub, openHub } from "@baton/event-log";
import { EventStream } from "./event-stream.ts";
import { FleetFeed } from "./fleet-feed.ts";
import { decodeHeartbeat, heartbeatFilter } from "./heartbeat.ts";
import { createHttpServer } from "./http-server.ts";
import { ensureAdmin, ensureNode, listNodes, nodesDirectory } from "./hub-credentials.ts";
import { HubServer, rememberedPort } from "./hub-server.ts";
import type { LineLog } from "./line-log.ts";
import type { FleetOptions, ListenAddress } from "./options.ts";
import { loadStaticFiles } from "./static-files.ts";

export interface HubDependencies {
  readonly options: FleetOptions;
  readonly log: LineLog;
  /** Login of a nats-server that is not ours. */
  readonly external: { readonly user?: string | undefined; readonly password?: string | undefined };
  /** Directory of the built page. */
  readonly webRoot: string;
}

export interface RunningHub {
  /** http://HOST:PORT, or unix:PATH. */
  readonly page: string;
  /** How the nodes reach the bus. */
  readonly natsUrl: string;
  natsPid(): number | undefined;
  /** Resolves when the bus was there for the first time. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** How often silence is looked for; nodes fall silent without a message. */
const lookEveryMillis = 250;
/** Changes within this time of the last redraw are one. */
const coalesceMillis = 20;
/** Of the stored events, so many are read at the start: heartbeats tell the rest within a second. */
const rebuildEventsMax = 20_000;

export async function runHub(dependencies: HubDependencies): Promise<RunningHub> {
  const { options, log } = dependencies;
  const closers: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const stream = new EventStream();
    closers.push(() => stream.close());
    const feed = new FleetFeed({
      now: () => Date.now(),
      broadcast: (message) => stream.broadcast(message),
      schedule: paced(coalesceMillis),
    });
    const bus = await openBus(dependencies, feed, closers);
    const ready = followBus(bus.hub, feed, log, closers);
    const files = loadStaticFiles(dependencies.webRoot);
    const server = createHttpServer({ feed, stream, files, hostNames: options.hostNames });
    const page = await listen(server, options.listen);
    closers.push(() => stopServer(server, options.listen));
    const look = setInterval(() => feed.touch(), lookEveryMillis);
    closers.push(() => clearInterval(look));
    return { page, natsUrl: bus.url, natsPid: () => bus.server?.pid, ready, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** At once after a rest, and then once per `paceMillis`: the first word of a takeover does not wait for the others. */
function paced(paceMillis: number): (run: () => void) => void {
  let last = 0;
  return (run) => {
    setTimeout(
      () => {
        last = Date.now();
        run();
      },
      Math.max(0, last + paceMillis - Date.now()),
    );
  };
}

async function openBus(
  { options, log, external }: HubDependencies,
  feed: FleetFeed,
  closers: (() => unknown)[],
): Promise<{ readonly hub: Hub; readonly url: string; readonly server?: HubServer }> {
  if (options.bus.kind === "external") {
    const { url } = options.bus;
    for (const node of options.nodes) feed.expect(node);
    return { hub: openHub({ url, ...external, name: "baton-fleet" }), url };
  }
  const { stateDir } = options;
  const admin = ensureAdmin(stateDir);
  const { host } = options.bus;
  const port = options.bus.port === 0 ? await rememberedPort(stateDir, host) : options.bus.port;
  const url = options.bus.advertise ?? `nats://${urlHost(host)}:${port}`;
  for (const node of options.nodes) ensureNode(stateDir, node, url);
  const nodes = () => listNodes(stateDir, (problem) => log.warn(problem));
  for (const { node } of nodes()) feed.expect(node);
  const server = new HubServer({ stateDir, host, port, admin, nodes, log });
  await server.start();
  closers.push(() => server.stop());
  closers.push(
    watchNodes(stateDir, () => {
      for (const { node } of nodes()) feed.expect(node);
      feed.touch();
      server.reload();
    }),
  );
  // The server may listen on all addresses; we are beside it.
  const own = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const hub = openHub({ url: `nats://${urlHost(own)}:${port}`, ...admin, name: "baton-fleet" });
  return { hub, url, server };
}

const urlHost = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** `--add-node` writes a file; several at once are one reload. */
function watchNodes(stateDir: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(nodesDirectory(stateDir), (_event, name) => {
    if (name?.endsWith(".json") !== true) return;
    clearTimeout(timer);
    timer = setTimeout(changed, 100);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}

/** Resolves when the bus was there once; goes on until the hub is closed. */
function followBus(hub: Hub, feed: FleetFeed, log: LineLog, closers: (() => unknown)[]): Promise<void> {
  const stop = new AbortController();
  hub.onSignal(heartbeatFilter, (subject, text) => {
    const heartbeat = decodeHeartbeat(subject, text);
    if (heartbeat !== undefined) feed.heartbeat(heartbeat);
  });
  return new Promise((ready) => {
    let said = "";
    hub.onStatus((connected, detail) => {
      feed.setConnected(connected);
      // Told of every attempt; said when it is something new.
      const message = connected ? "the hub's bus is there" : `the hub's bus is away: ${detail}`;
      if (message !== said) log[connected ? "info" : "warn"](message);
      said = message;
    });
    const following = followEvents(hub, feed, log, stop.signal, ready);
    closers.push(async () => {
      stop.abort();
      await hub.close();
      await following;
    });
  });
}

async function followEvents(
  hub: Hub,
  feed: FleetFeed,
  log: LineLog,
  signal: AbortSignal,
  ready: () => void,
): Promise<void> {
  let said = "";
  while (!signal.aborted) {
    try {
      await hub.ensureStream();
      ready();
      const query = { filter: "baton.>", limit: rebuildEventsMax, follow: true, signal };
      for await (const { envelope } of hub.history(query)) feed.event(envelope);
    } catch (error) {
      if (signal.aborted) return;
      const message = messageOf(error);
      if (hub.connected && message !== said)
        log.warn("the hub's events cannot be read; trying again", { cause: error });
      if (hub.connected) said = message;
      await delay(100, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function listen(server: Server, address: ListenAddress): Promise<string> {
  if (address.kind === "tcp") {
    await listening(server, () => server.listen({ host: address.host, port: address.port }));
    return `http://${urlHost(address.host)}:${(server.address() as AddressInfo).port}`;
  }
  // A socket file outlives a killed process, and bind(2) refuses a name that exists.
  await rm(address.path, { force: true });
  // The mode is decided by bind(2): a chmod afterwards would leave a moment in which anybody could connect.
  const umask = process.umask(0o177);
  try {
    await listening(server, () => server.listen({ path: address.path }));
  } finally {
    process.umask(umask);
  }
  return `unix:${address.path}`;
}

function listening(server: Server, begin: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new Error(`the page cannot be served: ${cause.message}`, { cause })));
    server.once("listening", resolve);
    begin();
  });
}

async function stopServer(server: Server, address: ListenAddress): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((closed) => server.close(() => closed()));
  if (address.kind === "unix") await rm(address.path, { force: true });
}

export const writeReadyFile = (path: string, hub: RunningHub): Promise<void> =>
  writeFile(path, `${JSON.stringify({ page: hub.page, nats: hub.natsUrl, pid: process.pid })}\n`, { mode: 0o600 });
