// `net_namespace`: a node lives in the network namespace that its configuration names. The supervisor's own thread goes
// there before it has opened anything; whatever it starts afterwards, threads and processes, is born there.
import { existsSync, statSync } from "node:fs";
import { enterNamespace, openLinkTable } from "@baton/linux";

const loopback = 1;

/** False: it is the namespace that we are in. Throws what the kernel says, ENOENT for a name that nobody has given. */
export function liveInNamespace(name: string): boolean {
  const path = pathOf(name);
  if (existsSync(path) && statSync(path).ino === statSync("/proc/thread-self/ns/net").ino) return false;
  enterNamespace(path);
  raiseLoopback();
  return true;
}

/** As ip netns keeps them. A name is no way to somewhere else. */
const pathOf = (name: string): string => `/run/netns/${name.replaceAll("/", "_")}`;

/** The node's bus is on it, and a new namespace has it down. */
function raiseLoopback(): void {
  const table = openLinkTable();
  table.change([{ op: "set", link: loopback, up: true }]);
  table.close();
}
