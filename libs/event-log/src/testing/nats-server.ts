// A real nats-server for tests, configured as `baton up` configures it: own port, own store, killed by its pid.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareBus } from "../bus-admin.ts";
import type { Credentials } from "../nats-bus.ts";
import { type NatsUser, natsServerConfig, natsUsers } from "../server-config.ts";

export interface TestNatsServer {
  readonly node: string;
  readonly url: string;
  readonly pid: number;
  credentials(user: NatsUser): Credentials;
  /** Ends the process by `signal` and waits for it. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops or continues the process where it is. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Starts it again on the same port and store; resolves when it listens. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const startTimeoutMs = 10_000;

export async function startNatsServer(options: {
  readonly node: string;
  readonly prepare?: boolean;
}): Promise<TestNatsServer> {
  const directory = mkdtempSync(join(tmpdir(), "baton-nats-"));
  const port = await freePort();
  const passwords = Object.fromEntries(natsUsers.map((user) => [user, `password of ${user}`])) as Record<
    NatsUser,
    string
  >;
  const configFile = join(directory, "nats-server.conf");
  const storeDir = join(directory, "store");
  writeFileSync(configFile, natsServerConfig({ node: options.node, port, storeDir, passwords }), { mode: 0o600 });
  const server = new ServerProcess(options.node, directory, configFile, port, passwords);
  await server.start();
  if (options.prepare ?? true) await prepareBus({ node: options.node, admin: server.credentials("admin") });
  return server;
}

class ServerProcess implements TestNatsServer {
  readonly node: string;
  readonly url: string;
  readonly #directory: string;
  readonly #configFile: string;
  readonly #port: number;
  readonly #passwords: Readonly<Record<NatsUser, string>>;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(
    node: string,
    directory: string,
    configFile: string,
    port: number,
    passwords: Readonly<Record<NatsUser, string>>,
  ) {
    this.node = node;
    this.url = `nats://127.0.0.1:${port}`;
    this.#directory = directory;
    this.#configFile = configFile;
    this.#port = port;
    this.#passwords = passwords;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  credentials(user: NatsUser): Credentials {
    return { url: this.url, user, password: this.#passwords[user] };
  }

  async start(): Promise<void> {
    // A test run that is killed leaves no server behind: the kernel ends it with its parent.
    const command = ["--pdeathsig", "KILL", "nats-server", "-c", this.#configFile];
    const child = spawn("setpriv", command, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-4_000);
    });
    const failed = new Promise<never>((_, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`nats-server ended with ${code}: ${this.#output}`)));
    });
    failed.catch(() => undefined);
    await Promise.race([this.#listening(), failed]);
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #listening(): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    while (Date.now() < deadline) {
      if (await accepts(this.#port)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`nats-server does not listen on ${this.#port}: ${this.#output}`);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
