// keepalived's pid files, and who else may be running under them. It has one of each process; we have one process that
// takes signals, which all of them name.
import { join } from "node:path";
import type { Config } from "@baton/keepalived-conf";
import type { AsKeepalived } from "../arguments/parse-arguments.ts";
import { readPidFile } from "./pid-file.ts";

const runFolder = "/run";

/**
 * Of an instance, a namespace or with use_pid_dir they are in a folder of their own. The checkers' one is there where
 * something is checked.
 */
export function keepalivedPidFiles(
  { pidFile, vrrpPidFile, checkersPidFile }: AsKeepalived,
  { global: { node }, virtualServers }: Pick<Config, "global" | "virtualServers">,
): string[] {
  const isApart = node.instance !== undefined || node.netNamespace !== undefined || node.usePidDirectory;
  const folder = isApart ? join(runFolder, "keepalived") : runFolder;
  const suffix = node.instance === undefined ? "" : `_${node.instance}`;
  return [
    pidFile ?? join(folder, `keepalived${suffix}.pid`),
    vrrpPidFile ?? join(folder, `vrrp${suffix}.pid`),
    ...(virtualServers.length === 0 ? [] : [checkersPidFile ?? join(folder, `checkers${suffix}.pid`)]),
  ];
}

/** The process that one of the files names and that lives. */
export function runningUnder(files: readonly string[], self: number): number | undefined {
  return files.map(readPidFile).find((pid) => pid !== undefined && pid !== self && isAlive(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
