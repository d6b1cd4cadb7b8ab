// Scripts of instances and groups.
import type { Command, GroupNotifyConfig, NotifyConfig } from "../config.ts";
import type { ScriptLine } from "../keywords/script-argument.ts";
import type { Keyword } from "../keywords/table.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { vrrpSyncGroup } from "../keywords/vrrp-sync-group.ts";
import { type Block, isSet, setting } from "../syntax/tree.ts";
import { type CommandContext, resolveCommand } from "./command.ts";

type NotifyKeywords = Pick<
  typeof vrrpSyncGroup.keywords,
  "notifyMaster" | "notifyBackup" | "notifyFault" | "notifyStop" | "notify"
>;

function commandOf(
  block: Block<string>,
  keyword: Keyword<ScriptLine> | Keyword<ScriptLine | "told">,
  context: CommandContext,
): Command | undefined {
  const given = setting<ScriptLine | "told">(block, keyword);
  if (given === undefined || given.value === "told") return undefined;
  const what = `${keyword.name} of ${block.header}`;
  return resolveCommand({ script: given.value, place: given.place, what, role: "event" }, context);
}

const resolveStates = (block: Block<string>, keywords: NotifyKeywords, context: CommandContext): GroupNotifyConfig => ({
  master: commandOf(block, keywords.notifyMaster, context),
  backup: commandOf(block, keywords.notifyBackup, context),
  fault: commandOf(block, keywords.notifyFault, context),
  stop: commandOf(block, keywords.notifyStop, context),
  any: commandOf(block, keywords.notify, context),
});

export const resolveGroupNotify = (block: Block<string>, context: CommandContext): GroupNotifyConfig =>
  resolveStates(block, vrrpSyncGroup.keywords, context);

export function resolveNotify(block: Block<string>, context: CommandContext): NotifyConfig {
  const { keywords } = vrrpInstance;
  return {
    ...resolveStates(block, keywords, context),
    deleted: commandOf(block, keywords.notifyDeleted, context),
    tellDeleted: isSet(block, keywords.notifyDeleted),
    lowerPriority: commandOf(block, keywords.notifyLowerPriority, context),
  };
}
