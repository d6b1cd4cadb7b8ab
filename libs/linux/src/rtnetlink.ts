// Links and addresses on the wire of rtnetlink (<linux/rtnetlink.h>, <linux/if_addr.h>, <linux/if_link.h>). Pure.
import { assert, ipFamily, ipToBytes } from "@baton/domain";
import type { AddressChange, AddressFlags, AddressInfo, AddressSpec, LinkInfo } from "./api.ts";
import { ipFromBytes, macFromBytes } from "./ip-bytes.ts";
import {
  attribute,
  concatBytes,
  cString,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  readAttributes,
  readText,
  readUint32,
  uint32,
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

export function decodeAddressEvent(message: NetlinkMessage): AddressEventOnWire | undefined {
  if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return undefined;
  const { body } = message;
  if (body.length < IFADDR_BYTES) return undefined;
  const family = body[0];
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const length = family === AF_INET ? 4 : 16;
  const attributes = readAttributes(body, IFADDR_BYTES);
  const addressOf = (type: number) => {
    const bytes = attributes.get(type);
    return bytes?.length === length ? ipFromBytes(bytes, 0, length) : undefined;
  };
  // IFA_ADDRESS is the other end where there is one; then, and for all of IPv4, IFA_LOCAL is ours.
  const other = addressOf(IFA_ADDRESS);
  const address = addressOf(IFA_LOCAL) ?? other;
  if (address === undefined) return undefined;
  const cache = attributes.get(IFA_CACHEINFO);
  return {
    type: message.type === RTM_NEWADDR ? "set" : "removed",
    address: {
      ifindex: readUint32(body, 4) ?? 0,
      address,
      prefixLength: body[1] ?? 0,
      peer: other === address ? undefined : other,
      label: readText(attributes.get(IFA_LABEL)),
      broadcast: addressOf(IFA_BROADCAST),
      scope: body[3] ?? 0,
      flags: decodeFlags(readUint32(attributes.get(IFA_FLAGS)) ?? body[2] ?? 0),
      protocol: attributes.get(IFA_PROTO)?.[0] ?? 0,
      preferredLifetime: lifetime(readUint32(cache, 0)),
      validLifetime: lifetime(readUint32(cache, 4)),
    },
  };
}

const lifetime = (seconds: number | undefined): number | undefined => (seconds === FOR_EVER ? undefined : seconds);

function decodeFlags(bits: number): AddressFlags {
  const has = (flag: keyof AddressFlags): boolean => (bits & flagBits[flag]) !== 0;
  return {
    permanent: has("permanent"),
    secondary: has("secondary"),
    noPrefixRoute: has("noPrefixRoute"),
    noDad: has("noDad"),
    tentative: has("tentative"),
    dadFailed: has("dadFailed"),
    deprecated: has("deprecated"),
    homeAddress: has("homeAddress"),
    manageTemporary: has("manageTemporary"),
    autojoin: has("autojoin"),
  };
}

export function encodeAddressChange(change: AddressChange): NetlinkRequest {
  if (change.op === "delete") return { type: RTM_DELADDR, flags: 0, body: encodeAddress(change.spec, []) };
  const { spec } = change;
  const noDad = spec.noDad && ipFamily(spec.address) === 6;
  const asked = (["noPrefixRoute", "homeAddress", "manageTemporary", "autojoin"] as const).filter((flag) => spec[flag]);
  const bits = asked.reduce((sum, flag) => sum | flagBits[flag], noDad ? flagBits.noDad : 0);
  const valid = checkedLifetime(spec.validLifetime, 1);
  const preferred = spec.preferredLifetime === undefined ? valid : checkedLifetime(spec.preferredLifetime, 0);
  const attributes = [
    ...(spec.broadcast === undefined ? [] : [attribute(IFA_BROADCAST, ipToBytes(spec.broadcast))]),
    attribute(IFA_FLAGS, uint32(bits)),
    // Always sent: a replacement without it would keep the lifetime that a crashed run left.
    attribute(IFA_CACHEINFO, uint32(preferred, valid, 0, 0)),
    ...(spec.protocol === undefined ? [] : [attribute(IFA_PROTO, Uint8Array.of(spec.protocol))]),
  ];
  const flags = change.op === "add" ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE | NLM_F_REPLACE;
  return { type: RTM_NEWADDR, flags, body: encodeAddress(spec, attributes) };
}

/** struct ifaddrmsg and the attributes that name the address. */
function encodeAddress(spec: AddressSpec, attributes: readonly Uint8Array[]): Uint8Array {
  const family = ipFamily(spec.address);
  assert(Number.isInteger(spec.ifindex) && spec.ifindex > 0, `not an interface index: ${spec.ifindex}`);
  const longest = family === 4 ? 32 : 128;
  assert(spec.prefixLength >= 0 && spec.prefixLength <= longest, `no prefix length: ${spec.prefixLength}`);
  const head = new Uint8Array(IFADDR_BYTES);
  head.set([family === 4 ? AF_INET : AF_INET6, spec.prefixLength, 0, spec.scope ?? 0]);
  head.set(uint32(spec.ifindex), 4);
  return concatBytes(
    head,
    attribute(IFA_LOCAL, ipToBytes(spec.address)),
    attribute(IFA_ADDRESS, ipToBytes(spec.peer ?? spec.address)),
    ...(spec.label === undefined || family === 6 ? [] : [attribute(IFA_LABEL, labelBytes(spec.label))]),
    ...attributes,
  );
}

function labelBytes(label: string): Uint8Array {
  const bytes = cString(label);
  assert(bytes.length <= LABEL_BYTES + 1, `a label has at most ${LABEL_BYTES} bytes: ${label}`);
  return bytes;
}

function checkedLifetime(seconds: number | undefined, least: number): number {
  if (seconds === undefined) return FOR_EVER;
  assert(Number.isInteger(seconds) && seconds >= least && seconds < FOR_EVER, `not a lifetime: ${seconds} s`);
  return seconds;
}
