// One line of `virtual_ipaddress` and its like → an address with its options.
import { type IpAddress, ipFamily, ipToBytes, type Micros, micros, parseIp } from "@baton/domain";
import type { VirtualAddressConfig } from "../config.ts";
import {
  addressPrefix,
  type staticAddressForm,
  type virtualAddressForm,
  virtualAddressOptions,
} from "../keywords/address-options.ts";
import type { Prefix } from "../keywords/prefix-arguments.ts";
import type { Entry, Option } from "../keywords/table.ts";
import {
  type EntryContext,
  isOf,
  type OptionValue,
  optionValue,
  optionValues,
  type ReadEntry,
  readEntry,
} from "../syntax/entry.ts";
import { adjust, reject } from "./context.ts";

/** Before the instance's own interface fills what the line leaves open. */
export interface AddressLine extends Omit<VirtualAddressConfig, "interface" | "vmac"> {
  readonly interface: string | undefined;
  readonly entry: Entry;
  readonly read: ReadEntry;
}

const options = virtualAddressOptions;

/** undefined: the line holds no usable address; reported. */
export function parseAddressLine(
  entry: Entry,
  form: typeof virtualAddressForm | typeof staticAddressForm,
  context: EntryContext,
): AddressLine | undefined {
  const read = readEntry(entry, form, context, {
    value: (given, [first]) => checkBroadcast(given, first, context),
  });
  const prefix = read && optionValue(read, addressPrefix);
  if (read === undefined || prefix === undefined) return undefined;
  const { address } = prefix.value;
  const peer = resolvePeer(read, prefix.value, context);
  const prefixLength = peer === undefined ? prefix.value.prefixLength : bitsOf(address);
  const has = (option: Option<true>): boolean => optionValue(read, option) !== undefined;
  return {
    address,
    prefixLength,
    interface: optionValue(read, options.device)?.value,
    ...resolveOnly4(read, address, context),
    broadcast: resolveBroadcast(read, { address, prefixLength, peer }, context),
    peer,
    preferredLifetime: resolveLifetime(read, address, prefixLength),
    noPrefixRoute: has(options.noPrefixRoute),
    homeAddress: has(options.home),
    detectDuplicates: has(options.withoutNoDad),
    manageTemporary: has(options.manageTemporary),
    autojoin: has(options.autojoin),
    tracked: !has(options.noTrack),
    entry,
    read,
  };
}

const bitsOf = (address: IpAddress): number => (ipFamily(address) === 4 ? 32 : 128);

/** IPv6 has no broadcast; keepalived drops an address that asks for one. */
function checkBroadcast(
  given: OptionValue<unknown>,
  first: OptionValue<unknown> | undefined,
  context: EntryContext,
): boolean {
  if (!isOf(given, options.broadcast) || first === undefined || !isOf(first, addressPrefix)) return true;
  const { address } = first.value;
  if (ipFamily(address) === 4) return true;
  const message = `the IPv6 address ${address} cannot have a broadcast address; the line is left out`;
  reject(context, given.place, "broadcast", message, `remove ${given.word.text}`);
  return false;
}

function resolveOnly4(
  read: ReadEntry,
  address: IpAddress,
  context: EntryContext,
): Pick<VirtualAddressConfig, "label" | "scope"> {
  const label = optionValue(read, options.label);
  const scope = optionValue(read, options.scope);
  if (ipFamily(address) === 4) return { label: label?.value, scope: scope?.value ?? 0 };
  if (label !== undefined)
    adjust(context, label.place, "address-label", "IPv6 addresses have no labels; it is ignored");
  if (scope !== undefined && scope.value !== 0)
    adjust(context, scope.place, "scope", "the kernel sets the scope of IPv6 addresses itself; it is ignored");
  return { label: undefined, scope: 0 };
}

/** The first that is of the address's family. */
function resolvePeer(read: ReadEntry, { address, prefixLength }: Prefix, context: EntryContext): IpAddress | undefined {
  let found: IpAddress | undefined;
  for (const { value: peer, place } of optionValues(read, options.peer)) {
    if (found !== undefined) reject(context, place, "repeated", `${address} has a peer already; this one is ignored`);
    else if (ipFamily(peer) !== ipFamily(address))
      reject(context, place, "address-family", `the peer ${peer} is of another family; it is ignored`);
    else {
      found = peer;
      if (prefixLength === bitsOf(address)) continue;
      const used = `${address} peer ${peer}`;
      adjust(context, place, "prefix-length", "an address with a peer has no network of its own", { used });
    }
  }
  return found;
}

/** keepalived's choice: a whole IPv6 address is there to be reached, not to send from (RFC 6724 section 5). */
function resolveLifetime(read: ReadEntry, address: IpAddress, prefixLength: number): Micros | undefined {
  if (ipFamily(address) === 4) return undefined;
  const given = optionValue(read, options.preferredLifetime)?.value;
  if (given === undefined) return prefixLength === 128 ? micros(0) : undefined;
  return given === "forever" ? undefined : given;
}

/** `+` sets all bits behind the prefix, `-` clears them. */
function resolveBroadcast(
  read: ReadEntry,
  { address, prefixLength, peer }: Pick<AddressLine, "address" | "prefixLength" | "peer">,
  context: EntryContext,
): IpAddress | undefined {
  const all = optionValues(read, options.broadcast);
  // keepalived computes it last, whatever else was written.
  const broadcast = all.findLast(({ value }) => value === "+" || value === "-") ?? all.at(-1);
  if (broadcast === undefined) return undefined;
  if (peer !== undefined) {
    adjust(context, broadcast.place, "broadcast", "an address with a peer has no broadcast address; it is ignored");
    return undefined;
  }
  const { value } = broadcast;
  if (value !== "+" && value !== "-") return value;
  if (prefixLength > 30) {
    const message = `/${prefixLength} leaves no room for a broadcast address; there is none`;
    adjust(context, broadcast.place, "broadcast", message);
    return undefined;
  }
  const bytes = [...ipToBytes(address)].map((byte, index) => {
    const hostBits = Math.min(8, Math.max(0, 8 * (index + 1) - prefixLength));
    const mask = 2 ** hostBits - 1;
    return value === "+" ? byte | mask : byte & ~mask;
  });
  return parseIp(bytes.join("."));
}
