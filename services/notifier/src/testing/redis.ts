// A Redis of one test's own: free port, temporary directory, ended by pid. SIGKILL and a restart on the same port and
// data are what a node sees when its Redis crashes.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestRedis {
  readonly url: string;
  start(): Promise<void>;
  /** SIGKILL; resolves when it has gone. */
  kill(): Promise<void>;
  /** Loses all data, as after a disk was replaced. */
  forget(): void;
  close(): Promise<void>;
}

export async function createTestRedis(): Promise<TestRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "baton-redis-"));
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const words = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--requirepass", "secret"];
    const durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"];
    server = spawn("redis-server", [...words, ...durable], { stdio: "ignore" });
    const deadline = Date.now() + 10_000;
    while (!(await answers(port))) {
      if (Date.now() > deadline) throw new Error("redis-server does not answer");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function kill(): Promise<void> {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  return {
    url: `redis://default:secret@127.0.0.1:${port}`,
    start,
    kill,
    forget: () => rmSync(join(folder, "appendonlydir"), { recursive: true, force: true }),
    async close() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    const end = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    // Without the password it answers NOAUTH; while it loads its data, LOADING.
    socket.once("data", (data) => end(!data.toString().startsWith("-LOADING")));
    socket.once("error", () => end(false));
  });
