// Where keepalived's files are written, and how: a new file beside it that root alone can read, then renamed over the old
// one. So nobody reads half a file, and no link that a user put into /tmp is followed.
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { GlobalConfig } from "@baton/keepalived-conf";

export type DumpFile = "data" | "stats" | "json";

/** `TMPDIR` where it is a directory, as keepalived. */
export function temporaryDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const named = env.TMPDIR ?? "";
  const isDirectory = named.startsWith("/") && statSync(named, { throwIfNoEntry: false })?.isDirectory() === true;
  return isDirectory ? named : "/tmp";
}

export function dumpPath(file: DumpFile, { files, node }: GlobalConfig, directory: string): string {
  const configured = { data: files.state, stats: files.statistics, json: files.json }[file];
  const path = placed(configured, `keepalived.${file}`, directory);
  // Only the name of this one tells more nodes of one machine apart: exporters know the others by their plain names.
  return file === "data" && files.useInstance ? namedAfter(path, node) : path;
}

/** A path; a folder, with a `/` at its end; or a name in the temporary folder. */
function placed(configured: string | undefined, name: string, directory: string): string {
  if (configured === undefined || configured === "") return join(directory, name);
  const path = configured.endsWith("/") ? join(configured, name) : configured;
  return path.startsWith("/") ? path : join(directory, basename(path));
}

function namedAfter(path: string, { netNamespace, instance }: GlobalConfig["node"]): string {
  const suffix = [netNamespace, instance].filter((part) => part !== undefined).join("_");
  if (suffix === "") return path;
  const name = basename(path);
  const dot = name.lastIndexOf(".");
  const at = dot < 0 ? name.length : dot;
  return join(dirname(path), `${name.slice(0, at)}.${suffix}${name.slice(at)}`);
}

/** `umask`: permissions that the file does not get; by default all but reading and writing by root. */
export async function writeDump(path: string, text: string, umask: number): Promise<void> {
  const fresh = `${path}${randomBytes(4).toString("hex")}`;
  // O_EXCL: a file or link of that name that somebody made is an error, and is not touched.
  const handle = await open(fresh, "wx", 0o600);
  try {
    try {
      await handle.writeFile(text);
      await handle.chmod(0o666 & ~umask);
    } finally {
      await handle.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
