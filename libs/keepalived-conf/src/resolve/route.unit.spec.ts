// Routes, as keepalived 2.4.3 takes them: each line was also given to it.
import { describe, expect, test } from "vitest";
import type { StaticRouteConfig } from "../config.ts";
import { exitCodeOf } from "../diagnostics.ts";
import type { ParseInput } from "../parse-config.ts";
import { codes, parse } from "../testing/parse.ts";

const machine: Partial<ParseInput> = {
  interfaceExists: (name) => /^(eth[01]|red)$/.test(name),
  linkKind: (name) => (name === "red" ? "vrf" : ""),
  numberOfName: (table, name) => (table === "rt_tables" && name === "guests" ? 77 : undefined),
};

function resolve(lines: string, input = machine) {
  const result = parse(`static_routes {\n${lines}\n}`, input);
  const told = codes(result).filter((code) => !code.startsWith("accepted"));
  return { routes: result.config?.staticRoutes, told, exit: exitCodeOf(result.diagnostics), result };
}

const noMetrics = {
  mtu: undefined,
  advertisedMss: undefined,
  hopLimit: undefined,
  roundTripTime: undefined,
  roundTripVariance: undefined,
  retransmitMin: undefined,
  reordering: undefined,
  window: undefined,
  congestionWindow: undefined,
  slowStartThreshold: undefined,
  initialCongestionWindow: undefined,
  initialReceiveWindow: undefined,
  quickAck: undefined,
  fastOpenNoCookie: undefined,
  congestionControl: undefined,
  ecn: false,
  locked: [],
};

const plain = {
  family: 4,
  type: 1,
  destination: { address: "10.0.0.0", prefixLength: 8 },
  source: undefined,
  preferredSource: undefined,
  gateway: undefined,
  interface: undefined,
  nextHops: [],
  table: 254,
  vrf: undefined,
  protocol: 18,
  scope: undefined,
  typeOfService: 0,
  metric: undefined,
  onlink: false,
  realms: undefined,
  encapsulation: undefined,
  expires: undefined,
  routerPreference: undefined,
  ttlPropagate: undefined,
  metrics: noMetrics,
  placement: "prepend",
  tracked: true,
  trackGroup: undefined,
};

const everything4 = { address: "0.0.0.0", prefixLength: 0 };
const everything6 = { address: "::", prefixLength: 0 };
const net6 = { address: "2001:db8::", prefixLength: 32 };
const hop = {
  gateway: "10.9.9.1",
  interface: undefined,
  weight: 1,
  onlink: false,
  realms: undefined,
  encapsulation: undefined,
};

test("all that a route can say", () => {
  expect(resolve("10.0.0.0/8").routes).toEqual([plain]);
});

