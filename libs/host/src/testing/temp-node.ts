// Directories, credentials and a real nats-server for tests that run real hosts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { natsUsers } from "@baton/event-log";
import { startNatsServer, type TestNatsServer } from "@baton/event-log/testing";
import { paths } from "../env.ts";

export interface TempNode {
  readonly node: string;
  readonly runDir: string;
  readonly stateDir: string;
  /** For startHost, or a child process. */
  readonly env: Readonly<Record<string, string>>;
  readonly nats: TestNatsServer | undefined;
  close(): Promise<void>;
}

export async function makeTempNode(
  options: { readonly node?: string; readonly nats?: boolean } = {},
): Promise<TempNode> {
  const node = options.node ?? "r1";
  const directory = mkdtempSync(join(tmpdir(), "baton-node-"));
  const [runDir, stateDir] = [join(directory, "run"), join(directory, "state")];
  for (const path of [runDir, stateDir]) mkdirSync(path, { mode: 0o700 });
  const nats = (options.nats ?? true) ? await startNatsServer({ node }) : undefined;
  if (nats !== undefined) {
    const users = Object.fromEntries(
      natsUsers.map((user) => {
        const { user: name, password } = nats.credentials(user);
        return [user, { user: name, password }];
      }),
    );
    const credentials = { nats: { url: nats.url, users }, redis: { url: "redis://127.0.0.1:1" } };
    writeFileSync(paths.credentials(runDir), JSON.stringify(credentials), { mode: 0o600 });
  }
  const env = { BATON_NODE: node, BATON_RUN_DIR: runDir, BATON_STATE_DIR: stateDir, BATON_RESTARTS: "0" };
  const close = async (): Promise<void> => {
    await nats?.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { node, runDir, stateDir, env, nats, close };
}
