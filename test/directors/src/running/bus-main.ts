// Inside the machine, in the node's namespace: what `baton up` does for its bus. Writes the credentials and nats-server's
// configuration, and makes the stream once somebody has started the server.
//   node bus-main.js NODE RUN-DIRECTORY STATE-DIRECTORY NATS-CONFIG PORT
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type NatsUser, natsServerConfig, natsUsers, prepareBus } from "@baton/event-log";

const [node = "", runDirectory = "", stateDirectory = "", configFile = "", port = ""] = process.argv.slice(2);

const write = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

const passwords = Object.fromEntries(natsUsers.map((user) => [user, randomBytes(24).toString("base64url")])) as Record<
  NatsUser,
  string
>;
const storeDir = join(stateDirectory, "nats");
mkdirSync(storeDir, { recursive: true });
const url = `nats://127.0.0.1:${port}`;
const users = Object.fromEntries(natsUsers.map((user) => [user, { user, password: passwords[user] }]));
// Nobody who runs here has a use for a queue.
const credentials = { nats: { url, users }, redis: { url: "redis://127.0.0.1:1" } };
write(join(runDirectory, "credentials.json"), JSON.stringify(credentials));
write(configFile, natsServerConfig({ node, port: Number(port), storeDir, passwords }));
await prepareBus({ node, admin: { url, user: "admin", password: passwords.admin }, timeoutMs: 300_000 });
