// Routes on the wire of rtnetlink (linux/rtnetlink.h, linux/lwtunnel.h). Pure.
import { type IpAddress, ipFamily, ipToBytes, unspecifiedIp } from "@baton/domain";
import { ipFromBytes } from "./ip-bytes.ts";
import {
  attribute,
  concatBytes,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  nested,
  readAttributes,
  readUint32,
  uint16,
  uint32,
  viewOf,
} from "./netlink-message.ts";
import type { Encapsulation, Prefix, RouteInfo, RouteMetric, RouteSpec, RouteWay, RouteWaySpec } from "./routing.ts";

export const RTM_GETROUTE = 26;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const NLM_F_APPEND = 0x800;
const RTM_F_CLONED = 0x200;
const RTMSG_BYTES = 12;
const NEXTHOP_BYTES = 8;
const RTNH_F_ONLINK = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_HOST = 254;
const RT_SCOPE_NOWHERE = 255;
const RTN_LOCAL = 2;
const RTN_BROADCAST = 3;
const RTN_ANYCAST = 4;

const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_MULTIPATH = 9;
const RTA_FLOW = 11;
const RTA_TABLE = 15;
const RTA_PREF = 20;
const RTA_ENCAP_TYPE = 21;
const RTA_ENCAP = 22;
const RTA_EXPIRES = 23;
const RTA_TTL_PROPAGATE = 26;

const RTAX_LOCK = 1;
const RTAX_CC_ALGO = 16;
const metricNumbers: Readonly<Record<RouteMetric, number>> = {
  mtu: 2,
  window: 3,
  rtt: 4,
  rttvar: 5,
  ssthresh: 6,
  cwnd: 7,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  features: 12,
  rtoMin: 13,
  initrwnd: 14,
  quickack: 15,
  fastOpenNoCookie: 17,
};
const metricNames = Object.entries(metricNumbers) as [RouteMetric, number][];

/** LWTUNNEL_ENCAP_* */
const encapsulationNumbers: Readonly<Record<Encapsulation["type"], number>> = { mpls: 1, ip: 2, ila: 3, ip6: 4 };

/** RTN_BLACKHOLE to RTN_THROW: they lead nowhere, whatever interface IPv6 shows with them. */
export const leadsNowhere = (type: number): boolean => type >= 6 && type <= 9;

/** Strictly checked: the kernel sends the routes of this protocol alone. */
export function routeDumpBody(family: 4 | 6, protocol: number): Uint8Array {
  const body = new Uint8Array(RTMSG_BYTES);
  body[0] = familyNumber(family);
  body[5] = protocol;
  return body;
}

export interface RouteOnWire {
  readonly type: "route-set" | "route-removed";
  readonly route: RouteInfo;
  readonly replaced: boolean;
}

export function decodeRouteEvent(message: NetlinkMessage): RouteOnWire | undefined {
  if (message.type !== RTM_NEWROUTE && message.type !== RTM_DELROUTE) return undefined;
  const { body } = message;
  if (body.length < RTMSG_BYTES) return undefined;
  const family = familyOf(body[0]);
  if (family === undefined || ((readUint32(body, 8) ?? 0) & RTM_F_CLONED) !== 0) return undefined;
  const attributes = readAttributes(body, RTMSG_BYTES);
  const addressOf = (type: number): IpAddress | undefined => readAddress(attributes.get(type), family);
  const type = body[7] ?? 0;
  const sourceLength = body[2] ?? 0;
  const route: RouteInfo = {
    family,
    type,
    destination: { address: addressOf(RTA_DST) ?? unspecifiedIp(family), length: body[1] ?? 0 },
    source:
      sourceLength === 0 ? undefined : { address: addressOf(RTA_SRC) ?? unspecifiedIp(family), length: sourceLength },
    preferredSource: addressOf(RTA_PREFSRC),
    ways: leadsNowhere(type) ? [] : waysOf(attributes, family),
    table: readUint32(attributes.get(RTA_TABLE)) ?? body[4] ?? 0,
    protocol: body[5] ?? 0,
    scope: body[6] ?? 0,
    tos: body[3] ?? 0,
    metric: readUint32(attributes.get(RTA_PRIORITY)) ?? 0,
    metrics: metricsOf(attributes.get(RTA_METRICS)),
  };
  const replaced = message.type === RTM_NEWROUTE && (message.flags & NLM_F_REPLACE) !== 0;
  return { type: message.type === RTM_NEWROUTE ? "route-set" : "route-removed", route, replaced };
}

