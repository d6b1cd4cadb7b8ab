// Scripts of blocks that are read and not carried out yet: virtual servers. They run nowhere, but keepalived
// would run them, so what is wrong with them is said now.

import type { VirtualServerConfig } from "../config.ts";
import type { ScriptLine } from "../keywords/script-argument.ts";
import type { Keyword } from "../keywords/table.ts";
import { checkers, realServer, virtualServer } from "../keywords/virtual-server.ts";
import { type Block, blocksOf, setting } from "../syntax/tree.ts";
import { type CommandContext, resolveCommand } from "./command.ts";

/** Of the virtual servers that are kept. */
export function resolveServiceScripts(
  root: Block,
  kept: readonly VirtualServerConfig[],
  context: CommandContext,
): void {
  const check = (block: Block, keyword: Keyword<ScriptLine>, role: "check" | "event") => {
    const given = setting(block, keyword);
    if (given?.value === undefined) return;
    resolveCommand({ script: given.value, place: given.place, what: keyword.name, role }, context);
  };
  const ids = new Set<unknown>(kept.map(({ id }) => id));
  for (const service of blocksOf(root, virtualServer)) {
    if (!ids.has(service.header)) continue;
    check(service, virtualServer.keywords.quorumUp, "event");
    check(service, virtualServer.keywords.quorumDown, "event");
    for (const server of blocksOf(service, realServer)) {
      check(server, realServer.keywords.notifyUp, "event");
      check(server, realServer.keywords.notifyDown, "event");
      for (const misc of blocksOf(server, checkers.MISC_CHECK)) check(misc, checkers.MISC_CHECK.keywords.path, "event");
    }
  }
}
