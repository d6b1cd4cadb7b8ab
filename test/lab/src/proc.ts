// What /proc says: who is whose child, and which process of the machine a router knows under which pid.
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // it has ended
  }
};

const inodeOf = (path: string): number | undefined => {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
};

export const allPids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Fields of /proc/PID/stat after the command, which may hold blanks and brackets: [0] is the state. */
const statFields = (pid: number): string[] | undefined => {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
};

/** In clock ticks since boot: with the pid it names one process for ever. */
export const startTimeOf = (pid: number): string | undefined => statFields(pid)?.[19];

/** A zombie has ended and only waits for its parent. */
export function isAlive(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state !== undefined && state !== "Z" && state !== "X";
}

export const childrenOf = (parent: number): number[] =>
  allPids().filter((pid) => statFields(pid)?.[1] === String(parent));

export const commandOf = (pid: number): string => (read(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ").trim();

/** The machine's pid of what a process of `initPid`'s PID namespace knows as `innerPid`. */
export function outerPid(initPid: number, innerPid: number): number | undefined {
  const namespace = linkOf(`/proc/${initPid}/ns/pid`);
  return allPids().find((pid) => {
    if (linkOf(`/proc/${pid}/ns/pid`) !== namespace) return false;
    const inner = /^NSpid:.*\t(\d+)$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
    return inner === String(innerPid);
  });
}

const linkOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
};

/** Every process that lives in a named network namespace. */
export function processesIn(namespace: string): number[] {
  const wanted = inodeOf(`/run/netns/${namespace}`);
  if (wanted === undefined) return [];
  return allPids().filter((pid) => inodeOf(`/proc/${pid}/ns/net`) === wanted);
}

export function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