describe("where to and how", () => {
  test.each<[string, object]>([
    ["10.0.0.0/8 via 10.9.9.1 dev eth0", { gateway: "10.9.9.1", interface: "eth0" }],
    ["10.0.0.0/8 via inet 10.9.9.1 oif eth1", { gateway: "10.9.9.1", interface: "eth1" }],
    ["via 10.9.9.1 10.0.0.0/8", { gateway: "10.9.9.1" }],
    ["to 10.0.0.0/8", {}],
    ["10.1.0.0/16 10.0.0.0/8", {}],
    ["10.2.3.4", { destination: { address: "10.2.3.4", prefixLength: 32 } }],
    ["default via 10.9.9.1", { destination: everything4, gateway: "10.9.9.1" }],
    ["all dev eth0", { destination: everything4, interface: "eth0" }],
    ["default via fe80::1 dev eth0", { family: 6, destination: everything6, gateway: "fe80::1", interface: "eth0" }],
    ["default6 dev eth0", { family: 6, destination: everything6, interface: "eth0" }],
    ["2001:db8::/32 dev eth0", { family: 6, destination: net6, interface: "eth0" }],
    ["2001:db8::/32 from 2001:db8::/32", { family: 6, destination: net6, source: net6 }],
    ["2001:db8::/32 from default6", { family: 6, destination: net6, source: everything6 }],
    ["inet inet 10.0.0.0/8", {}],
    ["inet6 inet6 2001:db8::/32", { family: 6, destination: net6 }],
    ["10.0.0.0/8 src 10.9.9.2", { preferredSource: "10.9.9.2" }],
    ["blackhole 10.0.0.0/8", { type: 6 }],
    ["8 10.0.0.0/8", { type: 8 }],
    ["unreachable 10.1.0.0/16 10.0.0.0/8", { type: 7 }],
    ["10.0.0.0/8 metric 5", { metric: 5 }],
    ["10.0.0.0/8 priority 0", { metric: 0 }],
    ["10.0.0.0/8 preference 4294967295", { metric: 4294967295 }],
    ["10.0.0.0/8 table 5", { table: 5 }],
    ["10.0.0.0/8 table 0x10", { table: 16 }],
    ["10.0.0.0/8 table 010", { table: 8 }],
    ["10.0.0.0/8 table local", { table: 255 }],
    ["10.0.0.0/8 table guests", { table: 77 }],
    ["10.0.0.0/8 vrf red", { vrf: "red" }],
    ["10.0.0.0/8 table 5 vrf red", { vrf: "red" }],
    ["10.0.0.0/8 vrf red table 5", { table: 5 }],
    ["10.0.0.0/8 scope link tos 0x10", { scope: 253, typeOfService: 16 }],
    ["10.0.0.0/8 dsfield 255 scope 0", { scope: 0, typeOfService: 255 }],
    ["10.0.0.0/8 protocol static no_track", { protocol: 4, tracked: false }],
    ["10.0.0.0/8 no_track", { tracked: false }],
    ["10.0.0.0/8 protocol 18", {}],
    ["10.0.0.0/8 onlink", { onlink: true }],
    ["10.0.0.0/8 realms 5", { realms: { source: 0, destination: 5 } }],
    ["10.0.0.0/8 realms 3/5", { realms: { source: 3, destination: 5 } }],
    ["2001:db8::/32 expires 10", { family: 6, destination: net6, expires: 10_000_000 }],
    ["2001:db8::/32 pref high", { family: 6, destination: net6, routerPreference: 1 }],
    ["2001:db8::/32 pref low", { family: 6, destination: net6, routerPreference: 3 }],
    ["2001:db8::/32 pref 7", { family: 6, destination: net6, routerPreference: 7 }],
    ["10.0.0.0/8 ttl-propagate disabled", { ttlPropagate: false }],
    ["10.0.0.0/8 add", { placement: "add" }],
    ["10.0.0.0/8 add append", { placement: "append" }],
    ["10.0.0.0/8 add prepend", {}],
  ])("%s", (line, expected) => {
    expect(resolve(line)).toMatchObject({ routes: [{ ...plain, ...expected }], told: [] });
  });
});

describe("metrics", () => {
  test.each<[string, object]>([
    ["mtu 1400", { mtu: 1400 }],
    ["mtu lock 1400 advmss 1360", { mtu: 1400, advertisedMss: 1360, locked: ["mtu"] }],
    ["mtu lock 1400 mtu 1300", { mtu: 1300, locked: ["mtu"] }],
    ["hoplimit 255", { hopLimit: 255 }],
    ["rtt 1s", { roundTripTime: 1_000_000 }],
    ["rtt 1SEC", { roundTripTime: 1_000_000 }],
    ["rtt lock 300msecs", { roundTripTime: 300_000, locked: ["roundTripTime"] }],
    ["rtt .3s", { roundTripTime: 300_000 }],
    ["rtt 8000", { roundTripTime: 1_000_000 }],
    ["rttvar 480000", { roundTripVariance: 120_000_000 }],
    ["rttvar 250ms", { roundTripVariance: 250_000 }],
    ["rto_min 120s", { retransmitMin: 120_000_000 }],
    ["rto_min 200", { retransmitMin: 200_000 }],
    [
      "reordering 1 window 2 cwnd 3 ssthresh lock 4",
      {
        reordering: 1,
        window: 2,
        congestionWindow: 3,
        slowStartThreshold: 4,
        locked: ["slowStartThreshold"],
      },
    ],
    ["initcwnd 10 initrwnd 0", { initialCongestionWindow: 10, initialReceiveWindow: 0 }],
    ["quickack 1 fastopen_no_cookie 0", { quickAck: true, fastOpenNoCookie: false }],
    ["congctl lock cubic", { congestionControl: "cubic", locked: ["congestionControl"] }],
    ["features ecn", { ecn: true }],
  ])("%s", (words, expected) => {
    const { routes, told } = resolve(`10.0.0.0/8 ${words}`);
    expect(routes).toMatchObject([{ metrics: { ...noMetrics, ...expected } }]);
    expect(told).toEqual([]);
  });

  test.each<[string, object]>([
    ["rtt 0.1s", { roundTripTime: 200_000 }],
    ["rtt 0", { roundTripTime: 200_000 }],
    ["rtt 200s", { roundTripTime: 120_000_000 }],
    ["rtt 960s", { roundTripTime: 120_000_000 }],
    ["rtt 300.5ms", { roundTripTime: 301_000 }],
    ["rtt 0.3005s", { roundTripTime: 301_000 }],
    ["rtt 2400.5", { roundTripTime: 300_125 }],
  ])("%s is fitted", (words, expected) => {
    const { routes, told } = resolve(`10.0.0.0/8 ${words}`);
    expect(routes).toMatchObject([{ metrics: expected }]);
    expect(told).toEqual(["time-range 2:16"]);
  });
});

