// `baton status` and `baton events`: what a running node says about itself.
import { NodeStatus, toWire } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import type { EventsCommand, StatusCommand } from "../arguments/parse-arguments.ts";
import { eventLine } from "../rendering/event-sentence.ts";
import { statusText } from "../rendering/status-text.ts";
import type { Console } from "./console.ts";
import type { NodeClient } from "./node-client.ts";

export interface QueryDependencies {
  readonly console: Console;
  readonly node: NodeClient;
  /** CLOCK_BOOTTIME in microseconds. */
  now(): number;
}

export async function showStatus(
  options: Pick<StatusCommand, "json" | "servers">,
  { console, node, now }: QueryDependencies,
): Promise<number> {
  const status = await node.status();
  console.out(
    options.json ? `${JSON.stringify(NodeStatus.toJSON(status))}\n` : statusText(status, now(), options.servers),
  );
  return 0;
}

export async function showEvents(
  options: EventsCommand,
  { console, node }: Omit<QueryDependencies, "now">,
): Promise<number> {
  const show = (envelope: EventEnvelope): void => {
    console.out(`${options.json ? JSON.stringify(jsonOf(envelope)) : eventLine(envelope)}\n`);
  };
  await node.events(options, show);
  return 0;
}

/** The envelope's fields as on the wire, the payload as an object instead of text. */
export function jsonOf(envelope: EventEnvelope): object {
  return { ...toWire(envelope), data: envelope.event.data };
}
