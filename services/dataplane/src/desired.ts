// What the configuration wants of the kernel: the virtual addresses of each instance, flat, with what decides about
// them. The only file here that knows keepalived's configuration.
import { type IpAddress, ipFamily, type Micros, micros, secondsToMicros, toSeconds } from "@baton/domain";
import type { Settings } from "@baton/host";
import {
  type Config,
  type GarpConfig,
  type InstanceConfig,
  type InstanceLinks,
  staticName,
  type VirtualAddressConfig,
  type VirtualLink,
  virtualLinks,
} from "@baton/keepalived-conf";
import { kernelLeaseSeconds, leaseLength } from "@baton/vrrp";
import { repairsMax } from "./drift-limit.ts";
import type { FilterSettings } from "./links/groundwork.ts";
import { type ManagedRouting, managedRouting } from "./routing/managed.ts";

export interface ManagedAddress {
  /** Interface, address and prefix length: what the kernel tells addresses apart by. */
  readonly key: string;
  readonly instance: string;
  readonly address: IpAddress;
  readonly family: 4 | 6;
  readonly prefixLength: number;
  readonly interface: string;
  readonly label: string | undefined;
  readonly broadcast: IpAddress | undefined;
  readonly scope: number;
  readonly noPrefixRoute: boolean;
  /** IPv6: `-nodad` has the kernel look for duplicates before it uses the address. */
  readonly detectDuplicates: boolean;
  /** IPv6: for so many seconds the kernel may choose it as a source; undefined: as long as it is there. */
  readonly preferredLifetime: number | undefined;
  /** The other end of a point-to-point link. */
  readonly peer: IpAddress | undefined;
  /** IFA_F_HOMEADDRESS, IFA_F_MANAGETEMPADDR, IFA_F_MCAUTOJOIN. */
  readonly homeAddress: boolean;
  readonly manageTemporary: boolean;
  readonly autojoin: boolean;
  /** Priority 255: the address is the interface's own; it is never removed and never gets a lifetime (SAFETY S10, S16). */
  readonly owner: boolean;
}

export interface DesiredInstance {
  readonly name: string;
  /** The static addresses, routes and rules: they need no lease, and stand as long as the service runs. */
  readonly isStatic: boolean;
  /** In keepalived's order: `virtual_ipaddress`, then `virtual_ipaddress_excluded`. */
  readonly addresses: readonly ManagedAddress[];
  /** `virtual_routes`, then `virtual_rules`. */
  readonly routing: readonly ManagedRouting[];
  /** `use_vmac`, `use_ipvlan`: interfaces for these addresses alone. */
  readonly links: readonly VirtualLink[];
  /** False for `no_accept`: packets to the addresses are dropped. */
  readonly accepts: boolean;
  readonly garp: GarpSchedule;
  /** L of SAFETY S3: how long a restarted dataplane keeps what it finds, until election says whose it is. */
  readonly leaseLength: Micros;
  /** K of SAFETY S10 in seconds: how long the kernel keeps an address that nobody renews. */
  readonly kernelLease: number;
}

/** When its addresses are announced. */
export interface GarpSchedule extends GarpConfig {
  /** `garp_extra_if`: how often; 0: never. */
  readonly extraInterval: Micros;
  /** What is announced then: one address of each interface beside the one that adverts leave from. */
  readonly extraKeys: ReadonlySet<string>;
  /** The first address on each interface that has a virtual MAC: one frame from it tells switches where that is. */
  readonly virtualKeys: ReadonlySet<string>;
}

/** The pauses between announcements on one interface, or on those of a group together; 0: none. */
export interface Pauses {
  readonly garp: Micros;
  readonly gna: Micros;
  readonly groups: readonly {
    readonly interfaces: readonly string[];
    readonly garp: Micros | undefined;
    readonly gna: Micros | undefined;
  }[];
}

export interface Desired {
  readonly generation: number;
  readonly instances: ReadonlyMap<string, DesiredInstance>;
  /** Interfaces on which the kernel is to keep a subnet's other addresses when the first one goes. */
  readonly promoting: readonly string[];
  /** False above `kernelLeaseAddressesMax`: renewals of so many addresses would flood every netlink listener (SAFETY S10). */
  readonly kernelLease: boolean;
  readonly pauses: Pauses;
  /** How packets are filtered for `no_accept` and `use_vmac`. */
  readonly filter: FilterSettings;
  /** False for `disable_local_igmp`. */
  readonly localIgmp: boolean;
  /** `drift.repairs` of baton.yaml: how often in a minute an object that somebody takes away is put back (SAFETY S9). */
  readonly repairsMax: number;
}

export const kernelLeaseAddressesMax = 1_000;

/** A lease of more than this is not believed, whoever claims it (SAFETY S3). */
export const leaseLengthMax: Micros = secondsToMicros(10);

/** The priority of whoever has the addresses as its own. */
const addressOwner = 255;

export const addressKey = (interfaceName: string, address: IpAddress, prefixLength: number): string =>
  `${interfaceName} ${address}/${prefixLength}`;

/** As the kernel would show them: nothing has to be made anew. */
export const isSameAddress = (a: ManagedAddress | undefined, b: ManagedAddress): boolean =>
  a !== undefined &&
  a.key === b.key &&
  a.label === b.label &&
  a.broadcast === b.broadcast &&
  a.scope === b.scope &&
  a.noPrefixRoute === b.noPrefixRoute &&
  a.peer === b.peer &&
  a.homeAddress === b.homeAddress &&
  a.manageTemporary === b.manageTemporary &&
  a.autojoin === b.autojoin;

type Wanting = Pick<Config, "instances" | "global"> &
  Partial<Pick<Config, "staticAddresses" | "staticRoutes" | "staticRules" | "garpGroups">>;

