// Where the virtual servers are: `net_namespace_ipvs` may name another network namespace than the one that Baton runs in.
// Nothing of the balancer lives there; it goes there for each question to the kernel.

import type { Config } from "@baton/keepalived-conf";
import { insideNamespace, namespacePath } from "@baton/linux";

/** The file that is the namespace; undefined: that of this process. */
export type NamespaceFile = string | undefined;

/** Without a name it is the machine's own. */
const machineNamespace = "/proc/1/ns/net";

export function namespaceOf({ global }: Config): NamespaceFile {
  const name = global.node.netNamespaceIpvs;
  if (name === undefined) return undefined;
  return name === "" ? machineNamespace : namespacePath(name);
}

/** Synchronous code only. Throws what `action` throws, and ENOENT for a name that nobody has given. */
export const insideOf = <T>(namespace: NamespaceFile, action: () => T): T =>
  namespace === undefined ? action() : insideNamespace(namespace, action);
