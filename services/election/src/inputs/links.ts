// Interfaces as the election sees them: up or down, which index, which primary address. Fed by rtnetlink.
import { type IpAddress, ipFamily } from "@baton/domain";
import type { LinkMonitor } from "@baton/linux";
import type { ElectionConfig } from "@baton/vrrp";
import type { TrackerInput } from "./trackers.ts";

export interface InterfaceView {
  readonly ifindex: number;
  /** IFF_UP and IFF_RUNNING, as keepalived judges it (behaviour: "Up means"). */
  readonly up: boolean;
  readonly primaryAddress: IpAddress | undefined;
}

const absent: InterfaceView = { ifindex: 0, up: false, primaryAddress: undefined };

/**
 * The interface `name` now. The primary address is the kernel's first one that is not one of the virtual addresses:
 * a virtual address that outlives its neighbour must not become the source of adverts.
 */
export function viewInterface(
  monitor: LinkMonitor,
  name: string,
  family: 4 | 6,
  virtual: ReadonlySet<IpAddress>,
): InterfaceView {
  const link = monitor.links().find((each) => each.name === name);
  if (link === undefined) return absent;
  const candidates = monitor
    .addresses(link.ifindex)
    .filter((each) => ipFamily(each.address) === family && !virtual.has(each.address) && !each.flags.tentative);
  const primary = candidates.find((each) => !each.flags.secondary) ?? candidates[0];
  return { ifindex: link.ifindex, up: link.up, primaryAddress: primary?.address };
}

/** Interfaces other than its own that an instance tracks, as they are now; the machine ignores what it knows already. */
export function interfaceTrackers(monitor: LinkMonitor, config: ElectionConfig): TrackerInput[] {
  return config.trackers
    .filter((each) => each.kind === "interface")
    .map(({ name }) => {
      const up = monitor.links().some((link) => link.name === name && link.up);
      return { type: "tracker-changed", kind: "interface", name, status: up ? "up" : "down", cause: undefined };
    });
}
