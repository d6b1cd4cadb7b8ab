// An interface's addresses in the order in which the kernel keeps them (inet_insert_ifa, ipv6_link_dev_addr). The order
// matters: the first address is the one from which a router speaks. A mirror that only appended would disagree after a while.
import { ipFamily, ipToBytes } from "@baton/domain";
import type { AddressInfo } from "./api.ts";

type AddressName = Pick<AddressInfo, "address" | "prefixLength" | "peer">;

export interface AddressList {
  get(name: AddressName): AddressInfo | undefined;
  /** In the place of the same address, or where the kernel inserts a new one. Whether it says anything new but a lifetime. */
  set(info: AddressInfo): boolean;
  /** Puts it last: for filling from a dump, which has the kernel's order. */
  append(info: AddressInfo): void;
  remove(name: AddressName): boolean;
  all(): AddressInfo[];
}

/** Renewals of a thousand addresses a second (SAFETY S10) must cost next to nothing: found by key, compared by field. */
export function addressList(): AddressList {
  const byKey = new Map<string, AddressInfo>();
  const order: string[] = [];
  const forget = (key: string): boolean => {
    if (!byKey.delete(key)) return false;
    order.splice(order.indexOf(key), 1);
    return true;
  };
  const placed = (): AddressInfo[] => order.flatMap((key) => byKey.get(key) ?? []);
  return {
    get: (name) => byKey.get(keyOf(name)),
    set: (info) => {
      const key = keyOf(info);
      const known = byKey.get(key);
      // A secondary that became primary (promote_secondaries) moves to the place of a primary.
      if (known !== undefined && known.flags.secondary === info.flags.secondary) {
        byKey.set(key, info);
        return !isSameButForLifetime(known, info);
      }
      forget(key);
      order.splice(placeOf(info, order, byKey), 0, key);
      byKey.set(key, info);
      return true;
    },
    append: (info) => {
      const key = keyOf(info);
      if (!byKey.has(key)) order.push(key);
      byKey.set(key, info);
    },
    remove: (name) => forget(keyOf(name)),
    all: placed,
  };
}

/** The kernel's idea of "the same address": in IPv6 the address alone, in IPv4 with its prefix and other end. */
function keyOf({ address, prefixLength, peer }: AddressName): string {
  return ipFamily(address) === 6 ? address : `${address}/${prefixLength} ${peer ?? ""}`;
}

function isSameButForLifetime(a: AddressInfo, b: AddressInfo): boolean {
  return (
    a.prefixLength === b.prefixLength &&
    a.peer === b.peer &&
    a.label === b.label &&
    a.broadcast === b.broadcast &&
    a.scope === b.scope &&
    a.protocol === b.protocol &&
    a.flags.noPrefixRoute === b.flags.noPrefixRoute &&
    a.flags.homeAddress === b.flags.homeAddress &&
    a.flags.manageTemporary === b.flags.manageTemporary &&
    a.flags.autojoin === b.flags.autojoin &&
    a.flags.noDad === b.flags.noDad &&
    a.flags.tentative === b.flags.tentative &&
    a.flags.dadFailed === b.flags.dadFailed &&
    a.flags.deprecated === b.flags.deprecated &&
    a.flags.secondary === b.flags.secondary &&
    a.flags.permanent === b.flags.permanent
  );
}

function placeOf(info: AddressInfo, order: readonly string[], byKey: ReadonlyMap<string, AddressInfo>): number {
  const family = ipFamily(info.address);
  const matches = (key: string, condition: (other: AddressInfo) => boolean): boolean => {
    const other = byKey.get(key);
    return other !== undefined && ipFamily(other.address) === family && condition(other);
  };
  if (family === 6) {
    // Wider scopes (smaller numbers here) first, and of equal ones the newest first.
    const place = order.findIndex((key) => matches(key, (other) => other.scope >= info.scope));
    return place < 0 ? order.length : place;
  }
  // IPv4 comes before IPv6. Secondaries come last; a primary after the primaries of its own or a narrower scope.
  const before = (other: AddressInfo): boolean =>
    info.flags.secondary || (!other.flags.secondary && info.scope <= other.scope);
  return order.findLastIndex((key) => matches(key, before)) + 1;
}

/** Whether two IPv4 addresses share a subnet: then the later one is a secondary, and goes when the first goes. */
export function sharesSubnet(a: AddressInfo, b: AddressInfo): boolean {
  if (ipFamily(a.address) !== 4 || ipFamily(b.address) !== 4 || a.prefixLength !== b.prefixLength) return false;
  const subnet = (info: AddressInfo): number => {
    const value = ipToBytes(info.peer ?? info.address).reduce((sum, byte) => sum * 256 + byte, 0);
    return Math.floor(value / 2 ** (32 - info.prefixLength));
  };
  return subnet(a) === subnet(b);
}