describe("next hops", () => {
  test.each<[string, object]>([
    ["nexthop via 10.9.9.1", [hop]],
    [
      "nexthop via inet 10.9.9.1 dev eth0 weight 256 onlink nexthop dev eth1 realms 1/2",
      [
        { ...hop, interface: "eth0", weight: 256, onlink: true },
        { ...hop, gateway: undefined, interface: "eth1", realms: { source: 1, destination: 2 } },
      ],
    ],
    ["nexthop encap mpls 100 via 10.9.9.1", [{ ...hop, encapsulation: { type: "mpls", labels: [100] } }]],
  ])("%s", (words, nextHops) => {
    expect(resolve(`10.0.0.0/8 ${words}`)).toMatchObject({ routes: [{ ...plain, nextHops }], told: [] });
  });

  test("or is an old way to say two of them", () => {
    const { routes, told } = resolve("10.0.0.0/8 via 10.9.9.1 or 10.9.9.2 dev eth0");
    expect(routes).toMatchObject([
      { gateway: undefined, interface: "eth0", nextHops: [hop, { ...hop, gateway: "10.9.9.2" }] },
    ]);
    expect(told).toEqual(["deprecated 2:25"]);
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ["nexthop via 10.9.9.1 nonsense", ["10.9.9.1"], ["invalid-value"]],
    ["nexthop via 10.9.9.1 nexthop via fe80::1 nexthop via 10.9.9.3", ["10.9.9.1"], ["address-family"]],
    ["nexthop via 10.9.9.1 nexthop via x nexthop via 10.9.9.3", ["10.9.9.1"], ["invalid-value"]],
    ["nexthop via 10.9.9.1 weight 0", [], ["route-hops", "invalid-value"]],
    ["nexthop via 10.9.9.1 weight 257", [], ["route-hops", "invalid-number"]],
    ["nexthop dev nowhere", [], ["route-hops", "interface-missing"]],
    ["nexthop via 10.9.9.1 as to 10.9.9.2", [], ["route-hops", "invalid-value"]],
  ])("%s: the route stays, with the hops before that", (words, gateways, expected) => {
    const { routes, told, exit } = resolve(`10.0.0.0/8 ${words}`);
    expect(routes?.map(({ nextHops }) => nextHops.map(({ gateway }) => gateway))).toEqual([gateways]);
    expect(told.map((code) => code.replace(/ .*/, ""))).toEqual(expected);
    expect(exit).toBe(5);
  });
});

