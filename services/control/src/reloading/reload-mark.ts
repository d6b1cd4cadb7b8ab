// `reload_file`: a file that exists while the configuration is read, for whoever is not to change files meanwhile.
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Host } from "@baton/host";
import type { GlobalConfig } from "@baton/keepalived-conf";

/** Where it is, by what is applied; undefined: nowhere. `runFolder`: where keepalived keeps its pid files. */
export function reloadMarkPath({ reload, node }: GlobalConfig, runFolder = "/run"): string | undefined {
  if (reload.file === undefined) return undefined;
  if (reload.file.path !== undefined) return resolve("/", reload.file.path);
  const suffix = node.instance === undefined ? "" : `_${node.instance}`;
  return join(runFolder, node.usePidDirectory ? "keepalived" : "", `keepalived${suffix}.reload`);
}

/** Runs `read` while the mark is there. A mark that cannot be made keeps nobody from a reload. */
export async function marked<T>(path: string | undefined, log: Host["log"], read: () => Promise<T>): Promise<T> {
  if (path === undefined) return read();
  try {
    const { O_CREAT, O_WRONLY, O_TRUNC, O_NOFOLLOW } = constants;
    closeSync(openSync(path, O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW, 0o644));
  } catch (error) {
    log.warn("the reload file cannot be made", { file: path, cause: error });
    return read();
  }
  try {
    return await read();
  } finally {
    rmSync(path, { force: true });
  }
}
