// The order of an interface's addresses as the kernel keeps it (inet_insert_ifa, ipv6_link_dev_addr). It matters: the
// first address is the one from which a router speaks. A mirror that only appended would disagree after a while.
import { ipFamily, ipToBytes } from "@baton/domain";
import type { AddressInfo } from "./api.ts";

/** The kernel's idea of "the same address": in IPv6 the address alone, in IPv4 with its prefix and other end. */
export function isSameAddress(a: AddressInfo, b: Pick<AddressInfo, "address" | "prefixLength" | "peer">): boolean {
  if (a.address !== b.address) return false;
  return ipFamily(a.address) === 6 || (a.prefixLength === b.prefixLength && a.peer === b.peer);
}

/** The list with `info` in it: in the place of the same address, or where the kernel inserts a new one. */
export function withAddress(list: readonly AddressInfo[], info: AddressInfo): AddressInfo[] {
  const index = list.findIndex((other) => isSameAddress(other, info));
  // A secondary that became primary (promote_secondaries) moves to the place of a primary.
  if (index >= 0 && list[index]?.flags.secondary === info.flags.secondary) return list.with(index, info);
  const rest = index < 0 ? list : list.toSpliced(index, 1);
  return rest.toSpliced(placeOf(rest, info), 0, info);
}

export const withoutAddress = (list: readonly AddressInfo[], info: AddressInfo): AddressInfo[] =>
  list.filter((other) => !isSameAddress(other, info));

function placeOf(list: readonly AddressInfo[], info: AddressInfo): number {
  const family = ipFamily(info.address);
  const ofFamily = (other: AddressInfo): boolean => ipFamily(other.address) === family;
  if (family === 6) {
    // Wider scopes (smaller numbers here) first, and of equal ones the newest first.
    const place = list.findIndex((other) => ofFamily(other) && other.scope >= info.scope);
    return place < 0 ? list.length : place;
  }
  // IPv4 comes before IPv6 in a dump. Secondaries come last; a primary after the primaries of its own or a narrower scope.
  if (info.flags.secondary) return list.filter(ofFamily).length;
  const place = list.findLastIndex((other) => ofFamily(other) && !other.flags.secondary && info.scope <= other.scope);
  return place + 1;
}

/** Whether two IPv4 addresses share a subnet: then the later one is a secondary, and goes when the first goes. */
export function sharesSubnet(a: AddressInfo, b: AddressInfo): boolean {
  if (ipFamily(a.address) !== 4 || ipFamily(b.address) !== 4 || a.prefixLength !== b.prefixLength) return false;
  const bits = (info: AddressInfo): number => {
    const value = ipToBytes(info.peer ?? info.address).reduce((sum, byte) => sum * 256 + byte, 0);
    return Math.floor(value / 2 ** (32 - info.prefixLength));
  };
  return bits(a) === bits(b);
}
