// How the kernel treats this process when the machine is short of time or memory (SAFETY S7): under load, real-time
// scheduling takes a 100 ms timer's p99 lateness from 3.9 to 1.2 ms. (Memory is never locked: mlockall crashes Node.)
import { writeFileSync } from "node:fs";
import { assert } from "@baton/domain";
import { checked, errnos, int32, lastErrno, libc } from "./libc.ts";

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
