// Names and places as keepalived 2.4.3 gives them to the same configurations.
import { describe, expect, test } from "vitest";
import { parse } from "./testing/parse.ts";
import { virtualLinks } from "./virtual-links.ts";

const instance = (name: string, lines: string): string => `vrrp_instance ${name} {\n  version 3\n${lines}\n}\n`;

function linksOf(text: string) {
  const { config } = parse(text);
  if (config === undefined) throw new Error("no configuration");
  return { config, links: virtualLinks(config) };
}

/** Each link as `name parent mac`. */
const made = (text: string): string[] => [
  ...new Set(
    [...linksOf(text).links.values()].flatMap(({ links }) =>
      links.map((link) => [link.name, link.parent, link.kind === "macvlan" ? link.mac : link.mode].join(" ")),
    ),
  ),
];

/** Where each address stands. */
function places(text: string): string[] {
  const { config, links } = linksOf(text);
  return config.instances.flatMap((each) =>
    [...each.addresses, ...each.excludedAddresses].map(
      (line) => `${line.address} ${links.get(each.name)?.interfaceOf(line)}`,
    ),
  );
}

const four = (vrid: number, on = "eth0", more = ""): string =>
  `interface ${on}\nvirtual_router_id ${vrid}\nuse_vmac\n${more}\nvirtual_ipaddress {\n10.${vrid}.0.1\n}`;
const six = (vrid: number, more = ""): string =>
  `interface eth0\nvirtual_router_id ${vrid}\nuse_vmac\n${more}\nvirtual_ipaddress {\nfe80::${vrid}\n}`;

describe("names", () => {
  test("by VRID; counted where one is taken, over IPv6 by 6 first", () => {
    expect(made(instance("A", four(51)) + instance("B", four(51, "eth1")) + instance("C", six(51)))).toEqual([
      "vrrp.51 eth0 00:00:5e:00:01:33",
      "vrrp1.51 eth1 00:00:5e:00:01:33",
      "vrrp6.51 eth0 00:00:5e:00:02:33",
    ]);
  });

  test("a given one is nobody else's, wherever it stands", () => {
    const named = four(52).replace("use_vmac", "use_vmac vrrp.51 02:00:00:00:00");
    expect(made(instance("A", four(51)) + instance("B", named))).toEqual([
      "vrrp1.51 eth0 00:00:5e:00:01:33",
      "vrrp.51 eth0 02:00:00:00:00:34",
    ]);
  });

  test("prefixes are cut to what a name may have", () => {
    const globals = "global_defs {\nvmac_prefix quite-a-long-prefix\nvmac_addr_prefix a\n}\n";
    const more = "virtual_ipaddress_excluded {\n10.9.9.9 dev eth1 use_vmac\n}";
    expect(made(globals + instance("A", four(251, "eth0", more)) + instance("B", four(251, "eth2")))).toEqual([
      "quite-a-lon.251 eth0 00:00:5e:00:01:fb",
      "a.251 eth1 00:00:5e:00:01:fb",
      "quite-a-lo1.251 eth2 00:00:5e:00:01:fb",
    ]);
  });
});

describe("places", () => {
  test("own family and interface: on the instance's; others on the interface, unless they have one of their own", () => {
    const more =
      "virtual_ipaddress_excluded {\n10.9.9.9 dev eth1\n10.9.9.8 dev eth1 use_vmac\n10.9.9.7 dev eth1 use_vmac\n2001:db8::1\n}";
    expect(places(instance("A", four(51, "eth0", more)))).toEqual([
      "10.51.0.1 vrrp.51",
      "10.9.9.9 eth1",
      "10.9.9.8 vrrp1.51",
      "10.9.9.7 vrrp1.51",
      "2001:db8::1 eth0",
    ]);
  });

  test("use_vmac_addr: the others, too; a MAC address is on an interface once", () => {
    const more = "use_vmac_addr\nvirtual_ipaddress_excluded {\n10.9.9.9 dev eth1\n2001:db8::1\n}";
    expect(places(instance("A", four(51, "eth0", more)))).toEqual([
      "10.51.0.1 vrrp.51",
      "10.9.9.9 vrrp1.51",
      "2001:db8::1 vrrp6.51",
    ]);
    const given = four(51, "eth0", more).replace("use_vmac\n", "use_vmac vip0 02:00:00:00:00:01\n");
    expect(places(instance("A", given)).at(-1)).toBe("2001:db8::1 vip0");
  });

  test("adverts leave from the instance's link, with vmac_xmit_base from the interface below", () => {
    const adverts = (text: string) => linksOf(instance("A", text)).links.get("A")?.adverts;
    expect(adverts(four(51))).toBe("vrrp.51");
    expect(adverts(four(51, "eth0", "vmac_xmit_base"))).toBe("eth0");
    expect(adverts(four(51).replace("use_vmac", ""))).toBe("eth0");
    const own = linksOf(instance("A", six(51))).links.get("A")?.own;
    expect(own).toMatchObject({ linkLocal: "parent", ipv6: true });
    expect(linksOf(instance("A", six(51, "vmac_xmit_base"))).links.get("A")?.own).toMatchObject({ linkLocal: "none" });
    expect(linksOf(instance("A", six(51, "mcast_src_ip fe80::7"))).links.get("A")?.own).toMatchObject({
      linkLocal: "fe80::7",
    });
  });

  test("an ipvlan carries the addresses of its family and sends the adverts", () => {
    const text = instance("A", four(51).replace("use_vmac", "use_ipvlan 10.51.0.9/24 vepa"));
    expect(made(text)).toEqual(["vrrp.51 eth0 vepa"]);
    expect(places(text)).toEqual(["10.51.0.1 vrrp.51"]);
  });
});
