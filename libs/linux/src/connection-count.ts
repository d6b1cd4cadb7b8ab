// Who is connected through this machine to a server behind it: the kernel's connection tracking, asked for those alone that
// a rule here has led to that server.
import { ipFamily } from "@baton/domain";
import type { Closable } from "./api.ts";
import type { NetlinkMessage } from "./netlink-message.ts";
import { NETLINK_NETFILTER, type NetlinkClient, openNetlinkClient } from "./netlink-socket.ts";
import {
  connectionsOf,
  type Endpoint,
  listConnections,
  readTracked,
  type TrackedProtocol,
} from "./tracked-connection.ts";

export interface TranslatedConnections {
  readonly protocol: TrackedProtocol;
  /** To whom they were led. */
  readonly server: Endpoint;
  /** What the client asked for; undefined: anything. */
  readonly asked: Endpoint | undefined;
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
  const question = connectionsOf(ipFamily(to.server.address), to.protocol, to.server);
  client.dump(listConnections, question, (message) => {
    const found = readLed(message, to);
    if (found === undefined) return undefined;
    count(anything);
    if (found.asked === undefined) return undefined;
    const { address, port } = found.asked;
    for (const each of new Set([port, 0])) count(askedName({ address, port: each }));
    return undefined;
  });
  return counts;
}

const anything = "";
const askedName = ({ address, port }: Endpoint): string => `${address} ${port}`;

/** undefined: it is none of them. The answer is looked at as if the kernel had not filtered. */
function readLed(message: NetlinkMessage, { protocol, server }: TranslatedConnections) {
  const found = readTracked(message);
  if (found?.server === undefined || found.protocol !== protocol || !found.isTranslated) return undefined;
  if (found.server.address !== server.address || (server.port !== 0 && found.server.port !== server.port))
    return undefined;
  return protocol === "tcp" && !isTcpAlive(found.tcpState) ? undefined : found;
}

/** Of a state that is not told it is supposed. */
const isTcpAlive = (state: number | undefined): boolean =>
  state === undefined || (state >= tcpStates.first && state <= tcpStates.last);