describe("encapsulation", () => {
  const tunnel = {
    id: undefined,
    destination: undefined,
    source: undefined,
    typeOfService: undefined,
    hopLimit: undefined,
    flags: undefined,
  };
  test.each<[string, object]>([
    [
      "ip id 5 dst 1.2.3.4 src 4.3.2.1 tos 8 ttl 9 flags 3",
      {
        type: "ip",
        id: "5",
        destination: "1.2.3.4",
        source: "4.3.2.1",
        typeOfService: 8,
        hopLimit: 9,
        flags: 3,
      },
    ],
    ["ip id 18446744073709551615", { ...tunnel, type: "ip", id: "18446744073709551615" }],
    [
      "ip6 dst 2001:db8::1 tc 4 hoplimit 64",
      {
        ...tunnel,
        type: "ip6",
        destination: "2001:db8::1",
        typeOfService: 4,
        hopLimit: 64,
      },
    ],
    ["mpls 100/1048575", { type: "mpls", labels: [100, 1_048_575] }],
    ["ila 1:20:300:ffff", { type: "ila", locator: [1, 0x20, 0x300, 0xffff] }],
  ])("%s", (words, encapsulation) => {
    const { routes, told } = resolve(`10.0.0.0/8 encap ${words} dev eth0`);
    expect(routes).toMatchObject([{ interface: "eth0", encapsulation }]);
    expect(told).toEqual([]);
  });

  test.each([
    ["encap mpls 1048576 dev eth0", ["invalid-value 2:23"]],
    ["encap mpls 1/2/3 dev eth0", ["invalid-value 2:23"]],
    ["encap ila 1:2:3 dev eth0", ["invalid-value 2:22"]],
    ["encap ila 1:2:3:10000 dev eth0", ["invalid-value 2:22"]],
    ["encap ip dev eth0", ["invalid-value 2:12"]],
    ["dev eth0 encap", ["invalid-value 2:21"]],
    ["dev eth0 encap mpls", ["invalid-value 2:27"]],
  ])("%s: the route stays, without it", (words, told) => {
    const result = resolve(`10.0.0.0/8 ${words}`);
    expect(result).toMatchObject({ routes: [{ interface: "eth0", encapsulation: undefined }], told, exit: 5 });
  });

  test.each([
    ["encap ip dst fe80::1", ["invalid-value", "invalid-value"]],
    ["encap ip id 18446744073709551616", ["invalid-value", "invalid-value"]],
    ["encap ip ttl 256", ["invalid-value", "invalid-value"]],
    ["encap ip dst", ["invalid-value", "invalid-value"]],
    ["encap ip6 dst 2001:db8::1 ttl 3", ["invalid-value"]],
  ])("%s: what is not understood is read as a part of the route, which is left out", (words, expected) => {
    const { routes, told } = resolve(`10.0.0.0/8 ${words}`);
    expect(routes).toEqual([]);
    expect(told.map((code) => code.replace(/ .*/, ""))).toEqual(expected);
  });

  test("behind a type that it does not know keepalived passes over a word", () => {
    const { routes, told } = resolve("10.0.0.0/8 encap foo via 10.9.9.1");
    expect(routes).toMatchObject([{ destination: { address: "10.9.9.1", prefixLength: 32 }, gateway: undefined }]);
    expect(told).toEqual(["invalid-value 2:18"]);
  });
});

describe("left out", () => {
  test.each([
    ["dev eth0", "route-destination 2:1"],
    ["10.0.0.0/8 dev nowhere", "interface-missing 2:16"],
    ["10.0.0.0/8 via fe80::1", "address-family 2:12"],
    ["10.0.0.0/8 via inet6 10.9.9.1", "address-family 2:12"],
    ["via 10.9.9.1 default", "address-family 2:14"],
    ["2001:db8::/32 src 10.9.9.1", "address-family 2:15"],
    ["10.0.0.0/8 from 10.1.0.0/16", "address-family 2:12"],
    ["2001:db8::/32 from default", "address-family 2:15"],
    ["10.0.0.0/8 expires 5", "address-family 2:12"],
    ["10.0.0.0/8 pref high", "address-family 2:12"],
    ["10.0.0.0/8 pref", "address-family 2:12"],
    ["2001:db8::/32 realms 5", "address-family 2:15"],
    ["10.0.0.0/8 realms 256", "invalid-value 2:19"],
    ["10.0.0.0/8 inet6 inet6", "address-family 2:12"],
    ["10.0.0.0/8 vrf blue", "vrf-missing 2:12"],
    ["10.0.0.0/8 vrf eth0", "vrf-missing 2:12"],
    ["10.0.0.0/8 metric 4294967296", "invalid-number 2:19"],
    ["10.0.0.0/8 metric -1", "invalid-number 2:19"],
    ["10.0.0.0/8 metric 0x10", "invalid-number 2:19"],
    ["10.0.0.0/8 hoplimit 256", "invalid-number 2:21"],
    ["10.0.0.0/8 mtu x", "invalid-number 2:16"],
    ["10.0.0.0/8 tos 256", "invalid-value 2:16"],
    ["10.0.0.0/8 table nowhere", "invalid-value 2:18"],
    ["10.0.0.0/8 scope planet", "invalid-value 2:18"],
    ["10.0.0.0/8 quickack 2", "invalid-value 2:21"],
    ["10.0.0.0/8 rtt 961s", "invalid-value 2:16"],
    ["10.0.0.0/8 rtt 1e3s", "invalid-value 2:16"],
    ["10.0.0.0/8 rtt 1sx", "invalid-value 2:16"],
    ["10.0.0.0/8 rtt s", "invalid-value 2:16"],
    ["10.0.0.0/8 rto_min 121s", "invalid-value 2:20"],
    ["2001:db8::/32 pref middle", "invalid-number 2:20"],
    ["to blackhole 10.0.0.0/8", "invalid-value 2:4"],
    ["10.0.0.0/8 vai 10.9.9.1", "invalid-value 2:12"],
    ["10.0.0.0/8 or x", "invalid-value 2:15"],
  ])("%s", (line, code) => {
    const { routes, told, exit } = resolve(`${line}\n10.7.0.0/16`);
    expect(routes?.map(({ destination }) => destination.address)).toEqual(["10.7.0.0"]);
    expect(told).toEqual([code]);
    expect(exit).toBe(5);
  });

  test("or with nexthop", () => {
    const { routes, told } = resolve("10.0.0.0/8 via 10.9.9.1 or 10.9.9.2 nexthop via 10.9.9.3");
    expect(routes).toEqual([]);
    expect(told).toEqual(["deprecated 2:25", "route-hops 2:37"]);
  });

  test("a word that may be misspelt is told with the right one", () => {
    const { diagnostics } = resolve("10.0.0.0/8 metrik 5").result;
    expect(diagnostics.find(({ code }) => code === "invalid-value")).toMatchObject({
      hint: "did you mean metric?",
      text: "metrik",
    });
  });
});

