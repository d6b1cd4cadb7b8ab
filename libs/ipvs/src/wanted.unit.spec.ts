// Through the parser, as keepalived.conf says it: what arrives in the kernel.
import { parseConfig } from "@baton/keepalived-conf";
import { describe, expect, test } from "vitest";
import { ipvsadmRules, type PoolView, rangeMax, type WantedTable, wantedTable } from "./mod.ts";
import { ip, masquerade } from "./testing/mod.ts";

/** As long as all are alive. */
const everybody: PoolView = ({ realServers }) => realServers;

function wantedOf(text: string, poolOf: PoolView = everybody): WantedTable {
  const { config } = parseConfig({ file: "keepalived.conf", hostName: "r1", readFile: () => ({ text }) });
  return wantedTable(config ?? expect.fail("no configuration"), poolOf);
}

const rulesOf = (text: string, poolOf: PoolView = everybody): string[] =>
  ipvsadmRules(wantedOf(text, poolOf).services.values());

const server = (id: string, lines: string, servers = "real_server 192.0.2.11 80 {\n}"): string =>
  `virtual_server ${id} {\nlb_algo rr\n${lines}\n${servers}\n}\n`;

describe("a virtual server of its own", () => {
  test("with everything that a service can have", () => {
    const lines =
      "protocol TCP\nlb_kind NAT\nlb_algo sh\nsh-port\npersistence_timeout 600\npersistence_granularity 255.255.254.0";
    expect(rulesOf(server("192.0.2.1 443", lines))).toEqual([
      "-A -t 192.0.2.1:443 -s sh -p 600 -M 255.255.254.0 -b sh-port",
      "-a -t 192.0.2.1:443 -r 192.0.2.11:80 -m -w 1",
    ]);
  });

  test.each([
    ["persistence_engine sip\npersistence_timeout 60\nprotocol UDP", "-u 192.0.2.1:80 -s rr -p 60 --pe sip"],
    ["persistence_engine sip\nprotocol UDP", "-u 192.0.2.1:80 -s rr"],
    ["protocol SCTP", "--sctp-service 192.0.2.1:80 -s rr"],
    ["ops\nprotocol UDP", "-u 192.0.2.1:80 -s rr -o"],
    ["flag-1\nflag-3\nprotocol TCP", "-t 192.0.2.1:80 -s rr -b flag-1,flag-3"],
    ["lb_algo mh\nmh-fallback\nmh-port\nprotocol TCP", "-t 192.0.2.1:80 -s mh -b mh-fallback,mh-port"],
  ])("%j", (lines, expected) => {
    expect(rulesOf(server("192.0.2.1 80", `lb_kind NAT\n${lines}`))[0]).toBe(`-A ${expected}`);
  });

  test("IPv6, with a prefix that is one client", () => {
    const text = server(
      "2001:db8::1 80",
      "protocol TCP\nlb_kind DR\npersistence_timeout 60\npersistence_granularity 64",
      "real_server 2001:db8::11 80 {\n}",
    );
    expect(rulesOf(text)).toEqual([
      "-A -t [2001:db8::1]:80 -s rr -p 60 -M 64",
      "-a -t [2001:db8::1]:80 -r [2001:db8::11]:80 -g -w 1",
    ]);
  });

  test("all ports are served with persistence", () => {
    expect(rulesOf(server("192.0.2.1 0", "protocol TCP\nlb_kind NAT"))).toEqual([
      "-A -t 192.0.2.1:0 -s rr -p 360",
      "-a -t 192.0.2.1:0 -r 192.0.2.11:80 -m -w 1",
    ]);
  });

  test("thresholds and weights are those of the servers", () => {
    const servers = "real_server 192.0.2.11 80 {\nweight 7\nuthreshold 100\nlthreshold 50\n}";
    const [service] = wantedOf(server("192.0.2.1 80", "protocol TCP\nlb_kind NAT", servers)).services.values();
    expect(service?.destinations).toEqual([
      {
        family: 4,
        address: "192.0.2.11",
        port: 80,
        forwarding: masquerade,
        weight: 7,
        upperThreshold: 100,
        lowerThreshold: 50,
      },
    ]);
  });

  test.each([
    [0, 0, 0, 0],
    [9, 9, 9, 9],
    [9, 10, 9, 9],
    [0, 5, 0, 0],
    [2 ** 32 - 1, 2 ** 31, 2 ** 31 - 1, 2 ** 31 - 1],
  ])("thresholds of %d and %d are %d and %d in the kernel", (upper, lower, ...expected) => {
    const [service] = wantedOf(server("192.0.2.1 80", "protocol TCP\nlb_kind NAT"), ({ realServers }) =>
      realServers.map((each) => ({ ...each, upperThreshold: upper, lowerThreshold: lower })),
    ).services.values();
    const [destination] = service?.destinations ?? [];
    expect([destination?.upperThreshold, destination?.lowerThreshold]).toEqual(expected);
  });

  test.each([
    [-5, 0],
    [2 ** 31, 2 ** 31 - 1],
    [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
    [2.7, 2],
  ])("an effective weight of %d is %d in the kernel", (weight, expected) => {
    const [service] = wantedOf(server("192.0.2.1 80", "protocol TCP\nlb_kind NAT"), ({ realServers }) =>
      realServers.map((each) => ({ ...each, weight })),
    ).services.values();
    expect(service?.destinations[0]?.weight).toBe(expected);
  });
});

describe("ports", () => {
  const port = (id: string, kind: string, own: string) => {
    const lines = `protocol TCP\nlb_kind ${kind}`;
    return rulesOf(server(id, lines, `real_server 192.0.2.11 ${own} {\n}`))[1]?.match(/-r \S+:(\d+)/)?.[1];
  };

  test.each([
    ["192.0.2.1 80", "NAT", "8080", "8080"],
    ["192.0.2.1 80", "NAT", "0", "80"],
    ["192.0.2.1 80", "DR", "8080", "80"],
    ["192.0.2.1 80", "TUN", "0", "80"],
    ["fwmark 7", "NAT", "8080", "8080"],
    ["fwmark 7", "NAT", "0", "0"],
    ["fwmark 7", "DR", "8080", "0"],
    ["fwmark 7", "TUN", "8080", "0"],
  ])("%s by %s with port %s: %s", (id, kind, own, expected) => expect(port(id, kind, own)).toBe(expected));

  test("in a group each service has its own, and a mark none", () => {
    const group = "virtual_server_group g {\n192.0.2.1 80\n192.0.2.1 81\nfwmark 7\n}\n";
    const servers = "real_server 192.0.2.11 80 {\nlvs_method DR\n}\nreal_server 192.0.2.12 8080 {\nlvs_method NAT\n}";
    expect(rulesOf(group + server("group g", "protocol TCP\nlb_kind DR", servers))).toEqual([
      "-A -t 192.0.2.1:80 -s rr",
      "-a -t 192.0.2.1:80 -r 192.0.2.11:80 -g -w 1",
      "-a -t 192.0.2.1:80 -r 192.0.2.12:8080 -m -w 1",
      "-A -t 192.0.2.1:81 -s rr",
      "-a -t 192.0.2.1:81 -r 192.0.2.11:81 -g -w 1",
      "-a -t 192.0.2.1:81 -r 192.0.2.12:8080 -m -w 1",
      "-A -f 7 -s rr",
      "-a -f 7 -r 192.0.2.11:0 -g -w 1",
      "-a -f 7 -r 192.0.2.12:8080 -m -w 1",
    ]);
  });

  test("servers that become one without their ports serve while one of them does", () => {
    const group = "virtual_server_group g {\nfwmark 7\n}\n";
    const servers = "real_server 192.0.2.11 80 {\nweight 0\n}\nreal_server 192.0.2.11 81 {\nweight 3\n}";
    expect(rulesOf(group + server("group g", "lb_kind DR", servers))).toEqual([
      "-A -f 7 -s rr",
      "-a -f 7 -r 192.0.2.11:0 -g -w 3",
    ]);
  });
});

describe("groups", () => {
  const keysOf = (entries: string, lines = "protocol TCP\nlb_kind NAT") => [
    ...wantedOf(`virtual_server_group g {\n${entries}\n}\n${server("group g", lines)}`).services.keys(),
  ];

  test("a range is a service for each of its addresses, across octets", () => {
    expect(keysOf("192.0.2.254-192.0.3.1 80")).toEqual([
      "tcp 192.0.2.254:80",
      "tcp 192.0.2.255:80",
      "tcp 192.0.3.0:80",
      "tcp 192.0.3.1:80",
    ]);
    expect(keysOf("192.0.2.0/30 80")).toHaveLength(4);
    expect(keysOf("255.255.255.255 80")).toEqual(["tcp 255.255.255.255:80"]);
  });

  test("both families, with servers in tunnels", () => {
    const text = `virtual_server_group g {\n2001:db8::1-2 80\n192.0.2.1 80\nfwmark 6 inet6\nfwmark 6 inet\n}\n${server(
      "group g",
      "protocol UDP\nlb_kind TUN",
      "real_server 192.0.2.11 80 {\n}\nreal_server 2001:db8::11 80 {\n}",
    )}`;
    expect([...wantedOf(text).services.keys()]).toEqual([
      "udp [2001:db8::1]:80",
      "udp [2001:db8::2]:80",
      "udp 192.0.2.1:80",
      "fwmark 6 IPv6",
      "fwmark 6 IPv4",
    ]);
    expect(rulesOf(text)).toContain("-a -u 192.0.2.1:80 -r [2001:db8::11]:80 -i -w 1 --tun-type ipip");
  });

  test("a mark of 0 in a group is no service: packets without a mark have it", () => {
    const group = "virtual_server_group g {\nfwmark 0\n192.0.2.1 80\n}\n";
    const { services } = wantedOf(group + server("group g", "protocol TCP\nlb_kind NAT"));
    expect([...services.keys()]).toEqual(["tcp 192.0.2.1:80"]);
  });

  test("a mark without a family has that of the servers", () => {
    const text = `virtual_server_group g {\nfwmark 7\n}\n${server(
      "group g",
      "lb_kind NAT\nip_family inet6",
      "real_server 2001:db8::11 80 {\n}",
    )}`;
    expect([...wantedOf(text).services.keys()]).toEqual(["fwmark 7 IPv6"]);
  });

  test("persistence holds for all services, its granularity for none, as keepalived has it", () => {
    const lines = "protocol TCP\nlb_kind NAT\npersistence_timeout 60\npersistence_granularity 255.255.255.0";
    const text = `virtual_server_group g {\n192.0.2.1 80\nfwmark 7\n}\n${server("group g", lines)}`;
    expect(rulesOf(text).filter((rule) => rule.startsWith("-A"))).toEqual([
      "-A -t 192.0.2.1:80 -s rr -p 60",
      "-A -f 7 -s rr -p 60",
    ]);
  });

  test("a range that is too wide is left out and told of; the rest is there", () => {
    const entries = "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 80\n2001:db8::1 443";
    const text = `virtual_server_group g {\n${entries}\n}\n${server(
      "group g",
      "protocol TCP\nlb_kind NAT",
      "real_server 2001:db8::11 80 {\n}",
    )}`;
    const wanted = wantedOf(text);
    expect([...wanted.services.keys()]).toEqual(["tcp [2001:db8::1]:443"]);
    expect(wanted.tooWide).toEqual([{ first: ip("2001:db8::"), last: ip("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff") }]);
    expect(keysOf("10.0.0.0/16 80")).toHaveLength(rangeMax);
    expect(keysOf("10.0.0.0-10.1.0.0 80")).toEqual([]);
  });

  test("a mark that two protocols have in common is one service, with the servers of both", () => {
    const group = "virtual_server_group g {\n192.0.2.1 80\nfwmark 7\n}\n";
    const tcp = server("group g", "protocol TCP\nlb_kind NAT\nlb_algo wrr");
    const udp = server(
      "group g",
      "protocol UDP\nlb_kind NAT\nlb_algo lc",
      "real_server 192.0.2.11 80 {\nweight 5\n}\nreal_server 192.0.2.12 80 {\n}",
    );
    expect(rulesOf(group + tcp + udp).slice(-3)).toEqual([
      "-A -f 7 -s wrr",
      "-a -f 7 -r 192.0.2.11:80 -m -w 5",
      "-a -f 7 -r 192.0.2.12:80 -m -w 1",
    ]);
  });
});

describe("what the pools want", () => {
  const text =
    server("192.0.2.1 80", "protocol TCP\nlb_kind DR\nsorry_server 192.0.2.99 80") + server("fwmark 7", "lb_kind NAT");

  test("counts, and nothing that is configured beside it", () => {
    const sorry: PoolView = ({ id, sorryServer }) =>
      id.kind === "fwmark" || sorryServer === undefined
        ? []
        : [{ ...sorryServer, weight: 1, upperThreshold: 0, lowerThreshold: 0 }];
    expect(rulesOf(text, sorry)).toEqual([
      "-A -t 192.0.2.1:80 -s rr",
      "-a -t 192.0.2.1:80 -r 192.0.2.99:80 -g -w 1",
      "-A -f 7 -s rr",
    ]);
  });

  test("of a pool that nobody knows yet the service is neither wanted nor unwanted", () => {
    const wanted = wantedOf(text, ({ id, realServers }) => (id.kind === "fwmark" ? undefined : realServers));
    expect([[...wanted.services.keys()], [...wanted.unknown]]).toEqual([["tcp 192.0.2.1:80"], ["fwmark 7 IPv4"]]);
  });

  test("a service of two pools waits for both", () => {
    const group = "virtual_server_group g {\nfwmark 7\n192.0.2.1 80\n}\n";
    const both =
      group + server("group g", "protocol TCP\nlb_kind NAT") + server("group g", "protocol UDP\nlb_kind NAT");
    const wanted = wantedOf(both, ({ protocol, realServers }) => (protocol === "udp" ? undefined : realServers));
    expect([[...wanted.services.keys()], [...wanted.unknown]]).toEqual([
      ["tcp 192.0.2.1:80"],
      ["fwmark 7 IPv4", "udp 192.0.2.1:80"],
    ]);
  });
});
