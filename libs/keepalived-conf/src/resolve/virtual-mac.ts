// Interfaces that an instance is to have for itself: `use_vmac`, `use_ipvlan`.
import { ipFamily } from "@baton/domain";
import type { IpvlanConfig, VmacConfig } from "../config.ts";
import { knownNames } from "../keywords/number-names.ts";
import { low, unsigned } from "../keywords/option-arguments.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import type { Place } from "../report.ts";
import type { Word } from "../source/words.ts";
import { type Block, isSet, setting, settings } from "../syntax/tree.ts";
import { adjust, type ResolveContext, reject } from "./context.ts";

const { keywords } = vrrpInstance;

export interface VirtualMacContext extends ResolveContext {
  readonly family: 4 | 6;
  readonly strict: boolean;
  readonly vrid: number;
  readonly hasInterface: boolean;
  /** Any keyword of unicast is there. */
  readonly unicast: boolean;
  /** Names of such interfaces, and whose they are; the instance's own is added. */
  readonly names: Map<string, string>;
}

export interface VirtualMac {
  readonly vmac: VmacConfig | undefined;
  readonly ipvlan: IpvlanConfig | undefined;
}

export function resolveVirtualMac(block: Block<string>, context: VirtualMacContext): VirtualMac {
  const line = setting(block, keywords.useVmac) ?? setting(block, keywords.useIpvlan);
  const transmitBase = setting(block, keywords.vmacTransmitBase);
  if (line !== undefined && context.unicast && !context.hasInterface) {
    reject(context, line.place, "vmac", `${line.keyword.name} needs an interface when there are peers; it is ignored`);
    return { vmac: undefined, ipvlan: undefined };
  }
  const base = resolveTransmitBase(block, transmitBase?.place, context);
  if (isSet(block, keywords.promoteSecondaries) && line !== undefined) {
    const place = setting(block, keywords.promoteSecondaries)?.place ?? line.place;
    adjust(context, place, "vmac", `promote_secondaries goes without saying with ${line.keyword.name}`);
  }
  return { vmac: resolveVmac(block, base, context), ipvlan: resolveIpvlan(block, context) };
}

/** Where adverts go out: with peers only the interface below can send them. */
function resolveTransmitBase(block: Block<string>, given: Place | undefined, context: VirtualMacContext): boolean {
  const vmac = setting(block, keywords.useVmac);
  const own = vmac ?? setting(block, keywords.useIpvlan);
  if (own !== undefined && context.unicast && given === undefined) {
    const message = `${own.keyword.name} with peers sends over the interface below`;
    adjust(context, own.place, "vmac", message, { used: "vmac_xmit_base" });
    return vmac !== undefined;
  }
  if (given === undefined) return false;
  if (vmac === undefined) adjust(context, given, "vmac", "vmac_xmit_base without use_vmac is ignored");
  else if (context.strict) adjust(context, given, "strict", "strict: vmac_xmit_base is ignored");
  return vmac !== undefined && !context.strict;
}

function resolveVmac(block: Block<string>, transmitBase: boolean, context: VirtualMacContext): VmacConfig | undefined {
  const lines = settings(block, keywords.useVmac);
  const [first] = lines;
  if (first === undefined) return undefined;
  const words = lines.map(({ value }) => value);
  const mac = words.find((line) => line.mac !== undefined)?.mac;
  if (mac !== undefined && context.strict)
    adjust(context, first.place, "strict", "strict: the MAC address is the one that VRRP has", { used: "use_vmac" });
  const name = words.find((line) => line.name !== undefined)?.name;
  return {
    name: takeName(name, "macvlan", block, first.place, context),
    mac: mac === undefined || context.strict ? undefined : showMac(mac.octets, context.vrid),
    transmitBase,
    addresses: isSet(block, keywords.useVmacAddress),
    netlinkNotify: words.some((line) => line.netlinkNotify),
    group: groupOf(words.findLast((line) => line.group !== undefined)?.group, first.place, context),
  };
}

const showMac = (octets: readonly number[], vrid: number): string =>
  (octets.length === 5 ? [...octets, vrid] : octets).map((octet) => octet.toString(16).padStart(2, "0")).join(":");

function resolveIpvlan(block: Block<string>, context: VirtualMacContext): IpvlanConfig | undefined {
  const given = setting(block, keywords.useIpvlan);
  if (given === undefined) return undefined;
  const { name, address, mode, group } = given.value;
  const fits = address !== undefined && ipFamily(address.address) === context.family;
  if (address !== undefined && !fits)
    reject(context, given.place, "address-family", `${address.address} is not of the family of the virtual addresses`);
  if (context.family === 4 && (address === undefined || !fits)) {
    const message = "use_ipvlan needs an address of its own for IPv4; the instance stays in fault";
    reject(context, given.place, "ipvlan-address", message, "write use_ipvlan ADDR");
  }
  return {
    name: takeName(name, "ipvlan", block, given.place, context),
    address: fits ? address : undefined,
    mode,
    group: groupOf(group, given.place, context),
  };
}

/** Two instances cannot have one such interface; the second gets another name. */
function takeName(
  name: string | undefined,
  kind: "macvlan" | "ipvlan",
  block: Block<string>,
  place: Place,
  { names, ...context }: VirtualMacContext,
): string | undefined {
  if (name === undefined) return undefined;
  const owner = names.get(name);
  const existing = context.machine.linkKind?.(name);
  const own = setting(block, keywords.interface)?.value === name;
  if (owner !== undefined)
    reject(context, place, "vmac-name", `${name} is ${owner}'s interface already; the name is ignored`);
  else if (own || (existing !== undefined && existing !== kind))
    reject(context, place, "vmac-name", `${name} is there, and no ${kind}; the name is ignored`);
  else {
    names.set(name, block.header);
    return name;
  }
  return undefined;
}

function groupOf(word: Word | undefined, place: Place, context: ResolveContext): number | undefined {
  if (word === undefined) return undefined;
  const number = unsigned(word.text);
  const group =
    number === undefined
      ? (context.machine.numberOfName?.("group", word.text) ?? knownNames.group.get(word.text))
      : low(number, 32);
  if (group === undefined)
    reject(context, place, "group-unknown", `there is no group of interfaces ${word.text}; it is ignored`);
  return group;
}
