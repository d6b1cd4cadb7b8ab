// Settings of interfaces under /proc/sys/net, as keepalived has them for virtual MAC addresses: the interface below must
// not answer ARP for addresses of those above it (arp_ignore, arp_filter), those above answer for their own alone, take
// packets that look as if they were from this machine (accept_local), and know no way back (rp_filter). Whatever is
// changed outside our own links is restored.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { VirtualLink } from "@baton/keepalived-conf";
import type { ParentSettings } from "./plan-links.ts";

type Family = "ipv4" | "ipv6";

const pathOf = (family: Family, name: string, key: string): string => `/proc/sys/net/${family}/conf/${name}/${key}`;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Throws what the file system throws; without IPv6 there is nothing to set there. */
function write(path: string, value: string): void {
  if (existsSync(path) && read(path) !== value) writeFileSync(path, value);
}

/** Before it is up: an address that the kernel makes by itself would be one of the virtual MAC address (RFC 9568 section 7.4). */
export function setUpLink({ name, kind, family, ipv6 }: VirtualLink): void {
  write(pathOf("ipv6", name, "disable_ipv6"), ipv6 ? "0" : "1");
  write(pathOf("ipv6", name, "addr_gen_mode"), "1");
  if (kind === "ipvlan") return;
  write(pathOf("ipv4", name, "arp_ignore"), "1");
  if (family === 6) return;
  write(pathOf("ipv4", name, "accept_local"), "1");
  write(pathOf("ipv4", name, "rp_filter"), "0");
  write(pathOf("ipv4", name, "promote_secondaries"), "1");
}

export function parentSettings(name: string): ParentSettings {
  const of = (key: string): string => read(pathOf("ipv4", name, key)) ?? "0";
  return { arpIgnore: of("arp_ignore"), arpFilter: of("arp_filter") };
}

export function setParent(name: string, { arpIgnore, arpFilter }: ParentSettings): void {
  write(pathOf("ipv4", name, "arp_ignore"), arpIgnore);
  write(pathOf("ipv4", name, "arp_filter"), arpFilter);
}

export const parentOfVirtualMac: ParentSettings = { arpIgnore: "1", arpFilter: "1" };

/**
 * What counts for an interface is the larger of its own rp_filter and that of `all`, so one for all is made one for each,
 * and ours can be without. Returns what restores it; undefined: there was nothing to do.
 */
export function spreadReversePath(): (() => void) | undefined {
  const all = read(pathOf("ipv4", "all", "rp_filter")) ?? "0";
  if (all === "0") return undefined;
  const before = new Map<string, string>([["all", all]]);
  for (const name of readdirSync("/proc/sys/net/ipv4/conf")) {
    const path = pathOf("ipv4", name, "rp_filter");
    const value = read(path);
    if (name === "all" || value === undefined || value >= all) continue;
    before.set(name, value);
    write(path, all);
  }
  write(pathOf("ipv4", "all", "rp_filter"), "0");
  return () => {
    for (const [name, value] of before) write(pathOf("ipv4", name, "rp_filter"), value);
  };
}

const igmpPath = "/proc/sys/net/ipv4/igmp_link_local_mcast_reports";

/** `disable_local_igmp`. Returns what restores it; undefined: there was nothing to do. */
export function stopLocalIgmp(): (() => void) | undefined {
  const before = read(igmpPath);
  if (before === undefined || before === "0") return undefined;
  write(igmpPath, "0");
  return () => write(igmpPath, before);
}
