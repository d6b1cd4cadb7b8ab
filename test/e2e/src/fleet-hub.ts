// The hub of a fleet in a namespace of its own, and what a node's baton.yaml says to reach it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hubAddress, type Lab, waitFor } from "@baton/lab";

const fleetMain = fileURLToPath(new URL("../../../services/fleet/dist/main.js", import.meta.url));

export interface Login {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export interface FleetHub {
  /** The unix socket on which its page is. */
  readonly page: string;
  login(node: string): Login;
  /** The `hub:` of a node's baton.yaml, as a line. */
  settings(node: string): string;
}

export async function startHub(lab: Lab, nodes: readonly string[]): Promise<FleetHub> {
  const hub = lab.hub();
  const stateDir = join(hub.directory, "fleet");
  const page = join(hub.directory, "page.sock");
  const readyFile = join(hub.directory, "ready");
  const options = ["--listen", `unix:${page}`, "--state-dir", stateDir, "--nodes", nodes.join(",")];
  const bus = ["--nats-listen", `${hubAddress}:4222`, "--ready-file", readyFile];
  const child = await hub.spawn("fleet", [process.execPath, fleetMain, ...options, ...bus]);
  await waitFor("the hub", async () => {
    if (!child.running) throw new Error(`the hub has ended:\n${child.log().slice(-2_000)}`);
    return (await hub.exec(["test", "-s", readyFile])).code === 0;
  });
  const login = (node: string): Login => {
    const { url, user, password } = JSON.parse(readFileSync(join(stateDir, "nodes", `${node}.json`), "utf8"));
    return { url, user, password };
  };
  return { page, login, settings: (node) => `hub: ${JSON.stringify(login(node))}\n` };
}
