// `virtual_server` and its group → the services of the kernel that carry it: one for each address of a range and for
// each firewall mark.
import { assert, type IpAddress, ipFamily, ipFromBytes, ipToBytes } from "@baton/domain";
import type { VirtualServerConfig, VirtualServerGroupConfig, VirtualServerGroupEntry } from "@baton/keepalived-conf";
import type { ServiceKey } from "./model.ts";

/** More addresses of one range than this are not carried out: an IPv6 range would fill every memory. */
export const rangeMax = 65_536;

export interface ServiceKeys {
  readonly keys: readonly ServiceKey[];
  /** Ranges of more than `rangeMax` addresses: left out as a whole. */
  readonly tooWide: readonly AddressRange[];
}

export interface AddressRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

/** In the order of the file. Of a group that is not there: none. */
export function serviceKeys(
  server: Pick<VirtualServerConfig, "id" | "family" | "protocol">,
  groups: ReadonlyMap<string, VirtualServerGroupConfig>,
): ServiceKeys {
  const { id, family } = server;
  // What has an address has a protocol, UDP if the file says none; the configuration sees to it.
  const protocol = server.protocol ?? "udp";
  if (id.kind === "fwmark") return one({ kind: "fwmark", family: family ?? 4, mark: id.mark });
  if (id.kind === "address") {
    const { address, port } = id;
    return one({ kind: "address", family: ipFamily(address), protocol, address, port });
  }
  const keys: ServiceKey[] = [];
  const tooWide: AddressRange[] = [];
  for (const entry of groups.get(id.name)?.entries ?? []) {
    if (entry.kind === "fwmark") {
      // On every packet that nobody has marked: the kernel has no such service, and nobody means it.
      if (entry.mark === 0) continue;
      keys.push({ kind: "fwmark", family: entry.family ?? family ?? 4, mark: entry.mark });
      continue;
    }
    const addresses = addressesOf(entry);
    if (addresses === undefined) tooWide.push({ first: entry.first, last: entry.last });
    for (const address of addresses ?? []) {
      keys.push({ kind: "address", family: ipFamily(address), protocol, address, port: entry.port });
    }
  }
  return { keys, tooWide };
}

const one = (key: ServiceKey): ServiceKeys => ({ keys: [key], tooWide: [] });

/** Undefined: more than `rangeMax`. */
function addressesOf({
  first,
  last,
}: VirtualServerGroupEntry & { readonly kind: "range" }): readonly IpAddress[] | undefined {
  const bytes = ipToBytes(first);
  const end = ipToBytes(last);
  assert(bytes.length === end.length, `a range has one family: ${first} to ${last}`);
  const addresses: IpAddress[] = [];
  const size = distance(bytes, end);
  if (size >= rangeMax) return undefined;
  for (let i = 0; i <= size; i++) {
    addresses.push(ipFromBytes(bytes));
    increment(bytes);
  }
  return addresses;
}

/** From `first` to `last`, negative if it is before; beyond 2^53 not exact, and far above any limit. */
const distance = (first: Uint8Array, last: Uint8Array): number =>
  last.reduce((sum, byte, i) => sum * 256 + byte - (first[i] ?? 0), 0);

function increment(bytes: Uint8Array): void {
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = ((bytes[i] ?? 0) + 1) & 0xff;
    if (bytes[i] !== 0) return;
  }
}
