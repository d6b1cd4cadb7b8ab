// Which virtual router an instance is: interface, family, version, VRID and group, as its lines set them one after another.
import { type IpAddress, ipFamily, isVrid, type Vrid } from "@baton/domain";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { type Block, setting, settings } from "../syntax/tree.ts";
import { type FamilyHint, type InstanceAddresses, resolveAddresses } from "./addresses.ts";
import type { CommandContext } from "./command.ts";
import { adjust, advise, reject } from "./context.ts";
import { requireInterface } from "./interface.ts";
import { unicastPlace } from "./unicast.ts";

const { keywords } = vrrpInstance;

export interface Network extends InstanceAddresses {
  /** undefined: there is none, or none that can be used. */
  readonly interface: string | undefined;
  /** It needs an interface and has none; reported. */
  readonly interfaceMissing: boolean;
  readonly vrid: Vrid | undefined;
  readonly version: 2 | 3;
  /** undefined: adverts go to peers. */
  readonly multicastGroup: IpAddress | undefined;
}

export function resolveNetwork(block: Block<string>, strict: boolean, context: CommandContext): Network {
  const given = setting(block, keywords.virtualRouterId);
  const vrid = given !== undefined && isVrid(given.value) ? given.value : undefined;
  if (vrid === undefined) {
    const message = `vrrp_instance ${block.header} has no valid virtual_router_id`;
    reject(
      context,
      block.place,
      "vrid-missing",
      message,
      "keepalived would not start: write virtual_router_id 1 to 255",
    );
  }
  const name = resolveInterface(block, context);
  const entryContext = { ...context, dynamicInterfaces: context.defaults.dynamicInterfaces };
  const addresses = resolveAddresses(block, name, entryContext, familyHints(block));
  const interfaceMissing = name === undefined && !maySpeakWithout(block, addresses, context);
  for (const { address, entry } of interfaceMissing ? [] : addresses.homeless) {
    const message = `${address} has no interface, and neither has vrrp_instance ${block.header}; it is left out`;
    reject(context, entry.at(), "address-interface", message, `write ${address} dev NAME`);
  }
  return {
    ...addresses,
    interface: name,
    interfaceMissing,
    vrid,
    version: resolveVersion(block, addresses, strict, context),
    multicastGroup: resolveGroup(block, addresses, context),
  };
}

function resolveInterface(block: Block<string>, context: CommandContext): string | undefined {
  const given = settings(block, keywords.interface);
  for (const { value: name, place } of given) {
    requireInterface(name, place, context, context.defaults.dynamicInterfaces);
    if (name === "lo")
      reject(context, place, "loopback", "nobody hears adverts on a loopback interface; it is ignored");
  }
  const last = given.at(-1)?.value;
  return last === "lo" ? undefined : last;
}

/** Only with peers, and from an address that says which interface it is. */
function maySpeakWithout(block: Block<string>, addresses: InstanceAddresses, context: CommandContext): boolean {
  const name = `vrrp_instance ${block.header}`;
  const hint = "keepalived would not start: write interface NAME";
  if (unicastPlace(block) === undefined || settings(block, keywords.useVmac).length > 0) {
    reject(context, block.place, "interface-required", `${name} has no interface`, hint);
    return false;
  }
  const { sourceAddress, family } = addresses;
  if (sourceAddress !== undefined && !(family === 6 && /^fe[89ab]/.test(sourceAddress))) return true;
  const needed = family === 6 ? "a source address that is not link-local" : "a source address";
  reject(context, block.place, "interface-required", `${name} has neither an interface nor ${needed}`, hint);
  return false;
}

/** What says the family beside addresses: `native_ipv6`, and the address of `use_ipvlan`. */
const familyHints = (block: Block<string>): FamilyHint[] => [
  ...settings(block, keywords.nativeIpv6).map(({ order }) => ({ family: 6 as const, order })),
  ...settings(block, keywords.useIpvlan).flatMap(({ value: { address }, order }) =>
    address === undefined ? [] : { family: ipFamily(address.address), order },
  ),
];

/** Each line has to fit what is known when it is read. */
function resolveVersion(
  block: Block<string>,
  { family, familyOrder }: InstanceAddresses,
  strict: boolean,
  context: CommandContext,
): 2 | 3 {
  let version: 2 | 3 | undefined;
  const lines = [...settings(block, keywords.version), ...settings(block, keywords.nativeIpv6)];
  for (const { value: given, order, place } of lines.toSorted((a, b) => a.order - b.order)) {
    const known = order >= familyOrder ? family : undefined;
    if (given === true) {
      if (known === 4) reject(context, place, "address-family", "native_ipv6 with IPv4 addresses is ignored");
      else version = 3;
    } else if ((version !== undefined && version !== given) || (given === 2 && known === 6)) {
      const because = version === undefined ? "of IPv6" : "of what stands above";
      const used = `version ${version ?? 3}`;
      adjust(context, place, "version", `version ${given} is ignored because ${because}`, { used });
    } else version = given === 3 ? 3 : 2;
  }
  if (family === 4) return version ?? context.defaults.version;
  if (version !== 2) return 3;
  const place = setting(block, keywords.version)?.place ?? block.place;
  if (strict) {
    adjust(context, place, "strict", "strict: VRRPv2 has no IPv6 (RFC 3768)", { used: "version 3" });
    return 3;
  }
  const hint = "only keepalived speaks it so; write version 3 on all routers of the group";
  advise(context, place, "version", "version 2 with IPv6: VRRPv2 has no IPv6 (RFC 3768)", hint);
  return 2;
}

function resolveGroup(
  block: Block<string>,
  { family, unicastPeers }: InstanceAddresses,
  context: CommandContext,
): IpAddress | undefined {
  const { multicastGroup4, multicastGroup6 } = context.defaults;
  const own = setting(block, keywords.multicastGroup);
  const inherited = family === 4 ? multicastGroup4 : multicastGroup6;
  if (own !== undefined && ipFamily(own.value) !== family) {
    const message = `mcast_dst_ip ${own.value} is not of the family of the virtual addresses`;
    reject(context, own.place, "address-family", message);
  } else if (own !== undefined && unicastPeers.length > 0)
    adjust(context, own.place, "multicast-group", "mcast_dst_ip has no effect: adverts go to peers");
  else if (own !== undefined) return own.value;
  return unicastPeers.length > 0 ? undefined : inherited;
}
