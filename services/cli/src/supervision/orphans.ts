// A supervisor that was killed leaves its services running (SAFETY S19). The next one on the same run directory finds
// them here, adopts one of each name, and ends all others before it starts anything: two elections of one node must
// never be on the wire together (SAFETY S5).

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { RecordedChild, RecordedProcess } from "./run-directory.ts";
import type { ChildName } from "./types.ts";

export interface OrphanDependencies {
  kill(pid: number, startTime: number, signal: "SIGKILL"): "signalled" | "gone";
  watchExit(pid: number, startTime: number, onExit: () => void): { close(): void };
}

/** A killed process is gone in a moment, unless it hangs in the kernel. */
const deadlineMs = 5_000;

/** Ends them all and resolves when they are gone, with the names of those that were there; rejects when one does not go. */
export async function endOrphans(
  found: readonly Orphan[],
  { kill, watchExit }: OrphanDependencies,
): Promise<ChildName[]> {
  // All at once: while election is gone and dataplane is not, the lease runs.
  const alive = found.filter(({ pid, startTime }) => kill(pid, startTime, "SIGKILL") === "signalled");
  await Promise.all(alive.map((orphan) => gone(orphan, watchExit)));
  return [...new Set(alive.map(({ name }) => name))];
}

/** One of each name to adopt, the recorded one if it lives; the rest must go at once. */
export function chooseOrphans(
  found: readonly Orphan[],
  isWanted: (name: ChildName) => boolean,
  startTimeOf: (pid: number) => number | undefined,
): { adopt: Map<ChildName, Orphan>; end: Orphan[] } {
  const adopt = new Map<ChildName, Orphan>();
  const end: Orphan[] = [];
  for (const orphan of found) {
    if (startTimeOf(orphan.pid) !== orphan.startTime) continue; // gone, or somebody else's pid by now
    const known = adopt.get(orphan.name);
    if (known === undefined && isWanted(orphan.name)) adopt.set(orphan.name, orphan);
    else if (known?.pid !== orphan.pid) end.push(orphan);
  }
  return { adopt, end };
}

export interface Orphan extends RecordedProcess {
  readonly name: ChildName;
}

export function recordedOrphans(recorded: Partial<Record<ChildName, RecordedChild>>): Orphan[] {
  const entries = Object.entries(recorded) as [ChildName, RecordedChild][];
  return entries.map(([name, { pid, startTime }]) => ({ name, pid, startTime }));
}

/**
 * Whom the record misses, because the supervisor was killed between a start and the note of it: processes that run
 * exactly one of our commands for this run directory, in this process's own namespaces. A script that a service
 * started inherits the environment but not the command; a node in a container may have the same paths but not the
 * same namespaces.
 */
export function findStrays(
  commands: ReadonlyMap<ChildName, readonly string[]>,
  runDir: string,
  startTimeOf: (pid: number) => number | undefined,
): Orphan[] {
  const names = new Map([...commands].map(([name, argv]) => [`${argv.join("\0")}\0`, name]));
  const here = namespaces("self");
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      const name = names.get(read(entry, "cmdline"));
      if (name === undefined || namespaces(entry) !== here) return [];
      if (!read(entry, "environ").split("\0").includes(`BATON_RUN_DIR=${runDir}`)) return [];
      const startTime = startTimeOf(Number(entry));
      return startTime === undefined ? [] : [{ name, pid: Number(entry), startTime }];
    });
}

function read(pid: string, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // it has ended
  }
}

function namespaces(pid: string): string {
  try {
    return ["mnt", "net", "pid"].map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`)).join();
  } catch {
    return "";
  }
}

function gone({ name, pid, startTime }: Orphan, watchExit: OrphanDependencies["watchExit"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      watch.close();
      reject(new Error(`${name} of an earlier run (pid ${pid}) does not end`));
    }, deadlineMs);
    const watch = watchExit(pid, startTime, () => {
      clearTimeout(late);
      resolve();
    });
  });
}
