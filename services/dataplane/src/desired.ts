// What the configuration wants of the kernel: the virtual addresses of each instance, flat, with what decides about
// them. The only file here that knows keepalived's configuration.
import { type IpAddress, ipFamily, type Micros, secondsToMicros, toSeconds } from "@baton/domain";
import {
  type Config,
  type GarpConfig,
  type InstanceConfig,
  type InstanceLinks,
  type VirtualAddressConfig,
  type VirtualLink,
  virtualLinks,
} from "@baton/keepalived-conf";
import { kernelLeaseSeconds, leaseLength } from "@baton/vrrp";
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
  /** Priority 255: the address is the interface's own; it is never removed and never gets a lifetime (SAFETY S10, S16). */
  readonly owner: boolean;
}

export interface DesiredInstance {
  readonly name: string;
  /** In keepalived's order: `virtual_ipaddress`, then `virtual_ipaddress_excluded`. */
  readonly addresses: readonly ManagedAddress[];
  /** `virtual_routes`, then `virtual_rules`. */
  readonly routing: readonly ManagedRouting[];
  /** `use_vmac`, `use_ipvlan`: interfaces for these addresses alone. */
  readonly links: readonly VirtualLink[];
  /** False for `no_accept`: packets to the addresses are dropped. */
  readonly accepts: boolean;
  readonly garp: GarpConfig;
  /** L of SAFETY S3: how long a restarted dataplane keeps what it finds, until election says whose it is. */
  readonly leaseLength: Micros;
  /** K of SAFETY S10 in seconds: how long the kernel keeps an address that nobody renews. */
  readonly kernelLease: number;
}

export interface Desired {
  readonly generation: number;
  readonly instances: ReadonlyMap<string, DesiredInstance>;
  /** False above `kernelLeaseAddressesMax`: renewals of so many addresses would flood every netlink listener (SAFETY S10). */
  readonly kernelLease: boolean;
  /** How packets are filtered for `no_accept` and `use_vmac`. */
  readonly filter: FilterSettings;
  /** False for `disable_local_igmp`. */
  readonly localIgmp: boolean;
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
  a.noPrefixRoute === b.noPrefixRoute;

export function desiredFrom(generation: number, config: Pick<Config, "instances" | "global">): Desired {
  const links = virtualLinks(config);
  const instances = new Map(
    config.instances.map((instance) => [instance.name, desiredInstance(instance, links.get(instance.name))]),
  );
  const count = [...instances.values()].reduce((sum, { addresses }) => sum + addresses.length, 0);
  const { firewall, vrrp } = config.global;
  return {
    generation,
    instances,
    kernelLease: count <= kernelLeaseAddressesMax,
    filter: { priority: firewall.nftables?.priority ?? -1, counters: firewall.nftables?.counters ?? false },
    localIgmp: !vrrp.disableLocalIgmp,
  };
}

function desiredInstance(instance: InstanceConfig, links: InstanceLinks | undefined): DesiredInstance {
  const addresses = new Map<string, ManagedAddress>();
  for (const line of [...instance.addresses, ...instance.excludedAddresses]) {
    const managed = managedAddress(instance, line, links?.interfaceOf(line) ?? line.interface);
    // The same address on two lines is one address in the kernel.
    if (!addresses.has(managed.key)) addresses.set(managed.key, managed);
  }
  return {
    name: instance.name,
    addresses: [...addresses.values()],
    routing: managedRouting(instance.name, instance),
    links: links?.links ?? [],
    accepts: instance.accept || instance.priority === addressOwner,
    garp: instance.garp,
    leaseLength: leaseLength(instance),
    kernelLease: kernelLeaseSeconds(instance),
  };
}

const managedAddress = (instance: InstanceConfig, line: VirtualAddressConfig, on: string): ManagedAddress => ({
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
  owner: instance.priority === addressOwner,
});
