// Programs of global_defs: at start and end, and behind the FIFOs.
import { secondsToMicros } from "@baton/domain";
import type { FifoConfig, FifosConfig, ScriptUser, TimedCommand } from "../../config.ts";
import type { FifoWords } from "../../keywords/global-arguments.ts";
import { globalDefs } from "../../keywords/global-defs.ts";
import type { ScriptLine } from "../../keywords/script-argument.ts";
import type { Keyword } from "../../keywords/table.ts";
import { virtualServer } from "../../keywords/virtual-server.ts";
import { vrrpInstance } from "../../keywords/vrrp-instance.ts";
import { type Block, blocksOf, isSet, setting, value } from "../../syntax/tree.ts";
import { missingAccount, toScriptUser } from "../account.ts";
import { type CommandContext, resolveCommand } from "../command.ts";
import { advise } from "../context.ts";

const { keywords } = globalDefs;

export function resolveTimedScript(
  globals: Block,
  script: Keyword<ScriptLine>,
  timeout: Keyword<number>,
  context: CommandContext,
): TimedCommand | undefined {
  const given = setting(globals, script);
  if (given === undefined) return undefined;
  const { value: words, place } = given;
  const command = resolveCommand({ script: words, place, what: script.name, role: "program" }, context);
  return command && { command, timeout: secondsToMicros(value(globals, timeout) ?? 10) };
}

export function resolveFifos(root: Block, globals: Block, context: CommandContext): FifosConfig {
  const all = resolveFifo(globals, keywords.notifyFifo, context);
  const vrrp = resolveFifo(globals, keywords.vrrpNotifyFifo, context);
  const lvs = resolveFifo(globals, keywords.lvsNotifyFifo, context);
  // Only who has something to tell looks at the programs behind them.
  const [instances, servers] = [blocksOf(root, vrrpInstance).length > 0, blocksOf(root, virtualServer).length > 0];
  const reader = (keyword: Keyword<ScriptLine>, watched: boolean) =>
    resolveReader(globals, keyword, watched ? context : { ...context, programs: [] });
  const readers = {
    all: reader(keywords.notifyFifoScript, instances || servers),
    vrrp: reader(keywords.vrrpNotifyFifoScript, instances),
    lvs: reader(keywords.lvsNotifyFifoScript, servers),
  };
  const second = (fifo: typeof vrrp): typeof vrrp => {
    if (fifo === undefined || fifo.path !== all?.path) return fifo;
    advise(context, fifo.place, "fifo-twice", `${fifo.path} is notify_fifo already, and would get each line twice`);
    return undefined;
  };
  const toConfig = (fifo: typeof vrrp, command: FifoConfig["reader"]): FifoConfig | undefined =>
    fifo && { path: fifo.path, owner: fifo.owner, reader: command };
  return {
    all: toConfig(all, readers.all),
    vrrp: toConfig(second(vrrp), readers.vrrp),
    lvs: toConfig(second(lvs), readers.lvs),
    statesOnReload: isSet(globals, keywords.fifoStatesOnReload),
  };
}

/** undefined: there is none, or its owner is nobody; reported. */
function resolveFifo(globals: Block, keyword: Keyword<FifoWords>, context: CommandContext) {
  const given = setting(globals, keyword);
  if (given === undefined) return undefined;
  const { path, owner: account } = given.value;
  const { defaults } = context;
  const owner: ScriptUser | undefined =
    account === undefined ? defaults.scriptUser : toScriptUser(account, defaults.supplementaryGroups);
  const missing =
    account === undefined
      ? defaults.scriptUserMissing
        ? "the default user of scripts does not exist"
        : undefined
      : owner && missingAccount(owner, context);
  if (missing === undefined) return { path, owner, place: given.place };
  advise(context, given.place, "unknown-user", `${keyword.name}: ${missing}; it is not made`);
  return undefined;
}

function resolveReader(globals: Block, keyword: Keyword<ScriptLine>, context: CommandContext): FifoConfig["reader"] {
  const given = setting(globals, keyword);
  if (given === undefined) return undefined;
  const { value: script, place } = given;
  return resolveCommand({ script, place, what: keyword.name, role: "event" }, context);
}
