// Labs whose owner was killed before it could clean up: their processes died with it, their namespaces and files did not.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import { killQuietly, processesIn, startTimeOf } from "./proc.ts";

export const directoryPrefix = "baton-lab-";
export const ownerFile = "owner.json";

export interface Owner {
  readonly pid: number;
  /** With the pid it names one process for ever. */
  readonly startTime: string;
  readonly namespaces: readonly string[];
}

function readOwner(directory: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, ownerFile), "utf8")) as Owner;
  } catch {
    return undefined; // being made, or being removed, by somebody else
  }
}

/** Returns the directories that it removed. */
export async function cleanStaleLabs(parent = tmpdir()): Promise<string[]> {
  const stale = readdirSync(parent)
    .filter((name) => name.startsWith(directoryPrefix))
    .map((name) => join(parent, name))
    .flatMap((directory) => {
      const owner = readOwner(directory);
      return owner === undefined || startTimeOf(owner.pid) === owner.startTime ? [] : [{ directory, owner }];
    });
  for (const { directory, owner } of stale) {
    for (const namespace of owner.namespaces) {
      for (const pid of processesIn(namespace)) killQuietly(pid, "SIGKILL");
      if (existsSync(`/run/netns/${namespace}`)) await run(["ip", "netns", "del", namespace]);
    }
    rmSync(directory, { recursive: true, force: true });
  }
  return stale.map(({ directory }) => directory);
}
