// Names of numbers in addresses, routes and rules that every machine has (linux/rtnetlink.h, linux/in.h). Others come from
// iproute2's files and /etc/protocols.
import type { NameTable } from "../machine.ts";

const names = (numbers: Readonly<Record<string, number>>): ReadonlyMap<string, number> =>
  new Map(Object.entries(numbers));

/** RTPROT_KEEPALIVED: by it keepalived and Baton know their own routes and rules. */
export const keepalivedProtocol = 18;

export const mainTable = 254;

export const knownNames: Readonly<Record<NameTable, ReadonlyMap<string, number>>> = {
  rt_tables: names({ default: 253, main: mainTable, local: 255 }),
  rt_protos: names({
    none: 0,
    redirect: 1,
    kernel: 2,
    boot: 3,
    static: 4,
    gated: 8,
    ra: 9,
    mrt: 10,
    zebra: 11,
    bird: 12,
    dnrouted: 13,
    xorp: 14,
    ntk: 15,
    dhcp: 16,
    babel: 42,
  }),
  rt_scopes: names({ global: 0, site: 200, link: 253, host: 254, nowhere: 255 }),
  rt_realms: names({}),
  rt_dsfield: names({}),
  group: names({ default: 0 }),
  protocols: names({
    icmp: 1,
    igmp: 2,
    tcp: 6,
    udp: 17,
    dccp: 33,
    gre: 47,
    esp: 50,
    ah: 51,
    "ipv6-icmp": 58,
    ospf: 89,
    vrrp: 112,
    l2tp: 115,
    sctp: 132,
    udplite: 136,
  }),
};

/** Types of routes. */
export const routeTypes: ReadonlyMap<string, number> = names({
  unicast: 1,
  local: 2,
  broadcast: 3,
  brd: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
  xresolve: 11,
});
