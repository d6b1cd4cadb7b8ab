// How keepalived's processes were to run.
import { micros } from "@baton/domain";
import type { BufferConfig, ProcessConfig, ProcessesConfig } from "../../config.ts";
import {
  bfdProcess,
  checkerProcess,
  lvsCommandBuffer,
  lvsMonitorBuffer,
  processMonitorBuffer,
  vrrpCommandBuffer,
  vrrpMonitorBuffer,
  vrrpProcess,
} from "../../keywords/global/processes.ts";
import { globalDefs } from "../../keywords/global-defs.ts";
import type { Keyword } from "../../keywords/table.ts";
import { type Block, isSet, setting, settings, value } from "../../syntax/tree.ts";
import { type ResolveContext, reject } from "../context.ts";

const { keywords } = globalDefs;

export function resolveProcesses(globals: Block, context: ResolveContext): ProcessesConfig {
  const processOf = (settings: typeof vrrpProcess, name: Keyword<string>, standardName: string): ProcessConfig => ({
    name: nameOf(globals, name, standardName),
    niceness: value(globals, settings.priority) ?? 0,
    noSwap: isSet(globals, settings.noSwap),
    realtimePriority: value(globals, settings.realtime),
    cpus: cpusOf(globals, settings.affinity, context),
    realtimeTimeout: value(globals, settings.limit) ?? micros(10_000),
  });
  const bufferOf = (buffer: typeof vrrpCommandBuffer): BufferConfig => ({
    // 0 changes nothing.
    octets: value(globals, buffer.size) || undefined,
    force: value(globals, buffer.force) ?? false,
  });
  return {
    name: value(globals, keywords.processName),
    vrrp: processOf(vrrpProcess, keywords.vrrpProcessName, "keepalived_vrrp"),
    checker: processOf(checkerProcess, keywords.checkerProcessName, "keepalived_lvs"),
    bfd: processOf(bfdProcess, keywords.bfdProcessName, "keepalived_bfd"),
    maxAutoPriority: value(globals, keywords.maxAutoPriority) ?? 0,
    minAutoPriorityDelay: micros(value(globals, keywords.minAutoPriorityDelay) ?? 1_000_000),
    buffers: {
      vrrpCommands: bufferOf(vrrpCommandBuffer),
      vrrpMonitor: bufferOf(vrrpMonitorBuffer),
      lvsCommands: bufferOf(lvsCommandBuffer),
      lvsMonitor: bufferOf(lvsMonitorBuffer),
      processMonitor: bufferOf(processMonitorBuffer),
    },
  };
}

/** A line that names a processor which is not there does not count. */
function cpusOf(
  globals: Block,
  keyword: typeof vrrpProcess.affinity,
  context: ResolveContext,
): readonly number[] | undefined {
  const { processors = Number.POSITIVE_INFINITY } = context.machine;
  const usable = settings(globals, keyword).filter(({ value: cpus, place }) => {
    const absent = cpus.find((cpu) => cpu >= processors);
    if (absent === undefined) return true;
    const message = `${keyword.name}: there is no processor ${absent}; the line is ignored`;
    reject(context, place, "invalid-number", message, `this machine has 0 to ${processors - 1}`);
    return false;
  });
  return usable.at(-1)?.value;
}

/** process_names and the name of its own: the later of the two counts. */
function nameOf(globals: Block, keyword: Keyword<string>, standardName: string): string | undefined {
  const own = setting(globals, keyword);
  const standard = setting(globals, keywords.processNames);
  if (own !== undefined && (standard === undefined || own.order > standard.order)) return own.value;
  return standard === undefined ? undefined : standardName;
}
