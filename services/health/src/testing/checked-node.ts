// A health service with virtual servers, and real servers on loopback.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CheckerState,
  type DrainRequest,
  type DrainResult,
  HealthServiceClient,
  type VirtualServerState,
} from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { type ConfigSnapshot, clientOptions, type Settings, serveGrpc } from "@baton/host";
import { createTestHost, type TestHost } from "@baton/host/testing";
import { configOf } from "@baton/keepalived-conf/testing";
import type { UserIds } from "@baton/linux";
import { scriptEnvironment } from "@baton/script";
import { credentials } from "@grpc/grpc-js";
import { type Health, runHealth } from "../run-health.ts";
import {
  type MemoryFile,
  type MemoryLog,
  memoryFile,
  memoryLog,
  memoryRecord,
  realClock,
  snapshotOf,
} from "./fixtures.ts";

/** What a process leaves to the next one. */
export interface Left {
  readonly known?: string | undefined;
  readonly drained?: string | undefined;
  /** The events that were on disk. */
  readonly told?: readonly EventEnvelope[];
}

export interface CheckedNode {
  readonly host: TestHost;
  readonly health: Health;
  /** A text is read as the next generation. */
  reload(text: string): void;
  /** Of the only virtual server. */
  pool(): VirtualServerState;
  /** Who is in the service now, and with which weight. */
  destinations(): Record<string, number>;
  checkers(): CheckerState[];
  events(kind: "checker" | "virtual-server"): EventEnvelope[];
  /** Over the socket. */
  drain(request: Partial<DrainRequest>): Promise<DrainResult>;
  /** Its files as they are at this moment; then it is ended. */
  kill(): Promise<Left>;
}

const users: Readonly<Record<string, UserIds>> = { root: { uid: 0, gid: 0 }, nobody: { uid: 65_534, gid: 65_534 } };

/** To be cleared after each test. */
export function makeCheckedNodes() {
  const ends: (() => Promise<void>)[] = [];
  let generation = 1;
  const configured = (text: string, settings: Partial<Settings> = {}): ConfigSnapshot =>
    snapshotOf(configOf(text), generation++, settings);

  async function start(text: string, left: Left = {}, settings: Partial<Settings> = {}): Promise<CheckedNode> {
    const host = createTestHost({
      service: "health",
      clock: realClock,
      config: configured(text, settings),
      told: left.told ?? [],
    });
    const kept = { known: memoryLog(left.known), drained: memoryFile(left.drained) };
    const health = await runHealth({
      host,
      record: memoryRecord(),
      environment: scriptEnvironment({ PATH: process.env.PATH }),
      lookup: (user) => users[user],
      own: { uid: 0, gid: 0 },
      kept,
      boot: "this one",
      wall: Date.now,
    });
    await host.serveWatch(health);
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      stopped ??= health.stop();
      return stopped;
    };
    ends.push(stop);
    return {
      ...viewOf(host),
      health,
      reload: (next) => host.applyConfig(configured(next, settings)),
      ...ending(kept, stop, () => [...(left.told ?? []), ...host.appended]),
      drain: (request) => askDrain(health, request),
    };
  }

  const ending = (
    { known, drained }: { known: MemoryLog; drained: MemoryFile },
    stop: () => Promise<void>,
    told: () => EventEnvelope[],
  ) => ({
    kill: async (): Promise<Left> => {
      const left = { known: known.text, drained: drained.text, told: told() };
      await stop();
      return left;
    },
  });

  /** Its port, on 127.0.0.1. */
  async function listen(server: Server = createServer(), port = 0): Promise<number> {
    const sockets = new Set<Socket>();
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    });
    ends.push(async () => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  return {
    start,
    listen,
    /** Where nobody listens. */
    closedPort: async (): Promise<number> => {
      const server = createServer();
      const port = await listen(server);
      await new Promise((resolve) => server.close(resolve));
      return port;
    },
    clear: async (): Promise<void> => {
      for (const end of ends.splice(0)) await end();
    },
  };
}

function viewOf(host: TestHost): Pick<CheckedNode, "host" | "pool" | "destinations" | "checkers" | "events"> {
  const pool = (): VirtualServerState => {
    const [first] = host.states().flatMap(({ state }) => (state?.$case === "virtualServer" ? [state.value] : []));
    if (first === undefined) throw new Error("no virtual server");
    return first;
  };
  return {
    host,
    pool,
    destinations: () => Object.fromEntries(pool().destinations.map(({ server, weight }) => [server, weight])),
    checkers: () => host.states().flatMap(({ state }) => (state?.$case === "checker" ? [state.value] : [])),
    events: (kind) => host.appended.filter(({ aggregate }) => aggregate.kind === kind),
  };
}

async function askDrain({ drainService }: Health, request: Partial<DrainRequest>): Promise<DrainResult> {
  const folder = mkdtempSync(join(tmpdir(), "baton-drain-"));
  const path = join(folder, "health.sock");
  const served = await serveGrpc(path, [drainService]);
  const client = new HealthServiceClient(`unix:${path}`, credentials.createInsecure(), clientOptions);
  const whole = { server: "", virtualServer: "", deadlineMs: 0, undo: false, ...request };
  try {
    return await new Promise((resolve, reject) => {
      client.drain(whole, (error, result) => (error === null ? resolve(result) : reject(error)));
    });
  } finally {
    client.close();
    await served.close();
    rmSync(folder, { recursive: true });
  }
}

/** Of the services below. */
export const serviceName = "[192.0.2.1]:tcp:80";

/** Checked ten times a second. `more`: lines of the virtual server. */
export const service = (servers: readonly string[], more = ""): string => `
virtual_server 192.0.2.1 80 {
  delay_loop 0.1
  delay_before_retry 0.05
  warmup 0
  connect_timeout 0.3
  protocol TCP
  ${more}
  ${servers.join("\n")}
}
`;

/** `lines` and `checker`: with "; " for a new line. */
export function realServer(address: string, port: number, checker = "TCP_CHECK { }", lines = ""): string {
  const inLines = (text: string): string => text.replaceAll("; ", "\n").replaceAll("{ ", "{\n").replaceAll(" }", "\n}");
  return `real_server ${address} ${port} {\n${inLines(lines)}\n${inLines(checker)}\n}`;
}
