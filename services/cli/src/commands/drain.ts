// `baton drain SERVER`: an operator takes a real server out of service gently, or brings it back. The node's health does it;
// waiting is looking at its status.
import { DrainResult, type NodeStatus } from "@baton/contracts";
import type { DrainCommand } from "../arguments/parse-arguments.ts";
import type { Console } from "./console.ts";
import type { NodeClient } from "./node-client.ts";
import { NodeError } from "./node-error.ts";

export interface DrainDependencies {
  readonly console: Console;
  readonly node: Pick<NodeClient, "drain" | "status">;
  /** Resolves after so many milliseconds. */
  pause(milliseconds: number): Promise<void>;
}

type Drained = DrainResult["drained"][number];

const lookEveryMs = 500;
/** A node that restarts a service answers again sooner: half a minute. */
const silentLooksMax = 60;

export async function drain(command: DrainCommand, { console, node, pause }: DrainDependencies): Promise<number> {
  const { server, virtualServer, deadlineMs, undo, wait, json } = command;
  const { drained } = await node.drain({ server, virtualServer, deadlineMs, undo });
  const settled = wait ? await awaitAll(drained, node, pause) : drained;
  if (json) console.out(`${JSON.stringify(DrainResult.toJSON({ drained: settled }))}\n`);
  else for (const each of settled) console.out(`${each.server} of ${each.virtualServer}: ${said(each, wait)}\n`);
  return wait && settled.some((each) => each.drain !== "removed") ? 1 : 0;
}

function said({ drain: state }: Drained, waited: boolean): string {
  if (state === "removed") return "drained, and out of the service";
  if (state === "draining") return "being drained: no new connections";
  return waited ? "brought back, or no longer configured, while it was being drained" : "in service";
}

/** Until none of them is being drained any more. */
async function awaitAll(
  drained: readonly Drained[],
  node: Pick<NodeClient, "status">,
  pause: DrainDependencies["pause"],
): Promise<Drained[]> {
  let current = [...drained];
  let silentLooks = 0;
  while (current.some((each) => each.drain === "draining")) {
    await pause(lookEveryMs);
    const virtualServers = await look(node);
    if (virtualServers === undefined) {
      silentLooks++;
      if (silentLooks > silentLooksMax) throw new NodeError("the node does not answer any more; the drain goes on");
      continue;
    }
    silentLooks = 0;
    const known = new Map(
      virtualServers.flatMap((pool) => pool.servers.map((each) => [`${pool.name}\n${each.server}`, each.drain])),
    );
    current = current.map((each) => ({ ...each, drain: known.get(`${each.virtualServer}\n${each.server}`) ?? "none" }));
  }
  return current;
}

/** Undefined: nobody answers just now. */
async function look(node: Pick<NodeClient, "status">): Promise<NodeStatus["virtualServers"] | undefined> {
  try {
    return (await node.status()).virtualServers;
  } catch (error) {
    if (error instanceof NodeError) return undefined;
    throw error;
  }
}
