// `baton why NAME`: the last thing that happened to an instance, a virtual server, a real server, a tracker or a check, and
// everything that has the same first cause.
import type { EventEnvelope } from "@baton/domain";
import type { WhyCommand } from "../arguments/parse-arguments.ts";
import { storyLines, storyOf } from "../rendering/story.ts";
import type { Console } from "./console.ts";
import type { NodeClient } from "./node-client.ts";
import { NodeError } from "./node-error.ts";
import { jsonOf } from "./queries.ts";

export interface WhyDependencies {
  readonly console: Console;
  readonly node: Pick<NodeClient, "events">;
}

export async function why({ name, limit, json }: WhyCommand, { console, node }: WhyDependencies): Promise<number> {
  const events: EventEnvelope[] = [];
  await node.events({ follow: false, limit, eventType: "" }, (envelope) => events.push(envelope));
  const story = storyOf(name, events);
  if (story.length === 0) throw new NodeError(`none of the last ${events.length} events is about ${name}`);
  const lines = json ? story.map((envelope) => JSON.stringify(jsonOf(envelope))) : storyLines(story);
  console.out(`${lines.join("\n")}\n`);
  return 0;
}
