// How keepalived was to be watched and steered, and the files that it keeps.
import { secondsToMicros } from "@baton/domain";
import type { DbusConfig, FilesConfig, ReloadConfig, SnmpConfig } from "../../config.ts";
import { globalDefs } from "../../keywords/global-defs.ts";
import { type Block, isSet, setting, settings, value } from "../../syntax/tree.ts";
import { type ResolveContext, reject } from "../context.ts";

const { keywords } = globalDefs;

export function resolveSnmp(globals: Block): SnmpConfig {
  const both = isSet(globals, keywords.snmpRfc);
  const virtualServerInterval = value(globals, keywords.snmpVsStats) ?? secondsToMicros(5);
  return {
    socket: value(globals, keywords.snmpSocket),
    traps: isSet(globals, keywords.enableTraps),
    vrrp: isSet(globals, keywords.snmpVrrp),
    rfcV2: both || isSet(globals, keywords.snmpRfc2),
    rfcV3: both || isSet(globals, keywords.snmpRfc3),
    checker: isSet(globals, keywords.snmpChecker),
    virtualServerInterval,
    realServerInterval: value(globals, keywords.snmpRsStats) ?? virtualServerInterval,
  };
}

export const resolveDbus = (globals: Block): DbusConfig | undefined =>
  isSet(globals, keywords.enableDbus)
    ? {
        serviceName: value(globals, keywords.dbusServiceName),
        noInterfaceName: value(globals, keywords.dbusNoInterfaceName),
      }
    : undefined;

export function resolveReload(globals: Block): ReloadConfig {
  const file = setting(globals, keywords.reloadFile);
  return {
    checkLog: value(globals, keywords.reloadCheckConfig),
    timeFile: value(globals, keywords.reloadTimeFile),
    repeat: isSet(globals, keywords.reloadRepeat),
    file: file && { path: file.value === "" ? undefined : file.value },
  };
}

export const resolveFiles = (globals: Block, context: ResolveContext): FilesConfig => ({
  umask: value(globals, keywords.umask) ?? 0o177,
  configurations: saveDirectory(globals, context),
  temporary: value(globals, keywords.temporaryDirectory),
  useInstance: value(globals, keywords.dataUseInstance) ?? false,
  state: value(globals, keywords.stateDumpFile),
  statistics: value(globals, keywords.statsDumpFile),
  json: value(globals, keywords.jsonDumpFile),
  jsonVersion: value(globals, keywords.jsonVersion) === 2 ? 2 : 1,
  iprouteUsr: value(globals, keywords.iprouteUsr),
  iprouteEtc: value(globals, keywords.iprouteEtc),
});

/** It is made where it is not there; the directory around it is not. */
function saveDirectory(globals: Block, context: ResolveContext): string | undefined {
  const { fileKind } = context.machine;
  if (fileKind === undefined) return value(globals, keywords.configSaveDirectory);
  const usable = settings(globals, keywords.configSaveDirectory).filter(({ value: path, place }) => {
    const kind = path === "" ? undefined : fileKind(path);
    const parent = parentOf(path);
    if (kind === "directory" || (kind === undefined && path !== "" && fileKind(parent) === "directory")) return true;
    const why = kind === undefined ? `there is no directory ${parent} to make it in` : "it is no directory";
    reject(context, place, "no-directory", `config_save_dir '${path}': ${why}; the line is ignored`);
    return false;
  });
  return usable.at(-1)?.value;
}

function parentOf(path: string): string {
  const bare = path.replace(/\/+$/, "");
  const slash = bare.lastIndexOf("/");
  return slash < 0 ? "." : bare.slice(0, slash + 1);
}
