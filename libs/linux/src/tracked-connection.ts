// How the kernel's connection tracking (ctnetlink, kernel's net/netfilter/nf_conntrack_netlink.c) speaks of connections:
// the question for some of them, and what it says of one. Pure: bytes in, values out.
import { type IpAddress, ipToBytes } from "@baton/domain";
import { ipFromBytes } from "./ip-bytes.ts";
import {
  attribute,
  concatBytes,
  type NetlinkMessage,
  type NetlinkRequest,
  nested,
  readAttributes,
  uint32,
  viewOf,
} from "./netlink-message.ts";

/** Port 0: any. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

export type TrackedProtocol = (typeof protocols)[number];

// <linux/netfilter/nfnetlink_conntrack.h>
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_NEW = 0;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_STATUS = 3;
const CTA_PROTOINFO = 4;
const CTA_ID = 12;
const CTA_ZONE = 18;
const CTA_FILTER = 25;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;
const CTA_PROTOINFO_TCP = 1;
const CTA_PROTOINFO_TCP_STATE = 1;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
// net/netfilter/nf_internals.h: what of the reply's tuple is to be equal. Kernels before 5.8 know no filter and tell of all.
const filterBySource = 1 << 0;
const filterByProtocol = 1 << 3;
const filterBySourcePort = 1 << 4;
/** IPS_DST_NAT (linux/netfilter/nf_conntrack_common.h): a rule has led it to somebody else than it asked for. */
const translated = 1 << 5;
const NFGENMSG_BYTES = 4;
const families = { 4: 2, 6: 10 } as const;
const protocolNumbers = { tcp: 6, udp: 17, sctp: 132 } as const;
const protocols = ["tcp", "udp", "sctp"] as const;

export const listConnections = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;

/** For `listConnections`: those that are answered from there; address undefined: any. The kernel may tell of others too. */
export function connectionsOf(
  family: 4 | 6,
  protocol: TrackedProtocol,
  { address, port }: { readonly address: IpAddress | undefined; readonly port: number },
): Uint8Array {
  // IPv6 addresses the kernel's filter compares the wrong way round (6.18 still does): those are compared by who asks.
  const source = address === undefined || family === 6 ? [] : [attribute(CTA_IP_V4_SRC, addressBytes(address))];
  const from = port === 0 ? [] : [attribute(CTA_PROTO_SRC_PORT, Uint8Array.of(port >> 8, port & 0xff))];
  const flags =
    filterByProtocol | (source.length === 0 ? 0 : filterBySource) | (from.length === 0 ? 0 : filterBySourcePort);
  return concatBytes(
    Uint8Array.of(families[family], 0, 0, 0),
    nested(
      CTA_TUPLE_REPLY,
      nested(CTA_TUPLE_IP, ...source),
      nested(CTA_TUPLE_PROTO, attribute(CTA_PROTO_NUM, Uint8Array.of(protocolNumbers[protocol])), ...from),
    ),
    nested(CTA_FILTER, attribute(CTA_FILTER_ORIG_FLAGS, uint32(0)), attribute(CTA_FILTER_REPLY_FLAGS, uint32(flags))),
  );
}

const addressBytes = (address: IpAddress): Uint8Array => Uint8Array.from(ipToBytes(address));

export interface TrackedConnection {
  readonly protocol: TrackedProtocol;
  /** What the client asked for, and who answers. */
  readonly asked: Endpoint | undefined;
  readonly server: Endpoint | undefined;
  /** A rule has led it to somebody else than it asked for. */
  readonly isTranslated: boolean;
  /** TCP_CONNTRACK_*; undefined where it is not told. */
  readonly tcpState: number | undefined;
}

/** undefined: it is none, or of a protocol without ports. */
export function readTracked({ type, body }: NetlinkMessage): TrackedConnection | undefined {
  if (type !== ((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW)) return undefined;
  const attributes = readAttributes(body, NFGENMSG_BYTES);
  const reply = readTuple(attributes.get(CTA_TUPLE_REPLY));
  if (reply === undefined) return undefined;
  const status = attributes.get(CTA_STATUS);
  return {
    protocol: reply.protocol,
    asked: readTuple(attributes.get(CTA_TUPLE_ORIG))?.target,
    server: reply.source,
    isTranslated: status?.length === 4 && (viewOf(status).getUint32(0, false) & translated) !== 0,
    tcpState: readTcpState(attributes.get(CTA_PROTOINFO)),
  };
}

/** Takes one that was told of out of the table, and none that has come in its place: that has another number. */
export function removalOf({ body }: NetlinkMessage): NetlinkRequest {
  const attributes = readAttributes(body, NFGENMSG_BYTES);
  const words = [CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID].flatMap((type) => {
    const value = attributes.get(type);
    return value === undefined ? [] : [type === CTA_TUPLE_ORIG ? nested(type, value) : attribute(type, value)];
  });
  const family = body[0] ?? 0;
  const type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE;
  return { type, flags: 0, body: concatBytes(Uint8Array.of(family, 0, 0, 0), ...words) };
}

function readTcpState(information: Uint8Array | undefined): number | undefined {
  const tcp = information && readAttributes(information, 0).get(CTA_PROTOINFO_TCP);
  return tcp && readAttributes(tcp, 0).get(CTA_PROTOINFO_TCP_STATE)?.[0];
}

function readTuple(bytes: Uint8Array | undefined) {
  if (bytes === undefined) return undefined;
  const parts = readAttributes(bytes, 0);
  const [ip, of] = [parts.get(CTA_TUPLE_IP), parts.get(CTA_TUPLE_PROTO)];
  if (ip === undefined || of === undefined) return undefined;
  const addresses = readAttributes(ip, 0);
  const ports = readAttributes(of, 0);
  const protocol = protocols.find((name) => protocolNumbers[name] === ports.get(CTA_PROTO_NUM)?.[0]);
  if (protocol === undefined) return undefined;
  const endpoint = (address: Uint8Array | undefined, port: Uint8Array | undefined): Endpoint | undefined =>
    address?.length === 4 || address?.length === 16
      ? {
          address: ipFromBytes(address, 0, address.length),
          port: port?.length === 2 ? viewOf(port).getUint16(0, false) : 0,
        }
      : undefined;
  return {
    protocol,
    source: endpoint(addresses.get(CTA_IP_V4_SRC) ?? addresses.get(CTA_IP_V6_SRC), ports.get(CTA_PROTO_SRC_PORT)),
    target: endpoint(addresses.get(CTA_IP_V4_DST) ?? addresses.get(CTA_IP_V6_DST), ports.get(CTA_PROTO_DST_PORT)),
  };
}
