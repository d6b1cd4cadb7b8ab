// The node's own nats-server and Redis: loopback only, passwords made at start, data in the state directory. Their
// ports stay the same across restarts, unless somebody else has taken one meanwhile.
import { randomBytes } from "node:crypto";
import { mkdirSync, openSync, statSync, truncateSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type NatsUser, natsServerConfig, natsUsers } from "@baton/event-log";
import type { NodeCredentials } from "@baton/host";
import { writePrivateFile } from "./run-directory.ts";

const loopback = "127.0.0.1";
/** A broker's log is kept over restarts until it is larger than this. */
const logBytesMax = 8 * 1024 * 1024;

const password = (): string => randomBytes(24).toString("base64url");

/** Resolves with a free port, the wanted one if it is free. Rejects where loopback itself is down. */
export function findPort(wanted: number | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" && wanted !== undefined) resolve(findPort(undefined));
      else if (error.code === "EADDRNOTAVAIL")
        reject(new Error("the loopback interface is down here: ip link set lo up"));
      else reject(error);
    });
    server.listen({ host: loopback, port: wanted ?? 0 }, () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("no port"));
      });
    });
  });
}

export const natsCommand = (configFile: string): string[] => ["nats-server", "-c", configFile];
export const redisCommand = (configFile: string): string[] => ["redis-server", configFile];

export interface NatsBroker {
  readonly argv: readonly string[];
  readonly logFile: string;
  readonly admin: { readonly url: string; readonly user: string; readonly password: string };
  readonly credentials: NodeCredentials["nats"];
}

export interface BrokerFiles {
  readonly node: string;
  readonly configFile: string;
  readonly stateDir: string;
}

export type NatsPasswords = Readonly<Record<NatsUser, string>>;

export const makeNatsPasswords = (): NatsPasswords =>
  Object.fromEntries(natsUsers.map((user) => [user, password()])) as NatsPasswords;

/** Writes nats-server's configuration for this port. */
export function configureNats(files: BrokerFiles, port: number, passwords: NatsPasswords): NatsBroker {
  const storeDir = join(files.stateDir, "nats");
  mkdirSync(storeDir, { recursive: true, mode: 0o700 });
  writePrivateFile(files.configFile, natsServerConfig({ node: files.node, port, storeDir, passwords }));
  const url = `nats://${loopback}:${port}`;
  // The administrator's password stays with the supervisor.
  const services = natsUsers.filter((user) => user !== "admin");
  return {
    argv: natsCommand(files.configFile),
    logFile: join(files.stateDir, "nats-server.log"),
    admin: { url, user: "admin", password: passwords.admin },
    credentials: {
      url,
      users: Object.fromEntries(services.map((user) => [user, { user, password: passwords[user] }])),
    },
  };
}

/** Users of a server that the settings name: whatever its address says, for all. */
export function externalNats(url: string): Omit<NatsBroker, "argv" | "logFile"> {
  const parsed = new URL(url);
  const login = { user: decodeURIComponent(parsed.username), password: decodeURIComponent(parsed.password) };
  const address = `${parsed.protocol}//${parsed.host}`;
  return {
    admin: { url: address, ...login },
    credentials: { url: address, users: Object.fromEntries(natsUsers.map((user) => [user, login])) },
  };
}

export interface RedisBroker {
  readonly argv: readonly string[];
  readonly logFile: string;
  readonly credentials: NodeCredentials["redis"];
}

export const makeRedisPassword = password;

/** Writes Redis's configuration: nothing secret on a command line. */
export function configureRedis(files: BrokerFiles, port: number, secret: string): RedisBroker {
  const directory = join(files.stateDir, "redis");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writePrivateFile(
    files.configFile,
    [
      "# Written by baton up at every start. The notification queue: loopback only.",
      `bind ${loopback}`,
      `port ${port}`,
      `requirepass ${secret}`,
      "daemonize no",
      // By its command it is found again when its supervisor was killed.
      "set-proc-title no",
      `dir ${quote(directory)}`,
      // A queue: what was accepted must be there after a crash, and must never be evicted.
      "appendonly yes",
      "appendfsync everysec",
      'save ""',
      "maxmemory-policy noeviction",
      // It looks after itself so often a second; its own choice is ten, for an empty queue too.
      "hz 2",
      "",
    ].join("\n"),
  );
  return {
    argv: redisCommand(files.configFile),
    logFile: join(files.stateDir, "redis-server.log"),
    credentials: { url: `redis://default:${secret}@${loopback}:${port}` },
  };
}

const quote = (text: string): string => JSON.stringify(text);

/** A descriptor rather than a pipe: the broker must be able to speak when its supervisor is gone. */
export function openLog(path: string): number {
  const descriptor = openSync(path, "a", 0o600);
  if (statSync(path).size > logBytesMax) truncateSync(path);
  return descriptor;
}