describe("kept, but not as written", () => {
  test.each<[string, object, string[]]>([
    ["10.0.0.0/8 gw 10.9.9.1", { gateway: "10.9.9.1" }, ["deprecated 2:12"]],
    ["10.0.0.0/8 protocol static", { protocol: 18 }, ["protocol 2:12"]],
    ["10.0.0.0/33", { destination: { address: "10.0.0.0", prefixLength: 32 } }, ["prefix-length 2:1"]],
    ["10.0.0.0/8 ttl-propagate yes", { ttlPropagate: false }, ["invalid-value 2:26"]],
    ["10.0.0.0/8 rtt 1000.2.3ms", { metrics: { roundTripTime: 1_000_000 } }, ["time-range 2:16"]],
    ["10.0.0.0/8 features fast", { metrics: { ecn: false } }, ["invalid-value 2:21"]],
    ["10.0.0.0/8 as to 10.1.1.1 metric 3", { metric: 3 }, ["unknown-option 2:12"]],
    ["10.0.0.0/8 as 10.1.1.1 metric 3", { metric: 3 }, ["unknown-option 2:12"]],
  ])("%s", (line, expected, told) => {
    expect(resolve(line)).toMatchObject({ routes: [expected], told, exit: 5 });
  });

  test.each<[string, object, string[]]>([
    ["inet6 default 2001:db8::/32", { family: 6 }, ["word-skipped 2:7"]],
    ["10.0.0.0/8 table 4294967297", { table: 1 }, ["number-wraps 2:18"]],
    ["10.0.0.0/8 table -1", { table: 4294967295 }, ["number-wraps 2:18"]],
  ])("%s, of which keepalived says nothing", (line, expected, told) => {
    expect(resolve(line)).toMatchObject({ routes: [expected], told, exit: 0 });
  });
});

test.each([
  "10.0.0.0/8 nexthop as",
  "10.0.0.0/8 via",
  "10.0.0.0/8 mtu lock",
  "blackhole",
  "to",
  "10.0.0.0/8 nexthop via 10.9.9.1 weight",
])("%s: a word is missing, and keepalived ends", (line) => {
  const { routes, told, exit } = resolve(`10.7.0.0/16\n${line}`);
  expect(routes).toBeUndefined();
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^missing-parameter 3:/);
  expect(exit).toBe(2);
});

test("without facts about the machine, names and interfaces are taken as they come", () => {
  const routes = resolve("10.0.0.0/8 dev nowhere vrf blue", {}).routes as StaticRouteConfig[];
  expect(routes).toMatchObject([{ interface: "nowhere", vrf: "blue" }]);
});

test("the routes of an instance, which know no track_group", () => {
  const result = parse(
    "vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress { 10.0.0.1 }\nvirtual_routes {\n10.0.0.0/8 dev eth1\n10.1.0.0/16 track_group g\n}\n}",
    machine,
  );
  const { trackGroup: _none, ...route } = plain;
  expect(result.config?.instances[0]?.routes).toEqual([{ ...route, interface: "eth1" }]);
  expect(codes(result)).toEqual(["invalid-value 7:13"]);
});
