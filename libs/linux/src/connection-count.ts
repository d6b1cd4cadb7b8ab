// Who is connected through this machine to a server behind it: the kernel's connection tracking (ctnetlink, kernel's
// net/netfilter/nf_conntrack_netlink.c), asked for those alone that a rule here has led to that server.
import { type IpAddress, ipFamily, ipToBytes } from "@baton/domain";
import type { Closable } from "./api.ts";
import { ipFromBytes } from "./ip-bytes.ts";
import {
  attribute,
  concatBytes,
  type NetlinkMessage,
  nested,
  readAttributes,
  uint32,
  viewOf,
} from "./netlink-message.ts";
import { NETLINK_NETFILTER, type NetlinkClient, openNetlinkClient } from "./netlink-socket.ts";

export interface TranslatedConnections {
  readonly protocol: "tcp" | "udp" | "sctp";
  /** To whom they were led. Port 0: any. */
  readonly server: { readonly address: IpAddress; readonly port: number };
  /** What the client asked for; undefined: anything. Port 0: any. */
  readonly asked: { readonly address: IpAddress; readonly port: number } | undefined;
}

export interface ConnectionCounter extends Closable {
  /**
   * How many there are of each that may still carry something: TCP from its first packet until both sides have ended it, others until
   * the kernel has forgotten them (UDP: 30 to 120 s after the last packet). Throws LinuxError, where the kernel has no
   * connection tracking with EINVAL or EOPNOTSUPP. The kernel goes through all that it tracks for each server and protocol
   * (some 75 ms with 262,144 buckets), however many of `connections` are about them.
   */
  count(connections: readonly TranslatedConnections[]): number[];
}

// <linux/netfilter/nfnetlink_conntrack.h>
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_NEW = 0;
const IPCTNL_MSG_CT_GET = 1;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_STATUS = 3;
const CTA_PROTOINFO = 4;
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
/** TCP_CONNTRACK_SYN_SENT to TCP_CONNTRACK_CLOSE_WAIT; after those come LAST_ACK, TIME_WAIT and CLOSE. */
const tcpStates = { first: 1, last: 5 } as const;

/** Of this network namespace. Throws LinuxError. */
export function openConnectionCounter(): ConnectionCounter {
  const client = openNetlinkClient(NETLINK_NETFILTER);
  return {
    count: (connections) => {
      const led = new Map<string, ReadonlyMap<string, number>>();
      return connections.map((each) => {
        const name = `${each.protocol} ${each.server.address} ${each.server.port}`;
        const counts = led.get(name) ?? countByAsked(client, each);
        led.set(name, counts);
        return counts.get(each.asked === undefined ? anything : askedName(each.asked)) ?? 0;
      });
    },
    close: () => client.close(),
  };
}

/** Of all that were led to one server, by what was asked for: an address and port, an address with any port, anything. */
function countByAsked(client: NetlinkClient, to: TranslatedConnections): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const count = (name: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  client.dump((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET, requestBody(to), (message) => {
    const original = readLed(message, to);
    if (original === undefined) return undefined;
    count(anything);
    const { target: address, targetPort: port } = original;
    if (address === undefined) return undefined;
    for (const each of new Set([port, 0])) count(askedName({ address, port: each }));
    return undefined;
  });
  return counts;
}

const anything = "";
const askedName = ({ address, port }: { readonly address: IpAddress; readonly port: number }): string =>
  `${address} ${port}`;

function requestBody({ protocol, server }: TranslatedConnections): Uint8Array {
  const family = ipFamily(server.address);
  // IPv6 addresses the kernel's filter compares the wrong way round (6.18 still does): those are compared here.
  const flags = (family === 4 ? filterBySource : 0) | filterByProtocol | (server.port === 0 ? 0 : filterBySourcePort);
  const port = server.port === 0 ? [] : [attribute(CTA_PROTO_SRC_PORT, portBytes(server.port))];
  const from = family === 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC;
  return concatBytes(
    Uint8Array.of(families[family], 0, 0, 0),
    nested(
      CTA_TUPLE_REPLY,
      nested(CTA_TUPLE_IP, attribute(from, Uint8Array.from(ipToBytes(server.address)))),
      nested(CTA_TUPLE_PROTO, attribute(CTA_PROTO_NUM, Uint8Array.of(protocolNumbers[protocol])), ...port),
    ),
    nested(CTA_FILTER, attribute(CTA_FILTER_ORIG_FLAGS, uint32(0)), attribute(CTA_FILTER_REPLY_FLAGS, uint32(flags))),
  );
}

const portBytes = (port: number): Uint8Array => Uint8Array.of(port >> 8, port & 0xff);

/** What its client asked for; undefined: it is none of them. The answer is looked at as if the kernel had not filtered. */
function readLed({ type, body }: NetlinkMessage, { protocol, server }: TranslatedConnections) {
  if (type !== ((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW)) return undefined;
  const attributes = readAttributes(body, NFGENMSG_BYTES);
  const reply = readTuple(attributes.get(CTA_TUPLE_REPLY));
  if (reply === undefined || reply.protocol !== protocolNumbers[protocol]) return undefined;
  if (!isAt(server, reply.source, reply.sourcePort)) return undefined;
  const status = attributes.get(CTA_STATUS);
  if (status?.length !== 4 || (viewOf(status).getUint32(0, false) & translated) === 0) return undefined;
  if (protocol === "tcp" && !isTcpAlive(attributes.get(CTA_PROTOINFO))) return undefined;
  return readTuple(attributes.get(CTA_TUPLE_ORIG)) ?? { target: undefined, targetPort: 0 };
}

const isAt = (
  wanted: { readonly address: IpAddress; readonly port: number },
  address: IpAddress | undefined,
  port: number,
): boolean => wanted.address === address && (wanted.port === 0 || wanted.port === port);

/** Of a state that is not told it is supposed. */
function isTcpAlive(information: Uint8Array | undefined): boolean {
  const tcp = information && readAttributes(information, 0).get(CTA_PROTOINFO_TCP);
  const state = tcp && readAttributes(tcp, 0).get(CTA_PROTOINFO_TCP_STATE)?.[0];
  return state === undefined || (state >= tcpStates.first && state <= tcpStates.last);
}

function readTuple(bytes: Uint8Array | undefined) {
  if (bytes === undefined) return undefined;
  const parts = readAttributes(bytes, 0);
  const [ip, of] = [parts.get(CTA_TUPLE_IP), parts.get(CTA_TUPLE_PROTO)];
  if (ip === undefined || of === undefined) return undefined;
  const addresses = readAttributes(ip, 0);
  const ports = readAttributes(of, 0);
  const addressOf = (four: number, six: number): IpAddress | undefined => {
    const value = addresses.get(four) ?? addresses.get(six);
    return value?.length === 4 || value?.length === 16 ? ipFromBytes(value, 0, value.length) : undefined;
  };
  const portOf = (type: number): number => {
    const value = ports.get(type);
    return value?.length === 2 ? viewOf(value).getUint16(0, false) : 0;
  };
  return {
    protocol: ports.get(CTA_PROTO_NUM)?.[0],
    source: addressOf(CTA_IP_V4_SRC, CTA_IP_V6_SRC),
    sourcePort: portOf(CTA_PROTO_SRC_PORT),
    target: addressOf(CTA_IP_V4_DST, CTA_IP_V6_DST),
    targetPort: portOf(CTA_PROTO_DST_PORT),
  };
}
