// The interfaces that `use_vmac`, `use_ipvlan` and `use_vmac_addr` ask for, by their final names, and who stands on
// which. Derived from the Config, so that everybody who reads the same Config says the same names.
import { type IpAddress, ipFamily } from "@baton/domain";
import type { VirtualAddressConfig } from "./config/addresses.ts";
import type { InstanceConfig } from "./config/instance.ts";
import type { PrefixConfig } from "./config/routes.ts";
import type { Config } from "./config.ts";

interface AnyVirtualLink {
  readonly name: string;
  /** The interface below. */
  readonly parent: string;
  readonly family: 4 | 6;
  /** A group of interfaces; undefined: that of the interface below. */
  readonly group: number | undefined;
  /** Whether IPv6 runs on it. */
  readonly ipv6: boolean;
  /** Whether adverts leave from it. */
  readonly speaks: boolean;
}

/** A macvlan in private mode. */
export interface VirtualMacLink extends AnyVirtualLink {
  readonly kind: "macvlan";
  readonly mac: string;
  /** The source of adverts over IPv6: as configured, or that of the interface below. */
  readonly linkLocal: IpAddress | "parent" | "none";
  /** `netlink_notify_msg`: tell of the interface below when this one has come. */
  readonly netlinkNotify: boolean;
}

/** An ipvlan of layer 2. */
export interface IpvlanLink extends AnyVirtualLink {
  readonly kind: "ipvlan";
  readonly mode: "bridge" | "private" | "vepa";
  /** Its own; nobody moves it. */
  readonly address: PrefixConfig | undefined;
}

export type VirtualLink = VirtualMacLink | IpvlanLink;

/** What an instance stands on. */
export interface InstanceLinks {
  /** Where its adverts leave and arrive. */
  readonly adverts: string;
  /** The interface of its own; undefined: it stands on `interface` alone. */
  readonly own: VirtualLink | undefined;
  /** The own one and those of single addresses; other instances may have the latter, too. */
  readonly links: readonly VirtualLink[];
  /** Where an address of the instance stands. */
  interfaceOf(address: VirtualAddressConfig): string;
}

/** Without the final zero (IFNAMSIZ). */
const nameLengthMax = 15;

/** RFC 9568 section 7.3. */
const virtualMac = (family: 4 | 6, vrid: number): string =>
  `00:00:5e:00:0${family === 4 ? 1 : 2}:${vrid.toString(16).padStart(2, "0")}`;

/** By the names of the instances. Pure: the same Config gives the same names. */
export function virtualLinks({ instances, global }: Pick<Config, "instances" | "global">): Map<string, InstanceLinks> {
  const { vmacPrefix, vmacAddressPrefix } = global.vrrp;
  const named = instances.flatMap(({ vmac, ipvlan }) => vmac?.name ?? ipvlan?.name ?? []);
  const made: Made = { names: new Set(named), links: new Map() };
  return new Map(
    instances.map((instance) => [instance.name, linksOf(instance, { vmacPrefix, vmacAddressPrefix }, made)]),
  );
}

interface Prefixes {
  readonly vmacPrefix: string;
  readonly vmacAddressPrefix: string;
}

/** Across all instances: names that are taken, and macvlans by what they are for. */
interface Made {
  readonly names: Set<string>;
  readonly links: Map<string, VirtualMacLink>;
}

function linksOf(instance: InstanceConfig, prefixes: Prefixes, made: Made): InstanceLinks {
  const own = ownLink(instance, prefixes.vmacPrefix, made);
  const single = new Map<VirtualAddressConfig, VirtualLink>();
  for (const line of [...instance.addresses, ...instance.excludedAddresses]) {
    if (line.vmac === "own") single.set(line, addressLink(instance, line, prefixes.vmacAddressPrefix, made));
  }
  const isOwn = (line: VirtualAddressConfig): boolean =>
    line.vmac === "instance" ||
    (own?.kind === "ipvlan" && line.interface === instance.interface && ipFamily(line.address) === instance.family);
  return {
    adverts: own?.speaks === true ? own.name : instance.interface,
    own,
    links: [...new Set([...(own === undefined ? [] : [own]), ...single.values()])],
    interfaceOf: (line) => single.get(line)?.name ?? (own !== undefined && isOwn(line) ? own.name : line.interface),
  };
}

function ownLink(instance: InstanceConfig, prefix: string, made: Made): VirtualLink | undefined {
  const { vmac, ipvlan, vrid, family, interface: parent } = instance;
  const others = instance.excludedAddresses.some(({ address }) => ipFamily(address) !== family);
  const common = { parent, family, ipv6: family === 6 || others };
  if (ipvlan !== undefined) {
    const name = ipvlan.name ?? freeName(prefix, vrid, family, made.names);
    const { mode, address, group } = ipvlan;
    return { ...common, kind: "ipvlan", name, speaks: true, group, mode, address };
  }
  if (vmac === undefined) return undefined;
  const mac = vmac.mac ?? virtualMac(family, vrid);
  const key = keyOf(parent, mac);
  // One that an address of an instance before has made is this one: a MAC address is on an interface once.
  const name = vmac.name ?? made.links.get(key)?.name ?? freeName(prefix, vrid, family, made.names);
  const { group, netlinkNotify, transmitBase } = vmac;
  const linkLocal = family === 4 || transmitBase ? "none" : (instance.sourceAddress ?? "parent");
  const link: VirtualMacLink = {
    ...common,
    ...{ kind: "macvlan", name, mac, group, netlinkNotify, linkLocal, speaks: !transmitBase },
  };
  made.links.set(key, link);
  return link;
}

/** `use_vmac` of an address, and `use_vmac_addr`: one for all addresses of a MAC address on an interface. */
function addressLink(instance: InstanceConfig, line: VirtualAddressConfig, prefix: string, made: Made): VirtualLink {
  const { vmac, vrid } = instance;
  const family = ipFamily(line.address);
  const mac = vmac?.mac ?? virtualMac(family, vrid);
  const key = keyOf(line.interface, mac);
  const known = made.links.get(key);
  if (known !== undefined) return known;
  const link: VirtualMacLink = {
    kind: "macvlan",
    name: freeName(prefix, vrid, family, made.names),
    parent: line.interface,
    family,
    mac,
    group: undefined,
    ipv6: family === 6,
    speaks: false,
    linkLocal: family === 6 ? "parent" : "none",
    netlinkNotify: false,
  };
  made.links.set(key, link);
  return link;
}

const keyOf = (parent: string, mac: string): string => `${parent} ${mac}`;

/** As keepalived counts: vrrp.51, vrrp1.51, vrrp2.51; for IPv6 vrrp.51, vrrp6.51, vrrp1.51. Taken from then on. */
function freeName(prefix: string, vrid: number, family: 4 | 6, taken: Set<string>): string {
  const nameOf = (number: string): string => {
    const tail = `${number}.${vrid}`;
    return `${prefix.slice(0, nameLengthMax - tail.length)}${tail}`;
  };
  const counted = Array.from({ length: taken.size + 2 }, (_, index) => `${index + 1}`);
  const numbers = ["", ...(family === 6 ? ["6"] : []), ...counted];
  // There are more numbers than names taken: one is free.
  const name = numbers.map(nameOf).find((each) => !taken.has(each)) ?? nameOf("");
  taken.add(name);
  return name;
}
