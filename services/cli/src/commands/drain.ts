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
/** Of a node that restarts, or knows nothing of its servers yet: half a minute, or some where each takes its time. */
const blindLooksMax = 60;

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

/** Until none of them is being drained any more. Who is not told of for a while is not configured. */
async function awaitAll(
  drained: readonly Drained[],
  node: Pick<NodeClient, "status">,
  pause: DrainDependencies["pause"],
): Promise<Drained[]> {
  let current = [...drained];
  let blindLooks = 0;
  const isAwaited = (each: Drained): boolean => each.drain === "draining";
  while (current.some(isAwaited)) {
    await pause(lookEveryMs);
    const virtualServers = await look(node);
    const known = new Map(
      virtualServers?.flatMap((pool) => pool.servers.map((each) => [`${pool.name}\n${each.server}`, each.drain])),
    );
    current = current.map((each) => ({
      ...each,
      drain: known.get(`${each.virtualServer}\n${each.server}`) ?? each.drain,
    }));
    const isSeen = (each: Drained): boolean => known.has(`${each.virtualServer}\n${each.server}`);
    blindLooks = current.filter(isAwaited).every(isSeen) ? 0 : blindLooks + 1;
    if (blindLooks <= blindLooksMax) continue;
    if (virtualServers === undefined) throw new NodeError("the node does not answer any more; the drain goes on");
    return current.map((each) => (isAwaited(each) && !isSeen(each) ? { ...each, drain: "none" } : each));
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
