// The hub's nats-server as a child: started again when it dies, told when a node was added, and ended with us. One that
// a killed fleet service left behind is ended first, by pid and start time.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type HubLogin, hubServerConfig } from "@baton/event-log";
import { killExact, processStartTime, watchExit } from "@baton/linux";
import type { NodeLogin } from "./hub-credentials.ts";
import type { LineLog } from "./line-log.ts";

export interface HubServerOptions {
  readonly stateDir: string;
  readonly host: string;
  readonly port: number;
  readonly admin: HubLogin;
  nodes(): readonly NodeLogin[];
  readonly log: LineLog;
}

const restartPausesMillis = [0, 200, 1_000, 5_000] as const;
/** A server that lived this long is healthy again. */
const healthyAfterMillis = 10_000;
const stopWithinMillis = 5_000;

export class HubServer {
  readonly #options: HubServerOptions;
  readonly #files: { readonly config: string; readonly pid: string; readonly store: string };
  #child: ChildProcess | undefined;
  #quickDeaths = 0;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: HubServerOptions) {
    this.#options = options;
    const { stateDir } = options;
    this.#files = {
      config: join(stateDir, "nats-hub.conf"),
      pid: join(stateDir, "nats-hub.json"),
      store: join(stateDir, "nats"),
    };
  }

  /** Rejects when nats-server cannot be started at all. */
  async start(): Promise<void> {
    mkdirSync(this.#files.store, { recursive: true, mode: 0o700 });
    await this.#endOrphan();
    this.#writeConfig();
    await this.#spawn();
  }

  /** Nodes were added or removed: nats-server reads its users again, connections stay. */
  reload(): void {
    this.#writeConfig();
    this.#child?.kill("SIGHUP");
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const deadline = setTimeout(() => child.kill("SIGKILL"), stopWithinMillis);
    await ended;
    clearTimeout(deadline);
    rmSync(this.#files.pid, { force: true });
  }

  #writeConfig(): void {
    const { host, port, admin } = this.#options;
    const storeDir = this.#files.store;
    const text = hubServerConfig({ host, port, storeDir, admin, nodes: this.#options.nodes() });
    writeFileSync(this.#files.config, text, { mode: 0o600 });
  }

  async #spawn(): Promise<void> {
    const { log } = this.#options;
    // A session of its own: a Ctrl-C at the terminal is for us, and we end it in order.
    const child = spawn("nats-server", ["-c", this.#files.config], {
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    const startedAt = Date.now();
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) => reject(new Error(`nats-server cannot be started: ${cause.message}`, { cause })));
    });
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) writeFileSync(this.#files.pid, JSON.stringify({ pid, startTime: processStartTime(pid) }));
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on("line", (line) => {
        if (/\[(ERR|FTL|WRN)\]/.test(line)) log.warn(`nats-server: ${line.replace(/^\[\d+\] \S+ \S+ /, "")}`);
      });
    }
    child.once("exit", (code, signal) => this.#died(signal ?? `code ${code}`, Date.now() - startedAt));
  }

  #died(exit: string, livedMillis: number): void {
    this.#child = undefined;
    if (this.#stopping) return;
    this.#quickDeaths = livedMillis > healthyAfterMillis ? 0 : this.#quickDeaths + 1;
    const pause = restartPausesMillis[Math.min(this.#quickDeaths, restartPausesMillis.length - 1)] ?? 0;
    this.#options.log.error("the hub's nats-server died and is started again", { exit, pauseMillis: pause });
    this.#restart = setTimeout(() => {
      this.#spawn().catch((error: unknown) => {
        this.#options.log.error("nats-server cannot be started", { cause: error });
        this.#died("not started", 0);
      });
    }, pause);
  }

  async #endOrphan(): Promise<void> {
    const orphan = readOrphan(this.#files.pid);
    if (orphan === undefined) return;
    const { pid, startTime } = orphan;
    if (killExact(pid, startTime, "SIGKILL") === "gone") return;
    this.#options.log.warn("ended the nats-server of an earlier run", { pid });
    await new Promise<void>((gone) => watchExit(pid, startTime, gone));
  }
}

function readOrphan(path: string): { readonly pid: number; readonly startTime: number } | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, startTime } = value as Record<string, unknown>;
    if (typeof pid !== "number" || typeof startTime !== "number") return undefined;
    return { pid, startTime };
  } catch {
    return undefined; // the first run, or a file that was cut off: the port tells if somebody is there
  }
}

/** A free port, remembered in the state directory, so that the nodes find the hub again after a restart. */
export async function rememberedPort(stateDir: string, host: string): Promise<number> {
  const path = join(stateDir, "nats-hub.port");
  try {
    const port = Number(readFileSync(path, "utf8"));
    if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  } catch {
    // The first start.
  }
  const port = await freePort(host);
  writeFileSync(path, `${port}\n`, { mode: 0o600 });
  return port;
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port: 0 }, () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no free port")),
      );
    });
  });
}