function waysOf(attributes: ReadonlyMap<number, Uint8Array>, family: 4 | 6): RouteWay[] {
  const list = attributes.get(RTA_MULTIPATH);
  if (list === undefined) {
    const gateway = readAddress(attributes.get(RTA_GATEWAY), family);
    const ifindex = readUint32(attributes.get(RTA_OIF));
    return gateway === undefined && ifindex === undefined ? [] : [{ gateway, ifindex, weight: 1 }];
  }
  const view = viewOf(list);
  const ways: RouteWay[] = [];
  for (let at = 0; at + NEXTHOP_BYTES <= list.length; ) {
    const length = view.getUint16(at, true);
    if (length < NEXTHOP_BYTES || at + length > list.length) break;
    const own = readAttributes(list.subarray(at, at + length), NEXTHOP_BYTES);
    const weight = (list[at + 3] ?? 0) + 1;
    ways.push({ gateway: readAddress(own.get(RTA_GATEWAY), family), ifindex: view.getUint32(at + 4, true), weight });
    at += Math.ceil(length / 4) * 4;
  }
  return ways;
}

function metricsOf(bytes: Uint8Array | undefined): RouteInfo["metrics"] {
  if (bytes === undefined) return {};
  const attributes = readAttributes(bytes, 0);
  const metrics: Partial<Record<RouteMetric, number>> = {};
  for (const [name, number] of metricNames) {
    const value = readUint32(attributes.get(number));
    if (value !== undefined) metrics[name] = value;
  }
  return metrics;
}

const placementFlags: Readonly<Record<RouteSpec["placement"], number>> = {
  add: NLM_F_EXCL,
  prepend: 0,
  append: NLM_F_APPEND,
};

export function encodeRouteAddition(spec: RouteSpec): NetlinkRequest {
  const head = headOf(spec, spec.scope ?? widestScope(spec), spec.way.onlink ? RTNH_F_ONLINK : 0);
  const { nextHops, way } = spec;
  const attributes = [
    ...namingAttributes(spec, spec.metric),
    ...(spec.preferredSource === undefined ? [] : [attribute(RTA_PREFSRC, ipToBytes(spec.preferredSource))]),
    ...wayAttributes(way),
    ...(way.ifindex === undefined ? [] : [attribute(RTA_OIF, uint32(way.ifindex))]),
    ...(nextHops.length === 0 ? [] : [attribute(RTA_MULTIPATH, concatBytes(...nextHops.map(nextHopBytes)))]),
    ...(spec.expires === undefined ? [] : [attribute(RTA_EXPIRES, uint32(spec.expires))]),
    ...(spec.preference === undefined ? [] : [attribute(RTA_PREF, Uint8Array.of(spec.preference))]),
    ...(spec.ttlPropagate === undefined
      ? []
      : [attribute(RTA_TTL_PROPAGATE, Uint8Array.of(spec.ttlPropagate ? 1 : 0))]),
    ...metricAttributes(spec),
  ];
  const flags = NLM_F_CREATE | placementFlags[spec.placement];
  return { type: RTM_NEWROUTE, flags, body: concatBytes(head, ...attributes) };
}

