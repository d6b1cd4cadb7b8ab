// What lint wants to know of this machine beside what the parser does: who may read a file, and which addresses are set.
import { statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { parseIp } from "@baton/domain";
import type { FileStatus, InterfaceAddress, LintMachine } from "@baton/keepalived-conf";
import { lookInto, pathWeakness } from "./machine-facts.ts";

/** `namespace`: whose addresses; this thread's own when undefined. */
export function lintFacts(namespace?: string): LintMachine {
  return { fileStatus, interfaceAddresses: (name) => interfaceAddresses(name, namespace), pathWeakness };
}

function fileStatus(path: string): FileStatus | undefined {
  try {
    const { mode, uid, gid } = statSync(path);
    return { mode: mode & 0o7777, userId: uid, groupId: gid };
  } catch {
    return undefined;
  }
}

/** Those that are up only; a label (`eth0:1`) is an interface of its own to the C library. */
function interfaceAddresses(name: string, namespace: string | undefined): InterfaceAddress[] {
  return Object.entries(interfacesOf(namespace))
    .filter(([label]) => label === name || label.startsWith(`${name}:`))
    .flatMap(([, addresses]) => addresses ?? [])
    .flatMap(({ address: text, cidr }) => {
      const address = parseIp(text.replace(/%.*/, ""));
      const prefixLength = Number(cidr?.split("/")[1]);
      return address === undefined || Number.isNaN(prefixLength) ? [] : [{ address, prefixLength }];
    });
}

function interfacesOf(namespace: string | undefined): ReturnType<typeof networkInterfaces> {
  try {
    return lookInto(namespace, networkInterfaces);
  } catch {
    return {}; // not known: nothing to complain about
  }
}
