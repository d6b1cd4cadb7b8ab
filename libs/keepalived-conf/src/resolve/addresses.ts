// The addresses of an instance together: their family, duplicates, and what fits into an advert.
import { type IpAddress, ipFamily } from "@baton/domain";
import type { UnicastPeerConfig, VirtualAddressConfig } from "../config.ts";
import { virtualAddressForm, virtualAddressOptions } from "../keywords/address-options.ts";
import { peerAddress, peerForm, peerOptions } from "../keywords/peer-options.ts";
import type { Entry } from "../keywords/table.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import type { Place } from "../report.ts";
import { type EntryContext, type OptionValue, optionValue, readEntry } from "../syntax/entry.ts";
import { type Block, entries, isSet, setting, settings } from "../syntax/tree.ts";
import { type AddressLine, parseAddressLine } from "./address.ts";
import { adjust, advise, reject } from "./context.ts";

const { keywords } = vrrpInstance;

export interface InstanceAddresses {
  readonly family: 4 | 6;
  readonly addresses: readonly VirtualAddressConfig[];
  /** Of the addresses, in their order. */
  readonly places: readonly Place[];
  readonly excludedAddresses: readonly VirtualAddressConfig[];
  /** Those that have no interface to be on. */
  readonly homeless: readonly AddressLine[];
  readonly sourceAddress: IpAddress | undefined;
  readonly unicastPeers: readonly UnicastPeerConfig[];
  /** Where in the file the family was known first; Infinity: nothing says it. */
  readonly familyOrder: number;
}

/** Something that says which family the instance is of. */
export interface FamilyHint {
  readonly family: 4 | 6;
  readonly order: number;
}

/** Something with an address, and where in the file it stands. */
interface Found {
  readonly address: IpAddress;
  readonly order: number;
}

export function resolveAddresses(
  block: Block<string>,
  ownInterface: string | undefined,
  context: EntryContext,
  hints: readonly FamilyHint[] = [],
): InstanceAddresses {
  const parse = (lines: readonly Entry[]) =>
    lines.map((entry) => parseAddressLine(entry, virtualAddressForm, context)).filter((line) => line !== undefined);
  const virtual = parse(entries(block, keywords.virtualAddresses));
  const excluded = parse(entries(block, keywords.excludedAddresses));
  const peers = entries(block, keywords.unicastPeer).flatMap((entry) => parsePeer(entry, context) ?? []);
  const sources = sourcesOf(block);
  const groups = settings(block, keywords.multicastGroup).map(({ value, order }) => ({ address: value, order }));
  const { family, order: familyOrder } = firstFamily([
    ...[...virtual.map(toFound), ...peers, ...sources, ...groups].map(toHint),
    ...hints,
  ]);
  const { advertised, others } = withoutDuplicates(ofFamily(family, virtual, context), excluded, context);
  const hasHome = (line: AddressLine): boolean => line.interface !== undefined || ownInterface !== undefined;
  const held = advertised.filter(hasHome);
  const [first] = advertised;
  if (family === 6 && first !== undefined && !first.address.startsWith("fe80:")) {
    const message = "the first IPv6 address should be a link-local one (RFC 9568 section 5.1.2.2)";
    advise(context, first.entry.at(), "ipv6-link-local", message);
  }
  const carrier: Carrier = {
    interface: ownInterface,
    family,
    vmac: settings(block, keywords.useVmac).length > 0,
    elsewhere: isSet(block, keywords.useVmacAddress),
  };
  const toConfig = ({ entry, read, ...line }: AddressLine): VirtualAddressConfig => {
    const place = { ...line, interface: line.interface ?? ownInterface ?? "" };
    return { ...place, vmac: resolveVmac(place, optionValue(read, virtualAddressOptions.useVmac), carrier, context) };
  };
  return {
    family,
    addresses: held.map(toConfig),
    places: held.map(({ entry }) => entry.at()),
    excludedAddresses: others.filter(hasHome).map(toConfig),
    homeless: [...advertised, ...others].filter((line) => !hasHome(line)),
    sourceAddress: resolveSource(sources, family, context),
    unicastPeers: resolvePeers(peers, family, context),
    familyOrder,
  };
}

/** What an instance has to put addresses on. */
interface Carrier {
  readonly interface: string | undefined;
  readonly family: 4 | 6;
  /** `use_vmac`: for what is on its interface and of its family. */
  readonly vmac: boolean;
  /** `use_vmac_addr`: for the rest. */
  readonly elsewhere: boolean;
}

function resolveVmac(
  { address, interface: name }: Pick<VirtualAddressConfig, "address" | "interface">,
  asked: OptionValue<true> | undefined,
  carrier: Carrier,
  context: EntryContext,
): VirtualAddressConfig["vmac"] {
  const own = name === carrier.interface;
  const kin = ipFamily(address) === carrier.family;
  const without = own && kin ? carrier.vmac : carrier.elsewhere;
  if (asked !== undefined && without) {
    const because = own && kin ? "use_vmac" : "use_vmac_addr";
    adjust(context, asked.place, "vmac", `${because} of the instance says it already`, { hint: "remove one of them" });
  }
  if (own && kin && carrier.vmac) return "instance";
  return asked !== undefined || without ? "own" : "none";
}