/** net/ipv4/fib_semantics.c, fib_props: a local route is of the host, a broadcast or anycast one of the link. */
function widestScope({ type }: RouteSpec): number {
  if (type === RTN_LOCAL) return RT_SCOPE_HOST;
  return type === RTN_BROADCAST || type === RTN_ANYCAST ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/** Everything that names it, so that no other is taken for it: the kernel deletes the first that fits. */
export function encodeRouteRemoval(info: RouteInfo): NetlinkRequest {
  const head = headOf(info, info.family === 4 ? info.scope : RT_SCOPE_NOWHERE, 0);
  const [way, ...others] = info.ways;
  const ways: Uint8Array[] = [];
  // IPv6 removes all the ways of a route that names none.
  if (others.length > 0 && info.family === 4) {
    const bare = { onlink: false, realms: 0, encapsulation: undefined };
    ways.push(attribute(RTA_MULTIPATH, concatBytes(...info.ways.map((each) => nextHopBytes({ ...each, ...bare })))));
  } else if (way !== undefined && others.length === 0) {
    if (way.gateway !== undefined) ways.push(attribute(RTA_GATEWAY, ipToBytes(way.gateway)));
    if (way.ifindex !== undefined) ways.push(attribute(RTA_OIF, uint32(way.ifindex)));
  }
  const preferred = info.family === 4 ? info.preferredSource : undefined;
  const attributes = [
    ...namingAttributes(info, info.metric),
    ...(preferred === undefined ? [] : [attribute(RTA_PREFSRC, ipToBytes(preferred))]),
    ...ways,
  ];
  return { type: RTM_DELROUTE, flags: 0, body: concatBytes(head, ...attributes) };
}

type Named = Pick<RouteSpec, "family" | "type" | "destination" | "source" | "table" | "protocol" | "tos">;

/** struct rtmsg */
function headOf(
  { family, destination, source, tos, table, protocol, type }: Named,
  scope: number,
  flags: number,
): Uint8Array {
  const head = new Uint8Array(RTMSG_BYTES);
  head.set([familyNumber(family), destination.length, source?.length ?? 0, tos, table < 256 ? table : 0]);
  head.set([protocol, scope, type], 5);
  head.set(uint32(flags), 8);
  return head;
}

const namingAttributes = ({ destination, source, table }: Named, metric: number | undefined): Uint8Array[] => [
  ...(destination.length === 0 ? [] : [attribute(RTA_DST, ipToBytes(destination.address))]),
  ...prefixAttribute(RTA_SRC, source),
  ...(table < 256 ? [] : [attribute(RTA_TABLE, uint32(table))]),
  ...(metric === undefined ? [] : [attribute(RTA_PRIORITY, uint32(metric))]),
];

const prefixAttribute = (type: number, prefix: Prefix | undefined): Uint8Array[] =>
  prefix === undefined || prefix.length === 0 ? [] : [attribute(type, ipToBytes(prefix.address))];

function nextHopBytes(hop: RouteWaySpec): Uint8Array {
  const attributes = concatBytes(...wayAttributes(hop));
  const bytes = new Uint8Array(NEXTHOP_BYTES + attributes.length);
  const view = viewOf(bytes);
  view.setUint16(0, bytes.length, true);
  view.setUint8(2, hop.onlink ? RTNH_F_ONLINK : 0);
  view.setUint8(3, hop.weight - 1);
  view.setUint32(4, hop.ifindex ?? 0, true);
  bytes.set(attributes, NEXTHOP_BYTES);
  return bytes;
}

const wayAttributes = ({ gateway, realms, encapsulation }: RouteWaySpec): Uint8Array[] => [
  ...(gateway === undefined ? [] : [attribute(RTA_GATEWAY, ipToBytes(gateway))]),
  ...(realms === 0 ? [] : [attribute(RTA_FLOW, uint32(realms))]),
  ...(encapsulation === undefined
    ? []
    : [
        nested(RTA_ENCAP, ...encapsulationAttributes(encapsulation)),
        attribute(RTA_ENCAP_TYPE, uint16(encapsulationNumbers[encapsulation.type])),
      ]),
];

function encapsulationAttributes(encapsulation: Encapsulation): Uint8Array[] {
  switch (encapsulation.type) {
    case "mpls":
      return [attribute(1, labelStack(encapsulation.labels))];
    case "ila":
      return [
        attribute(1, concatBytes(...encapsulation.locator.map((group) => Uint8Array.of(group >> 8, group & 0xff)))),
      ];
    case "ip":
    case "ip6": {
      const { id, destination, source, ttl, tos, flags } = encapsulation;
      return [
        ...(id === undefined ? [] : [attribute(1, bigEndian64(id))]),
        ...(destination === undefined ? [] : [attribute(2, ipToBytes(destination))]),
        ...(source === undefined ? [] : [attribute(3, ipToBytes(source))]),
        ...(ttl === undefined ? [] : [attribute(4, Uint8Array.of(ttl))]),
        ...(tos === undefined ? [] : [attribute(5, Uint8Array.of(tos))]),
        ...(flags === undefined ? [] : [attribute(6, uint16(flags))]),
      ];
    }
  }
}

/** RFC 3032: 20 bits of label; the last one of the stack says so. */
function labelStack(labels: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * labels.length);
  const view = viewOf(bytes);
  for (const [index, label] of labels.entries()) {
    view.setUint32(4 * index, label * 0x1000 + (index === labels.length - 1 ? 0x100 : 0));
  }
  return bytes;
}

function metricAttributes({ metrics, congestionControl, locked }: RouteSpec): Uint8Array[] {
  const attributes: Uint8Array[] = [];
  let lock = 0;
  for (const [name, number] of metricNames) {
    const value = metrics[name];
    if (value === undefined) continue;
    attributes.push(attribute(number, uint32(value)));
    if (locked.includes(name)) lock |= 1 << number;
  }
  if (congestionControl !== undefined) {
    attributes.push(attribute(RTAX_CC_ALGO, new TextEncoder().encode(congestionControl)));
    if (locked.includes("congestionControl")) lock |= 1 << RTAX_CC_ALGO;
  }
  if (lock !== 0) attributes.push(attribute(RTAX_LOCK, uint32(lock)));
  return attributes.length === 0 ? [] : [nested(RTA_METRICS, ...attributes)];
}

export function bigEndian64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, value);
  return bytes;
}

export const familyNumber = (family: 4 | 6): number => (family === 4 ? 2 : 10);

export const familyOf = (number: number | undefined): 4 | 6 | undefined =>
  number === 2 ? 4 : number === 10 ? 6 : undefined;

export function readAddress(bytes: Uint8Array | undefined, family: 4 | 6): IpAddress | undefined {
  const length = family === 4 ? 4 : 16;
  const address = bytes?.length === length ? ipFromBytes(bytes, 0, length) : undefined;
  return address !== undefined && ipFamily(address) === family ? address : undefined;
}
