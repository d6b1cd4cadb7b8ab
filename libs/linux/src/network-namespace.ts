// A socket belongs to the network namespace in which it was opened: this thread enters another one for a moment.
import { closeSync, openSync } from "node:fs";
import { checked, libc } from "./libc.ts";

/** Where `ip netns` keeps the namespace of this name. A name is no way to somewhere else. */
export const namespacePath = (name: string): string => `/run/netns/${name.replaceAll("/", "_")}`;

const CLONE_NEWNET = 0x40000000;

/**
 * Moves this thread into the namespace at `path` (`/run/netns/NAME`, `/proc/PID/ns/net`) until the function that it
 * returns is called; children are born there too. Throws LinuxError.
 */
export function enterNamespace(path: string): () => void {
  const target = openSync(path, "r");
  const home = openSync("/proc/thread-self/ns/net", "r");
  const entered = libc.setns(target, CLONE_NEWNET);
  closeSync(target);
  if (entered < 0) closeSync(home);
  checked(entered, `setns ${path}`);
  return () => {
    const left = libc.setns(home, CLONE_NEWNET);
    closeSync(home);
    checked(left, "setns back");
  };
}

/** Runs `action` in the namespace at `path`; synchronous code only. Throws LinuxError, and what `action` throws. */
export function insideNamespace<T>(path: string, action: () => T): T {
  const leave = enterNamespace(path);
  try {
    return action();
  } finally {
    leave();
  }
}
