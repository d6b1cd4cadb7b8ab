// One certain process, by pid and start time: a pid alone may be somebody else's by now, and a supervisor that comes
// back after a crash must end the old election before it starts a new one (SAFETY S5), and nothing but it.
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import type { Closable } from "./api.ts";
import { LinuxError } from "./error.ts";
import { errnoName, errorOf, lastErrno, libc } from "./libc.ts";
import { watchFd } from "./watch-fd.ts";

// The same numbers on every architecture.
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;

/** In clock ticks since the machine started, as in /proc/<pid>/stat; undefined when there is no such process. */
export function processStartTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command, field 2, may hold spaces and parentheses; the start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[19]);
    return Number.isSafeInteger(ticks) ? ticks : undefined;
  } catch {
    return undefined;
  }
}

/** Sends the signal to that process or to none. Throws LinuxError, such as EPERM. */
export function killExact(pid: number, startTime: number, signal: NodeJS.Signals): "signalled" | "gone" {
  const fd = openExact(pid, startTime);
  if (fd === undefined) return "gone";
  const result = libc.syscall(SYS_PIDFD_SEND_SIGNAL, fd, constants.signals[signal], null, 0);
  const errno = result < 0 ? lastErrno() : 0;
  libc.close(fd);
  if (errno === 0) return "signalled";
  if (errnoName(errno) === "ESRCH") return "gone";
  throw errorOf(errno, `send ${signal} to process ${pid}`);
}

/** Calls `onExit` once when that process has ended, whoever's child it is; in a later turn when it already has. */
export function watchExit(pid: number, startTime: number, onExit: () => void): Closable {
  const fd = openExact(pid, startTime);
  if (fd === undefined) {
    const immediate = setImmediate(onExit);
    return { close: () => clearImmediate(immediate) };
  }
  const watch = watchFd(fd, () => {
    watch.close();
    onExit();
    return false;
  });
  return watch;
}

/** A descriptor of the process, which cannot come to mean another. Undefined when the process is not there any more. */
function openExact(pid: number, startTime: number): number | undefined {
  if (processStartTime(pid) !== startTime) return undefined;
  const fd = libc.syscall(SYS_PIDFD_OPEN, pid, 0, null, 0);
  if (fd < 0) {
    const code = errnoName(lastErrno());
    if (code === "ESRCH") return undefined;
    throw new LinuxError(code, "pidfd_open", `process ${pid}`);
  }
  // Asked again: the pid may have changed hands between the first look and the open.
  if (processStartTime(pid) === startTime) return fd;
  libc.close(fd);
  return undefined;
}
