// Links and addresses on the wire of rtnetlink (<linux/rtnetlink.h>, <linux/if_addr.h>, <linux/if_link.h>). Pure.
import { assert, ipFamily, ipToBytes } from "@baton/domain";
import type { AddressChange, AddressFlags, AddressInfo, AddressSpec, LinkInfo } from "./api.ts";
import { ipFromBytes, macFromBytes } from "./ip-bytes.ts";
import { begin, putBytes, putUint8, putUint32, putUint32s, written } from "./message-draft.ts";
import {
  cString,
  eachAttributePlace,
  encodeRequests,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  readAttributes,
  readText,
  readUint32,
  splitMessages,
  uint32At,
  viewOf,
} from "./netlink-message.ts";

export const RTMGRP_LINK = 0x1;
export const RTMGRP_IPV4_IFADDR = 0x10;
export const RTMGRP_IPV6_IFADDR = 0x100;
export const RTM_GETLINK = 18;
export const RTM_GETADDR = 22;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
export const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;

const AF_UNSPEC = 0;
export const AF_INET = 2;
const AF_INET6 = 10;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const IFF_NOARP = 0x80;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VRF_TABLE = 1;
const IFINFO_BYTES = 16;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
export const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
export const IFA_PROTO = 11;
const IFADDR_BYTES = 8;
/** IFA_PROTO of every address that Baton makes (SAFETY S16); 1 to 3 are the kernel's own (linux/if_addr.h). */
export const addressTag = 0xba;
const FOR_EVER = 0xffffffff;
const LABEL_BYTES = 15; // IFNAMSIZ without the final zero

/** IFA_F_* */
const flagBits: Readonly<Record<keyof AddressFlags, number>> = {
  secondary: 0x01,
  noDad: 0x02,
  dadFailed: 0x08,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  noPrefixRoute: 0x200,
  homeAddress: 0x10,
  manageTemporary: 0x100,
  autojoin: 0x400,
};

export type LinkEvent =
  | { readonly type: "link-set"; readonly link: LinkInfo }
  | { readonly type: "link-removed"; readonly ifindex: number };
export type AddressEventOnWire = { readonly type: "set" | "removed"; readonly address: AddressInfo };

export const linkDumpBody = (): Uint8Array => new Uint8Array(IFINFO_BYTES);
export const addressDumpBody = (): Uint8Array => new Uint8Array(IFADDR_BYTES);

export function decodeLinkEvent(message: NetlinkMessage): LinkEvent | undefined {
  if (message.type !== RTM_NEWLINK && message.type !== RTM_DELLINK) return undefined;
  if (message.body.length < IFINFO_BYTES) return undefined;
  const view = viewOf(message.body);
  // A port that leaves its bridge is told as RTM_DELLINK of family AF_BRIDGE: the link itself stays.
  if (view.getUint8(0) !== AF_UNSPEC) return undefined;
  const ifindex = view.getInt32(4, true);
  if (message.type === RTM_DELLINK) return { type: "link-removed", ifindex };
  const flags = view.getUint32(8, true);
  const attributes = readAttributes(message.body, IFINFO_BYTES);
  const info = readAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array(), 0);
  const kind = readText(info.get(IFLA_INFO_KIND));
  const vrf = kind === "vrf" ? readAttributes(info.get(IFLA_INFO_DATA) ?? new Uint8Array(), 0) : undefined;
  const vrfTable = readUint32(vrf?.get(IFLA_VRF_TABLE));
  const mac = attributes.get(IFLA_ADDRESS);
  const link: LinkInfo = {
    ifindex,
    name: readText(attributes.get(IFLA_IFNAME)) ?? "",
    up: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
    mac: mac?.length === 6 ? macFromBytes(mac, 0) : undefined,
    type: view.getUint16(2, true),
    kind,
    mtu: readUint32(attributes.get(IFLA_MTU)) ?? 0,
    noArp: (flags & IFF_NOARP) !== 0,
    ...(vrfTable === undefined ? {} : { vrfTable }),
  };
  return { type: "link-set", link };
}

/** Where the attributes of an address lie in its message; 0: it has none of them. */
interface AddressAttributes {
  local: number;
  other: number;
  broadcast: number;
  label: Uint8Array | undefined;
  flags: number;
  cache: number;
  protocol: number;
}

/** By the thousand, in a dump and as events: nothing is made for what is only looked at. */
function findAddressAttributes(body: Uint8Array, addressBytes: number): AddressAttributes {
  const found: AddressAttributes = {
    local: 0,
    other: 0,
    broadcast: 0,
    label: undefined,
    flags: 0,
    cache: 0,
    protocol: 0,
  };
  eachAttributePlace(body, IFADDR_BYTES, (type, at, length) => {
    switch (type) {
      case IFA_LOCAL:
        found.local = length === addressBytes ? at : 0;
        break;
      case IFA_ADDRESS:
        found.other = length === addressBytes ? at : 0;
        break;
      case IFA_BROADCAST:
        found.broadcast = length === addressBytes ? at : 0;
        break;
      case IFA_LABEL:
        found.label = body.subarray(at, at + length);
        break;
      case IFA_FLAGS:
        found.flags = length >= 4 ? at : 0;
        break;
      case IFA_CACHEINFO:
        found.cache = length >= 8 ? at : 0;
        break;
      case IFA_PROTO:
        found.protocol = length >= 1 ? at : 0;
        break;
    }
  });
  return found;
}

