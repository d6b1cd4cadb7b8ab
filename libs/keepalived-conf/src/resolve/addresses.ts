// The addresses of an instance together: their family, duplicates, and what fits into an advert.
import { type IpAddress, ipFamily, parseIp } from "@baton/domain";
import type { VirtualAddressConfig } from "../config.ts";
import { readNumber } from "../keywords/arguments.ts";
import type { Entry } from "../keywords/table.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { type Block, entries, settings } from "../syntax/tree.ts";
import { type AddressLine, parseAddressLine } from "./address.ts";
import { adjust, advise, type ResolveContext, reject } from "./context.ts";

const { keywords } = vrrpInstance;

/** "Count IPvX Addr" is one octet (RFC 9568 section 5.2.5). */
const advertisedMax = 255;

export interface InstanceAddresses {
  readonly family: 4 | 6;
  readonly addresses: readonly VirtualAddressConfig[];
  readonly excludedAddresses: readonly VirtualAddressConfig[];
  readonly sourceAddress: IpAddress | undefined;
  readonly unicastPeers: readonly IpAddress[];
}

interface Found {
  readonly address: IpAddress;
  readonly order: number;
}

export function resolveAddresses(
  block: Block<string>,
  ownInterface: string,
  context: ResolveContext,
  dynamicInterfaces: boolean,
): InstanceAddresses {
  const parse = (lines: readonly Entry[]) =>
    lines.map((entry) => parseAddressLine(entry, context, dynamicInterfaces)).filter((line) => line !== undefined);
  const virtual = parse(entries(block, keywords.virtualAddresses));
  const excluded = parse(entries(block, keywords.excludedAddresses));
  const peers = parsePeers(block, context);
  const sources = [...settings(block, keywords.sourceAddress), ...settings(block, keywords.unicastSource)].map(
    ({ value, order, place }) => ({ address: value, order, place }),
  );
  const groups = settings(block, keywords.multicastGroup).map(({ value, order }) => ({ address: value, order }));
  const family = firstFamily([
    ...virtual.map(({ address, entry }) => ({ address, order: entry.order })),
    ...peers,
    ...sources,
    ...groups,
  ]);
  const source = sources.toSorted((a, b) => a.order - b.order).at(-1);
  if (source !== undefined && ipFamily(source.address) !== family) {
    reject(
      context,
      source.place,
      "address-family",
      `the source address ${source.address} is not of the family of the virtual addresses; it is ignored`,
    );
  }
  const fitting = virtual.filter((line) => {
    const fits = ipFamily(line.address) === family;
    if (!fits)
      reject(
        context,
        line.entry.at(),
        "address-family",
        `${line.address} is not of the family of the others (IPv${family}) and is left out`,
        "put it into virtual_ipaddress_excluded",
      );
    return fits;
  });
  const distinct = withoutDuplicates(fitting, [], context);
  const moved = distinct.slice(advertisedMax);
  if (moved.length > 0) {
    adjust(
      context,
      moved[0]?.entry.at() ?? block.place,
      "too-many-addresses",
      `an advert has room for ${advertisedMax} addresses; ${moved.length} are treated as excluded`,
    );
  }
  if (family === 6 && distinct[0] !== undefined && !distinct[0].address.startsWith("fe80:")) {
    advise(
      context,
      distinct[0].entry.at(),
      "ipv6-link-local",
      "the first IPv6 address should be a link-local one (RFC 9568 section 5.1.2.2)",
    );
  }
  const toConfig = ({ entry: _entry, ...line }: AddressLine): VirtualAddressConfig => ({
    ...line,
    interface: line.interface ?? ownInterface,
  });
  return {
    family,
    addresses: distinct.slice(0, advertisedMax).map(toConfig),
    excludedAddresses: [...moved, ...withoutDuplicates(excluded, distinct, context)].map(toConfig),
    sourceAddress: source !== undefined && ipFamily(source.address) === family ? source.address : undefined,
    unicastPeers: peers.filter(({ address }) => ipFamily(address) === family).map(({ address }) => address),
  };
}

/** The first address of the block decides. */
function firstFamily(found: readonly Found[]): 4 | 6 {
  const first = found.toSorted((a, b) => a.order - b.order)[0];
  return first === undefined ? 4 : ipFamily(first.address);
}

function withoutDuplicates(
  lines: readonly AddressLine[],
  others: readonly AddressLine[],
  context: ResolveContext,
): AddressLine[] {
  const kept: AddressLine[] = [];
  for (const line of lines) {
    // The same address may be advertised here and held on another interface too.
    const twin =
      kept.some(
        (other) => other.address === line.address && (others.length === 0 || other.interface === line.interface),
      ) || others.some((other) => other.address === line.address && other.interface === line.interface);
    if (twin)
      reject(context, line.entry.at(), "address-duplicate", `${line.address} is there already; this line is ignored`);
    else kept.push(line);
  }
  return kept;
}

function parsePeers(block: Block<string>, context: ResolveContext): Found[] {
  const peers: Found[] = [];
  for (const entry of entries(block, keywords.unicastPeer)) {
    const [word, ...limits] = entry.words;
    const address = parseIp(word.text);
    if (address === undefined)
      reject(context, entry.at(), "address", `'${word.text}' is no IP address; this peer is left out`);
    else if (peers.some((peer) => peer.address === address))
      reject(context, entry.at(), "address-duplicate", `${address} is a peer already`);
    else peers.push({ address, order: entry.order });
    for (let i = 0; i < limits.length; i += 2) {
      const [name, limit] = [limits[i], limits[i + 1]];
      const known = name?.text === "min_ttl" || name?.text === "max_ttl";
      const { problem } = readNumber(limit?.text ?? "", { min: 0, max: 255, decimals: 0, strict: true });
      if (!known || problem !== undefined)
        reject(
          context,
          entry.at(name),
          "peer-option",
          `'${name?.text}' is not understood`,
          "write min_ttl N or max_ttl N, 0 to 255",
        );
    }
  }
  return peers;
}
