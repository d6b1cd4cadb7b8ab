// Interfaces as the election sees them: up or down, which index, which primary address. Fed by rtnetlink.
import { type IpAddress, ipFamily } from "@baton/domain";
import type { InstanceConfig, InstanceLinks } from "@baton/keepalived-conf";
import type { AddressInfo, LinkMonitor } from "@baton/linux";
import type { ElectionConfig } from "@baton/vrrp";
import type { TrackerInput } from "./trackers.ts";

export interface InterfaceView {
  readonly ifindex: number;
  /** IFF_UP and IFF_RUNNING, as keepalived judges it (behaviour: "Up means"). */
  readonly up: boolean;
  readonly primaryAddress: IpAddress | undefined;
}

const absent: InterfaceView = { ifindex: 0, up: false, primaryAddress: undefined };

/** The address owner's (RFC 9568 section 5.2.4): its virtual addresses are the interface's own. */
const ownerPriority = 255;

/** What may stand on an interface and is not its own: no router speaks from it. */
export const virtualAddresses = (
  instances: readonly Pick<InstanceConfig, "priority" | "addresses" | "excludedAddresses">[],
): ReadonlySet<IpAddress> =>
  new Set(
    instances
      .filter(({ priority }) => priority !== ownerPriority)
      .flatMap(({ addresses, excludedAddresses }) => [...addresses, ...excludedAddresses])
      .map(({ address }) => address),
  );

/** RT_SCOPE_LINK: over IPv6 routers speak from their link-local address (RFC 9568 section 5.1.2.1). */
const linkScope = 253;

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
    .filter(({ address, flags }) => ipFamily(address) === family && !virtual.has(address) && !isUnproven(flags));
  return { ifindex: link.ifindex, up: link.up, primaryAddress: primaryOf(candidates, family)?.address };
}

/** Duplicate address detection (RFC 4862) has not let it pass: nothing may be sent from it. */
const isUnproven = ({ tentative, dadFailed }: AddressInfo["flags"]): boolean => tentative || dadFailed;

function primaryOf(candidates: readonly AddressInfo[], family: 4 | 6): AddressInfo | undefined {
  if (family === 4) return candidates.find(({ flags }) => !flags.secondary) ?? candidates[0];
  // The kernel lists the newest first: the oldest stays where it is when another one comes.
  return candidates.findLast(({ scope }) => scope === linkScope);
}

/** Whether `address` stands on the interface, for `track_src_ip`. */
export const hasAddress = (monitor: LinkMonitor, ifindex: number, address: IpAddress): boolean =>
  monitor.addresses(ifindex).some((each) => each.address === address && !isUnproven(each.flags));

/** Tells whether a link counts as up, of which the kernel says `up`. */
export type IsUp = (name: string, up: boolean) => boolean;

/** What the election reads of an instance to see its links. */
export type LinkedInstance = Pick<InstanceConfig, "interface" | "family" | "sourceAddress" | "trackSource">;

/**
 * What an instance stands on. With `use_vmac` its adverts leave from the link with the virtual MAC address, over IPv4
 * from the address of the interface below, and both have to be up.
 */
export function viewInstance(
  monitor: LinkMonitor,
  instance: LinkedInstance,
  links: Pick<InstanceLinks, "own"> | undefined,
  look: (name: string, family: 4 | 6) => InterfaceView,
  isUp: IsUp,
): InterfaceView {
  const { interface: name, family, sourceAddress, trackSource } = instance;
  const below = look(name, family);
  const up = isUp(name, below.up);
  const own = links?.own;
  if (own === undefined) return withSource({ ...below, up }, below.ifindex);
  const above = look(own.name, family);
  const both = isUp(own.name, above.up) && up;
  if (!own.speaks) return withSource({ ...below, up: both }, below.ifindex);
  const isLent = own.kind === "macvlan" && family === 4;
  const speaker = isLent ? below : above;
  return withSource({ ifindex: above.ifindex, up: both, primaryAddress: speaker.primaryAddress }, speaker.ifindex);

  function withSource(view: InterfaceView, speakingIfindex: number): InterfaceView {
    if (sourceAddress === undefined) return view;
    const isThere = !trackSource || hasAddress(monitor, speakingIfindex, sourceAddress);
    return { ...view, primaryAddress: isThere ? sourceAddress : undefined };
  }
}

/** Interfaces other than its own that an instance tracks, as they are now; the machine ignores what it knows already. */
export function interfaceTrackers(monitor: LinkMonitor, config: ElectionConfig, isUp: IsUp): TrackerInput[] {
  return config.trackers
    .filter((each) => each.kind === "interface")
    .map(({ name }) => {
      const link = monitor.links().find((each) => each.name === name);
      const up = isUp(name, link?.up === true);
      return { type: "tracker-changed", kind: "interface", name, status: up ? "up" : "down", cause: undefined };
    });
}
