// How many addresses an advert has room for: what does not fit into one packet of the interface is held without being
// advertised, as on keepalived, so that all routers of a group advertise the same.
import type { VirtualAddressConfig } from "../config.ts";
import type { Place } from "../report.ts";
import { adjust, type ResolveContext } from "./context.ts";

/** "Count IPvX Addr" is one octet (RFC 9568 section 5.2.5). */
const countMax = 255;

/** RFC 894: what an interface carries of which nothing else is known. */
const ethernetMtu = 1500;

/** keepalived subtracts the header of the link, too, though the MTU is without it. */
const linkHeader = 14;
const ipHeader = { 4: 20, 6: 40 } as const;
const addressLength = { 4: 4, 6: 16 } as const;
const vrrpHeader = 8;
/** RFC 2338 section 5.3.10, carried on in RFC 3768. */
const v2Authentication = 8;
/** With 96 bits of HMAC (RFC 2402 section 2, RFC 2403). */
const ahHeader = 24;
const hmacTrailer = 28;

export interface AdvertShape {
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly ah: boolean;
  /** `auth_hmac`. */
  readonly signed: boolean;
  /** undefined: adverts go out where the routing table says. */
  readonly interface: string | undefined;
}

function roomOf({ family, version, ah, signed, interface: name }: AdvertShape, { machine }: ResolveContext): number {
  const mtu = (name === undefined ? undefined : machine.mtu?.(name)) ?? ethernetMtu;
  const headers = linkHeader + ipHeader[family] + vrrpHeader + (signed ? hmacTrailer : 0);
  const v2 = family === 4 && version === 2 ? v2Authentication + (ah ? ahHeader : 0) : 0;
  const room = Math.floor((mtu - headers - v2) / addressLength[family]);
  return Math.max(0, Math.min(countMax, room));
}

interface Addresses {
  readonly addresses: readonly VirtualAddressConfig[];
  /** Of the addresses, in their order. */
  readonly places: readonly Place[];
  readonly excludedAddresses: readonly VirtualAddressConfig[];
}

/** What does not fit is excluded. */
export function fitAdvert(
  { addresses, places, excludedAddresses }: Addresses,
  shape: AdvertShape,
  context: ResolveContext,
): Pick<Addresses, "addresses" | "excludedAddresses"> {
  const room = roomOf(shape, context);
  const place = places[room];
  if (place === undefined) return { addresses, excludedAddresses };
  const moved = addresses.slice(room);
  const message = `an advert has room for ${room} addresses; ${moved.length} are treated as excluded`;
  adjust(context, place, "too-many-addresses", message, "write the others into virtual_ipaddress_excluded");
  return { addresses: addresses.slice(0, room), excludedAddresses: [...excludedAddresses, ...moved] };
}