export function decodeAddressEvent(message: NetlinkMessage): AddressEventOnWire | undefined {
  if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return undefined;
  const { body } = message;
  if (body.length < IFADDR_BYTES) return undefined;
  const family = body[0];
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const length = family === AF_INET ? 4 : 16;
  const found = findAddressAttributes(body, length);
  const addressAt = (at: number) => (at === 0 ? undefined : ipFromBytes(body, at, length));
  // IFA_ADDRESS is the other end where there is one; then, and for all of IPv4, IFA_LOCAL is ours.
  const other = addressAt(found.other);
  const address = addressAt(found.local) ?? other;
  if (address === undefined) return undefined;
  return {
    type: message.type === RTM_NEWADDR ? "set" : "removed",
    address: {
      ifindex: uint32At(body, 4),
      address,
      prefixLength: body[1] ?? 0,
      peer: other === address ? undefined : other,
      label: readText(found.label),
      broadcast: addressAt(found.broadcast),
      scope: body[3] ?? 0,
      flags: decodeFlags(found.flags === 0 ? (body[2] ?? 0) : uint32At(body, found.flags)),
      protocol: found.protocol === 0 ? 0 : (body[found.protocol] ?? 0),
      preferredLifetime: found.cache === 0 ? undefined : lifetime(uint32At(body, found.cache)),
      validLifetime: found.cache === 0 ? undefined : lifetime(uint32At(body, found.cache + 4)),
    },
  };
}

const lifetime = (seconds: number): number | undefined => (seconds === FOR_EVER ? undefined : seconds);

const decodeFlags = (bits: number): AddressFlags => ({
  permanent: (bits & flagBits.permanent) !== 0,
  secondary: (bits & flagBits.secondary) !== 0,
  noPrefixRoute: (bits & flagBits.noPrefixRoute) !== 0,
  noDad: (bits & flagBits.noDad) !== 0,
  tentative: (bits & flagBits.tentative) !== 0,
  dadFailed: (bits & flagBits.dadFailed) !== 0,
  deprecated: (bits & flagBits.deprecated) !== 0,
  homeAddress: (bits & flagBits.homeAddress) !== 0,
  manageTemporary: (bits & flagBits.manageTemporary) !== 0,
  autojoin: (bits & flagBits.autojoin) !== 0,
});

export function encodeAddressChange(change: AddressChange): NetlinkRequest {
  putAddress(change.spec);
  if (change.op === "delete") return { type: RTM_DELADDR, flags: 0, body: written() };
  const { spec } = change;
  let bits = spec.noDad === true && ipFamily(spec.address) === 6 ? flagBits.noDad : 0;
  if (spec.noPrefixRoute === true) bits |= flagBits.noPrefixRoute;
  if (spec.homeAddress === true) bits |= flagBits.homeAddress;
  if (spec.manageTemporary === true) bits |= flagBits.manageTemporary;
  if (spec.autojoin === true) bits |= flagBits.autojoin;
  const valid = checkedLifetime(spec.validLifetime, 1);
  const preferred = spec.preferredLifetime === undefined ? valid : checkedLifetime(spec.preferredLifetime, 0);
  if (spec.broadcast !== undefined) putBytes(IFA_BROADCAST, ipToBytes(spec.broadcast));
  putUint32(IFA_FLAGS, bits);
  // Always sent: a replacement without it would keep the lifetime that a crashed run left.
  putUint32s(IFA_CACHEINFO, preferred, valid, 0, 0);
  if (spec.protocol !== undefined) putUint8(IFA_PROTO, spec.protocol);
  const flags = change.op === "add" ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE | NLM_F_REPLACE;
  return { type: RTM_NEWADDR, flags, body: written() };
}

/** What the kernel would tell of these, made where there was nothing, but for the label that it gives: for rehearsals. */
export const echoOf = (changes: readonly AddressChange[]): AddressInfo[] =>
  splitMessages(encodeRequests(changes.map(encodeAddressChange), 1)).flatMap(
    (message) => decodeAddressEvent(message)?.address ?? [],
  );

/** Begins a message with struct ifaddrmsg and the attributes that name the address. */
function putAddress(spec: AddressSpec): void {
  const { ifindex } = spec;
  const family = ipFamily(spec.address);
  if (!isInteger(ifindex, 1, 0x7fffffff)) assert(false, `not an interface index: ${ifindex}`);
  const longest = family === 4 ? 32 : 128;
  if (!isInteger(spec.prefixLength, 0, longest)) assert(false, `no prefix length: ${spec.prefixLength}`);
  const afNumber = family === 4 ? AF_INET : AF_INET6;
  begin(afNumber, spec.prefixLength, 0, spec.scope ?? 0, ifindex, ifindex >> 8, ifindex >> 16, ifindex >> 24);
  const own = ipToBytes(spec.address);
  putBytes(IFA_LOCAL, own);
  putBytes(IFA_ADDRESS, spec.peer === undefined ? own : ipToBytes(spec.peer));
  if (spec.label !== undefined && family === 4) putBytes(IFA_LABEL, labelBytes(spec.label));
}

function labelBytes(label: string): Uint8Array {
  const bytes = cString(label);
  assert(bytes.length <= LABEL_BYTES + 1, `a label has at most ${LABEL_BYTES} bytes: ${label}`);
  return bytes;
}

function checkedLifetime(seconds: number | undefined, least: number): number {
  if (seconds === undefined) return FOR_EVER;
  if (!isInteger(seconds, least, FOR_EVER - 1)) assert(false, `not a lifetime: ${seconds} s`);
  return seconds;
}

const isInteger = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;
