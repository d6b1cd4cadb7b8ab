// `net_namespace`: a node lives in the network namespace that its configuration names. The supervisor's own thread goes
// there before it has opened anything; whatever it starts afterwards, threads and processes, is born there.
import { existsSync, statSync } from "node:fs";
import { enterNamespace, namespacePath, openLinkTable } from "@baton/linux";

const loopback = 1;

/** Nothing happens in the namespace that we are in. Throws what the kernel says, ENOENT for a name that nobody has given. */
export function liveInNamespace(name: string): void {
  const path = namespacePath(name);
  if (existsSync(path) && statSync(path).ino === statSync("/proc/thread-self/ns/net").ino) return;
  enterNamespace(path);
  raiseLoopback();
}

/** The node's bus is on it, and a new namespace has it down. */
function raiseLoopback(): void {
  const table = openLinkTable();
  table.change([{ op: "set", link: loopback, up: true }]);
  table.close();
}
