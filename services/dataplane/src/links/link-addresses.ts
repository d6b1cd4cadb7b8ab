// Addresses that links of ours have for themselves: over IPv6 a macvlan sends its adverts from the link-local address of
// the interface below (so that they come from no virtual address, but with the virtual MAC address), an ipvlan from the
// one that the configuration gives it. The kernel chooses neither for anybody else's packets: they are deprecated. Pure,
// but for what it reads of the monitor.
import { type IpAddress, ipFamily, parseIp } from "@baton/domain";
import type { VirtualLink } from "@baton/keepalived-conf";
import type { AddressChange, AddressInfo, LinkMonitor } from "@baton/linux";

/** RT_SCOPE_LINK. */
const linkScope = 253;
const linkLocalPrefix = 64;

type View = Pick<LinkMonitor, "links" | "addresses">;

/** What adverts of this link are sent from over IPv6; undefined: nothing, or the interface below is not there. */
export function linkLocalOf(link: VirtualLink, view: View): IpAddress | undefined {
  if (link.kind === "ipvlan" || link.linkLocal === "none") return undefined;
  if (link.linkLocal !== "parent") return link.linkLocal;
  const parent = view.links().find(({ name }) => name === link.parent);
  if (parent === undefined) return undefined;
  const own = view
    .addresses(parent.ifindex)
    .filter(({ address, scope }) => ipFamily(address) === 6 && scope === linkScope);
  // The kernel lists the newest first; the oldest is the interface's own.
  return own.at(-1)?.address ?? (parent.mac === undefined ? undefined : linkLocalFromMac(parent.mac));
}

/** RFC 4291 appendix A: as the kernel would make it. */
export function linkLocalFromMac(mac: string): IpAddress | undefined {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(":").map((octet) => Number.parseInt(octet, 16));
  const words = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
  return parseIp(`fe80::${words.map((word) => word.toString(16)).join(":")}`);
}

/** What has to be done to the addresses of a link that is there. */
export function missingAddresses(link: VirtualLink, view: View): AddressChange[] {
  const found = view.links().find(({ name }) => name === link.name);
  if (found === undefined) return [];
  const present = view.addresses(found.ifindex);
  if (link.kind === "ipvlan") {
    const { address } = link;
    if (address === undefined || present.some((each) => each.address === address.address)) return [];
    return [{ op: "add", spec: { ifindex: found.ifindex, ...address, noDad: true } }];
  }
  const wanted = linkLocalOf(link, view);
  if (wanted === undefined || present.some(({ address }) => address === wanted)) return [];
  const spec = {
    ifindex: found.ifindex,
    address: wanted,
    prefixLength: linkLocalPrefix,
    noDad: true,
    preferredLifetime: 0,
  };
  const old = present.filter(isLent).map(
    ({ ifindex, address, prefixLength }): AddressChange => ({
      op: "delete",
      spec: { ifindex, address, prefixLength },
    }),
  );
  return [...old, { op: "add", spec: { ...spec, scope: linkScope } }];
}

/** Virtual addresses of link-local scope carry our tag, or another length. */
const isLent = ({ address, scope, prefixLength, protocol }: AddressInfo): boolean =>
  ipFamily(address) === 6 && scope === linkScope && prefixLength === linkLocalPrefix && protocol === 0;
