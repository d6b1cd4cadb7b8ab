// A hub of its own for a test: real nats-server, free ports, a state directory that is removed at the end.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Hub, openHub, type StoredEvent } from "@baton/event-log";
import { ensureAdmin, listNodes, type NodeLogin } from "../hub-credentials.ts";
import type { LineLog } from "../line-log.ts";
import type { ListenAddress } from "../options.ts";
import { type RunningHub, runHub } from "../run-hub.ts";
import type { FleetView } from "../view.ts";

export interface TestHub {
  readonly stateDir: string;
  readonly lines: string[];
  running(): RunningHub;
  /** `listen` instead of the one that the hub was made with. */
  start(listen?: ListenAddress): Promise<void>;
  stop(): Promise<void>;
  login(node: string): NodeLogin;
  /** A connection with the hub's own login: sees everything. */
  open(): Hub;
  /** What the hub's stream holds, in its order. */
  stored(): Promise<StoredEvent[]>;
  fleet(): Promise<FleetView>;
  /** Ends the hub, its nats-server and its directory. */
  close(): Promise<void>;
}

const quietLog = (lines: string[]): LineLog => {
  const line = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { info: line("info"), warn: line("warn"), error: line("error") };
};

export async function startTestHub(options: {
  readonly nodes: readonly string[];
  readonly listen?: ListenAddress;
  readonly webRoot?: string;
}): Promise<TestHub> {
  const hub = new StartedHub(options);
  await hub.start();
  return hub;
}

class StartedHub implements TestHub {
  readonly stateDir = mkdtempSync(join(tmpdir(), "baton-hub-"));
  readonly lines: string[] = [];
  readonly #options: Parameters<typeof startTestHub>[0];
  #running: RunningHub | undefined;

  constructor(options: Parameters<typeof startTestHub>[0]) {
    this.#options = options;
  }

  running(): RunningHub {
    if (this.#running === undefined) throw new Error("the hub is stopped");
    return this.#running;
  }

  async start(again?: ListenAddress): Promise<void> {
    const {
      nodes,
      listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const,
      webRoot = "/nonexistent",
    } = this.#options;
    this.#running = await runHub({
      options: {
        listen: again ?? listen,
        hostNames: [],
        stateDir: this.stateDir,
        nodes,
        bus: { kind: "own", host: "127.0.0.1", port: 0, advertise: undefined },
        readyFile: undefined,
      },
      log: quietLog(this.lines),
      external: {},
      webRoot,
    });
    await this.#running.ready;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.close();
  }

  login(node: string): NodeLogin {
    const login = listNodes(this.stateDir, () => undefined).find((each) => each.node === node);
    if (login === undefined) throw new Error(`no login of ${node}`);
    return login;
  }

  open(): Hub {
    return openHub({ url: this.running().natsUrl, ...ensureAdmin(this.stateDir), name: "test" });
  }

  async stored(): Promise<StoredEvent[]> {
    const hub = this.open();
    try {
      const events: StoredEvent[] = [];
      for await (const event of hub.history({ filter: "baton.>" })) events.push(event);
      return events;
    } finally {
      await hub.close();
    }
  }

  async fleet(): Promise<FleetView> {
    const response = await fetch(`${this.running().page}/api/fleet`);
    return (await response.json()) as FleetView;
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}