const toFound = ({ address, entry }: AddressLine): Found => ({ address, order: entry.order });

const toHint = ({ address, order }: Found): FamilyHint => ({ family: ipFamily(address), order });

/** What stands first in the block decides. */
const firstFamily = (hints: readonly FamilyHint[]): FamilyHint =>
  hints.toSorted((a, b) => a.order - b.order)[0] ?? { family: 4, order: Number.POSITIVE_INFINITY };

function ofFamily(family: 4 | 6, lines: readonly AddressLine[], context: EntryContext): AddressLine[] {
  return lines.filter(({ address, entry }) => {
    const fits = ipFamily(address) === family;
    const message = `${address} is not of the family of the others (IPv${family}) and is left out`;
    if (!fits) reject(context, entry.at(), "address-family", message, "put it into virtual_ipaddress_excluded");
    return fits;
  });
}

/** The same address may be advertised, and held on other interfaces too. */
function withoutDuplicates(
  advertised: readonly AddressLine[],
  others: readonly AddressLine[],
  context: EntryContext,
): { readonly advertised: AddressLine[]; readonly others: AddressLine[] } {
  const lines = [
    ...advertised.map((line) => ({ line, excluded: false })),
    ...others.map((line) => ({ line, excluded: true })),
  ].toSorted((a, b) => a.line.entry.order - b.line.entry.order);
  const seen = new Map<IpAddress, string>();
  const held = new Set<string>();
  const kept: typeof lines = [];
  for (const each of lines) {
    const { address, interface: name = "", entry } = each.line;
    const advertisedOn = seen.get(address);
    if (held.has(`${address} ${name}`) || (each.excluded ? advertisedOn === name : advertisedOn !== undefined)) {
      reject(context, entry.at(), "address-duplicate", `${address} is there already; this line is ignored`);
      continue;
    }
    if (each.excluded) held.add(`${address} ${name}`);
    else seen.set(address, name);
    kept.push(each);
  }
  const pick = (excluded: boolean) => kept.filter((each) => each.excluded === excluded).map(({ line }) => line);
  return { advertised: pick(false), others: pick(true) };
}

interface Source extends Found {
  readonly place: Place;
}

/** In the order of the file. The address of `use_ipvlan` is one where none stands above it. */
function sourcesOf(block: Block<string>): Source[] {
  const written = [...settings(block, keywords.sourceAddress), ...settings(block, keywords.unicastSource)]
    .map(({ value, order, place }) => ({ address: value, order, place }))
    .toSorted((a, b) => a.order - b.order);
  const ipvlan = setting(block, keywords.useIpvlan);
  const address = ipvlan?.value.address?.address;
  const [first] = written;
  if (ipvlan === undefined || address === undefined || (first !== undefined && first.order < ipvlan.order))
    return written;
  return [{ address, order: ipvlan.order, place: ipvlan.place }, ...written];
}

function resolveSource(sources: readonly Source[], family: 4 | 6, context: EntryContext): IpAddress | undefined {
  const source = sources.at(-1);
  if (source === undefined || ipFamily(source.address) === family) return source?.address;
  const message = `the source address ${source.address} is not of the family of the virtual addresses; it is ignored`;
  reject(context, source.place, "address-family", message);
  return undefined;
}

interface PeerLine extends UnicastPeerConfig, Found {
  readonly place: Place;
}

function parsePeer(entry: Entry, context: EntryContext): PeerLine | undefined {
  const read = readEntry(entry, peerForm, context);
  const address = read && optionValue(read, peerAddress);
  if (read === undefined || address === undefined) return undefined;
  const minTtl = optionValue(read, peerOptions.minTtl)?.value ?? 0;
  const maxTtl = optionValue(read, peerOptions.maxTtl)?.value ?? 255;
  return { address: address.value, minTtl, maxTtl, order: entry.order, place: entry.at() };
}

function resolvePeers(lines: readonly PeerLine[], family: 4 | 6, context: EntryContext): UnicastPeerConfig[] {
  const peers = new Map<IpAddress, UnicastPeerConfig>();
  for (const { address, minTtl, maxTtl, place } of lines) {
    if (ipFamily(address) !== family) {
      const message = `the peer ${address} is not of the family of the virtual addresses and is left out`;
      reject(context, place, "address-family", message);
    } else if (peers.has(address)) {
      reject(context, place, "address-duplicate", `${address} is a peer already; this line is ignored`);
    } else {
      peers.set(address, { address, minTtl, maxTtl });
      if (minTtl > maxTtl)
        adjust(context, place, "peer-ttl", `no TTL is both ${minTtl} or more and ${maxTtl} or less: nothing is heard`);
    }
  }
  return [...peers.values()];
}
