// Which process groups are running now, in a file of the run directory: a killed health process cannot end its scripts,
// so the next one does. One fixed-size line per script, written in place: a few microseconds a run, on a tmpfs.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

export interface RunRecord {
  slot(): RunSlot;
  close(): void;
}

export interface RunSlot {
  hold(pid: number | undefined): void;
  clear(): void;
  /** Gives the line to the next script. */
  release(): void;
}

const lineBytes = 32;
const emptyLine = `${" ".repeat(lineBytes - 1)}\n`;

/** Ends what an earlier process left running, then starts a new record. */
export function openRunRecord(path: string): RunRecord & { readonly ended: readonly number[] } {
  const ended = endLeftovers(path);
  const file = openSync(path, "w", 0o600);
  const free: number[] = [];
  let lines = 0;
  let closed = false;
  /** A program that no signal ends in time may go when nobody writes any more: its line says so to the next process. */
  const write = (index: number, text: string): void => {
    if (closed) return;
    try {
      writeSync(file, text, index * lineBytes);
    } catch {
      // A full disk: should this process be killed, what it runs now runs on. That is no reason not to check.
    }
  };
  return {
    ended,
    slot() {
      const index = free.pop() ?? lines++;
      const clear = () => write(index, emptyLine);
      clear();
      return {
        clear,
        hold: (pid) => write(index, pid === undefined ? emptyLine : lineOf(pid)),
        release() {
          clear();
          free.push(index);
        },
      };
    },
    close: () => {
      closed = true;
      closeSync(file);
    },
  };
}

const lineOf = (pid: number): string => `${`${pid} ${startTimeOf(pid) ?? "gone"}`.padEnd(lineBytes - 1)}\n`;

function endLeftovers(path: string): number[] {
  const ended: number[] = [];
  for (const line of readLines(path)) {
    const [pid, startTime] = line.trim().split(" ");
    const group = Number(pid);
    // A pid alone may be somebody else's by now; with its start time it is the process that was recorded.
    if (!(group > 1) || startTime === undefined || startTimeOf(group) !== startTime) continue;
    try {
      process.kill(-group, "SIGKILL");
      ended.push(group);
    } catch {
      // It went by itself in this moment.
    }
  }
  return ended;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return []; // The first start in this run directory.
  }
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)): clock ticks after boot. The name in field 2 may hold anything but ends with ")". */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
