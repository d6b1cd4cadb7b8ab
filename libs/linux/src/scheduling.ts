// How the kernel treats this process when the machine is short of time or memory (SAFETY S7): under load, real-time
// scheduling takes a 100 ms timer's p99 lateness from 3.9 to 1.2 ms. (Memory is never locked: mlockall crashes Node.)
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { assert } from "@baton/domain";
import { checked, errnos, int32, lastErrno, libc } from "./libc.ts";

const SCHED_OTHER = 0;
const SCHED_RR = 2;
/** Otherwise every child, such as a script, would run before everything else on the machine. */
const SCHED_RESET_ON_FORK = 0x40000000;

/** Gives this thread round-robin real-time scheduling; false where that is not permitted (CAP_SYS_NICE, cgroup). */
export function setRealtime(priority: number): boolean {
  assert(
    Number.isInteger(priority) && priority >= 1 && priority <= 99,
    `real-time priorities are 1 to 99: ${priority}`,
  );
  const result = libc.schedSetscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, int32(priority));
  if (result < 0 && lastErrno() === errnos.eperm) return false;
  checked(result, "sched_setscheduler");
  return true;
}

/** Takes it back. */
export function setOrdinary(): void {
  checked(libc.schedSetscheduler(0, SCHED_OTHER, int32(0)), "sched_setscheduler");
}

/** Every thread of this process, the C library's too; one that ends meanwhile is none. */
function threads(): number[] {
  return readdirSync("/proc/self/task").map(Number);
}

/** -20 to 19, for the threads that are not in real time; those that come later inherit it. False where it is not permitted. */
export function setNiceness(niceness: number): boolean {
  assert(Number.isInteger(niceness) && niceness >= -20 && niceness <= 19, `-20 to 19, not ${niceness}`);
  return threads().every((thread) => {
    try {
      setPriority(thread, niceness);
      return true;
    } catch (error) {
      return isGone(error);
    }
  });
}

const isGone = (error: unknown): boolean =>
  error instanceof Error && "info" in error && (error.info as { code?: string }).code === "ESRCH";

/** The processors that this process may run on. */
export function allowedProcessors(): number[] {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  return list.split(",").flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Binds every thread to these processors, by number; false where none of them can be used, or it is not permitted. */
export function setAffinity(processors: readonly number[]): boolean {
  assert(
    processors.length > 0 && processors.every((each) => Number.isInteger(each) && each >= 0 && each < processorsMax),
    `processors are numbers from 0 up: ${processors.join()}`,
  );
  // struct cpu_set_t of <sched.h>: a bit for each.
  const mask = new Uint8Array(processorsMax / 8);
  for (const each of processors) mask[each >> 3] = (mask[each >> 3] ?? 0) | (1 << (each & 7));
  return threads().every(
    (thread) => libc.schedSetaffinity(thread, mask.length, mask) === 0 || lastErrno() === errnos.esrch,
  );
}

const processorsMax = 1024;

/** What process lists call it: 15 octets at most (TASK_COMM_LEN), cut by the kernel. Its command line stays. */
export function setProcessName(name: string): void {
  writeFileSync("/proc/self/comm", name);
}

export const processName = (): string => readFileSync("/proc/self/comm", "utf8").trimEnd();

/** -1000: never chosen when memory runs out; 0: as everybody. False where lowering it is not permitted (CAP_SYS_RESOURCE). */
export function setOomScoreAdjust(score: number): boolean {
  assert(Number.isInteger(score) && score >= -1000 && score <= 1000, `-1000 to 1000, not ${score}`);
  try {
    writeFileSync("/proc/self/oom_score_adj", String(score));
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EACCES" || code === "EPERM" || code === "EROFS") return false;
    throw error;
  }
}