export function desiredFrom(generation: number, config: Wanting, settings?: Pick<Settings, "drift">): Desired {
  const links = virtualLinks(config);
  const instances = config.instances.map((instance) => desiredInstance(instance, links.get(instance.name)));
  const count = instances.reduce((sum, { addresses }) => sum + addresses.length, 0);
  const promoting = config.instances.filter(({ promoteSecondaries }) => promoteSecondaries);
  const { firewall, vrrp } = config.global;
  return {
    generation,
    // Static ones first: an instance's routes may lead through them.
    instances: new Map([...staticInstance(config), ...instances].map((instance) => [instance.name, instance])),
    promoting: [...new Set(promoting.flatMap((instance) => instance.interface))],
    kernelLease: count <= kernelLeaseAddressesMax,
    pauses: pausesOf(config),
    filter: { priority: firewall.nftables?.priority ?? -1, counters: firewall.nftables?.counters ?? false },
    localIgmp: !vrrp.disableLocalIgmp,
    repairsMax: settings?.drift?.repairs ?? repairsMax,
  };
}

/** None without static lines. */
function staticInstance({ staticAddresses = [], staticRoutes = [], staticRules = [] }: Wanting): DesiredInstance[] {
  if (staticAddresses.length + staticRoutes.length + staticRules.length === 0) return [];
  const owner = { name: staticName, priority: 0 };
  const never = micros(0);
  return [
    {
      name: staticName,
      isStatic: true,
      addresses: withoutTwins(staticAddresses.map((line) => managedAddress(owner, line, line.interface))),
      routing: managedRouting(staticName, { routes: staticRoutes, rules: staticRules }),
      links: [],
      accepts: true,
      garp: {
        delay: never,
        repeat: 1,
        refresh: never,
        refreshRepeat: 1,
        lowerPriorityDelay: never,
        lowerPriorityRepeat: 0,
        extraInterval: never,
        extraKeys: new Set(),
        virtualKeys: new Set(),
      },
      leaseLength: never,
      kernelLease: 0,
    },
  ];
}

/** The same address on two lines is one address in the kernel. */
function withoutTwins(managed: readonly ManagedAddress[]): ManagedAddress[] {
  const addresses = new Map<string, ManagedAddress>();
  for (const address of managed) if (!addresses.has(address.key)) addresses.set(address.key, address);
  return [...addresses.values()];
}

const pausesOf = ({ global: { vrrp }, garpGroups = [] }: Wanting): Pauses => ({
  garp: vrrp.garpInterval,
  gna: vrrp.gnaInterval,
  groups: garpGroups.map(({ interfaces, garpInterval: garp, gnaInterval: gna }) => ({ interfaces, garp, gna })),
});

/**
 * keepalived's vrrp_send_vmac_update: the first address on each interface made for the instance, with `all` on any, except
 * where the adverts leave from.
 */
function extraKeysOf(
  { garpExtra, interface: on, vmac }: InstanceConfig,
  addresses: readonly ManagedAddress[],
  links: InstanceLinks | undefined,
): ReadonlySet<string> {
  const own = vmac?.transmitBase === true ? undefined : (links?.adverts ?? on);
  const made = new Set(links?.links.map(({ name }) => name));
  return firstKeys(addresses, (name) => name !== own && (garpExtra.all || made.has(name)));
}

function virtualKeysOf(addresses: readonly ManagedAddress[], links: readonly VirtualLink[]): ReadonlySet<string> {
  const made = new Set(links.flatMap(({ name, kind }) => (kind === "macvlan" ? [name] : [])));
  return firstKeys(addresses, (name) => made.has(name));
}

/** Of the first address on each interface that is asked for. */
function firstKeys(addresses: readonly ManagedAddress[], isAsked: (on: string) => boolean): ReadonlySet<string> {
  const first = new Map<string, string>();
  for (const { interface: name, key } of addresses) if (isAsked(name) && !first.has(name)) first.set(name, key);
  return new Set(first.values());
}

function desiredInstance(instance: InstanceConfig, links: InstanceLinks | undefined): DesiredInstance {
  const lines = [...instance.addresses, ...instance.excludedAddresses];
  const addresses = withoutTwins(
    lines.map((line) => managedAddress(instance, line, links?.interfaceOf(line) ?? line.interface)),
  );
  const extraKeys = extraKeysOf(instance, addresses, links);
  const extraInterval = extraKeys.size === 0 ? micros(0) : instance.garpExtra.interval;
  return {
    name: instance.name,
    isStatic: false,
    addresses,
    routing: managedRouting(instance.name, instance),
    links: links?.links ?? [],
    accepts: instance.accept || instance.priority === addressOwner,
    garp: { ...instance.garp, extraInterval, extraKeys, virtualKeys: virtualKeysOf(addresses, links?.links ?? []) },
    leaseLength: leaseLength(instance),
    kernelLease: kernelLeaseSeconds(instance),
  };
}

type Owner = { readonly name: string; readonly priority: number };

const managedAddress = (instance: Owner, line: VirtualAddressConfig, on: string): ManagedAddress => ({
  key: addressKey(on, line.address, line.prefixLength),
  instance: instance.name,
  address: line.address,
  family: ipFamily(line.address),
  prefixLength: line.prefixLength,
  interface: on,
  label: line.label,
  broadcast: line.broadcast,
  scope: line.scope,
  noPrefixRoute: line.noPrefixRoute,
  detectDuplicates: line.detectDuplicates,
  preferredLifetime: line.preferredLifetime === undefined ? undefined : Math.floor(toSeconds(line.preferredLifetime)),
  peer: line.peer,
  homeAddress: line.homeAddress,
  manageTemporary: line.manageTemporary,
  autojoin: line.autojoin,
  owner: instance.priority === addressOwner,
});
