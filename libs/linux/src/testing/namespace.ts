// Throwaway network namespaces for tests: sockets belong to the namespace in which they were opened, so a test opens
// each part "inside" its namespace and then talks to all of them from one thread.
import { execFileSync } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { enterNamespace, insideNamespace } from "../network-namespace.ts";

export interface Namespace {
  readonly name: string;
  /** Runs `action` with this thread inside the namespace; synchronous code only. */
  inside<T>(action: () => T): T;
  /** Moves this thread into the namespace until the function that it returns is called; children are born there too. */
  enter(): () => void;
  /** `ip -n <name> …`; returns what it printed. */
  ip(...words: string[]): string;
  remove(): void;
}

/** `label` is made unique by the process id; the name starts with "bt", by which leftovers are found. */
export function makeNamespace(label: string): Namespace {
  const name = `bt${label}${process.pid}`;
  execFileSync("ip", ["netns", "add", name]);
  const ip = (...words: string[]): string =>
    execFileSync("ip", ["-n", name, ...words], { encoding: "utf8", stdio: "pipe" });
  ip("link", "set", "lo", "up");
  const path = `/var/run/netns/${name}`;
  return {
    name,
    ip,
    inside: (action) => insideNamespace(path, action),
    enter: () => enterNamespace(path),
    remove: () => void execFileSync("ip", ["netns", "del", name]),
  };
}

/** Two namespaces joined by a veth pair, `eth0` in each, with 10.99.0.1/24 and 10.99.0.2/24. */
export function makeNamespacePair(label: string): readonly [Namespace, Namespace] {
  const [left, right] = [makeNamespace(`${label}a`), makeNamespace(`${label}b`)];
  left.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", right.name);
  for (const [index, side] of [left, right].entries()) {
    side.ip("address", "add", `10.99.0.${index + 1}/24`, "dev", "eth0");
    side.ip("link", "set", "eth0", "up");
  }
  return [left, right];
}

/** What this process holds open, as the kernel names it: for tests that prove that close() gives everything back. */
export function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd")
    .map((fd) => {
      try {
        return `${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`;
      } catch {
        return ""; // the directory's own descriptor, closed by now
      }
    })
    .filter((entry) => entry !== "");
}
