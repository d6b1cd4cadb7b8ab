import { expect, test } from "vitest";
import { codes, instance, parse } from "../testing/parse.ts";

/** So many addresses of the family, and `lines`; with the MTU of eth0. */
function resolve(count: number, family: 4 | 6, lines = "", mtu?: number) {
  const addresses = Array.from({ length: count }, (_, i) =>
    family === 4 ? `10.0.${Math.floor(i / 200)}.${(i % 200) + 1}` : `fe80::${(i + 1).toString(16)}`,
  );
  const text = instance(lines, "VI_1", 51, addresses.join("\n"));
  const { config, diagnostics } = parse(text, { mtu: (name) => (name === "eth0" ? mtu : undefined) });
  const [found] = config?.instances ?? [];
  return [
    found?.addresses.length,
    found?.excludedAddresses.length,
    diagnostics.filter(({ code }) => code === "too-many-addresses").map(({ line }) => line),
  ];
}

const hmac = "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\n}";
const ah = "authentication {\nauth_type AH\nauth_pass secret\n}";

test.each<[number, 4 | 6, string, number | undefined, number]>([
  // What it counts with is one octet.
  [260, 4, "", undefined, 255],
  [260, 4, "", 9000, 255],
  [260, 6, "", 9000, 255],
  // (MTU − headers) / 16 and / 4.
  [95, 6, "", undefined, 89],
  [95, 6, "", 1280, 76],
  [95, 6, hmac, undefined, 88],
  [140, 4, "", 576, 131],
  [140, 4, "version 3", 576, 133],
  [140, 4, ah, 576, 125],
  [140, 4, hmac, 576, 124],
])("%d addresses of IPv%d, %j, MTU %s: %d are advertised", (count, family, lines, mtu, room) => {
  const [advertised, excluded, told] = resolve(count, family, lines, mtu);
  expect([advertised, excluded]).toEqual([room, count - room]);
  // At the first that does not fit.
  expect(told).toEqual([4 + room]);
});

test("what fits is left alone", () => {
  expect(resolve(255, 4)).toEqual([255, 0, []]);
  expect(resolve(89, 6)).toEqual([89, 0, []]);
});

test("what is excluded anyway stands before what did not fit", () => {
  const excluded = "virtual_ipaddress_excluded {\n10.9.9.9\n}";
  const addresses = Array.from({ length: 256 }, (_, i) => `10.0.${Math.floor(i / 200)}.${(i % 200) + 1}`);
  const { config } = parse(instance(excluded, "VI_1", 51, addresses.join("\n")));
  expect(config?.instances[0]?.excludedAddresses.map(({ address }) => address)).toEqual(["10.9.9.9", "10.0.1.56"]);
});

test("an address without an interface is left out where the instance has none", () => {
  const instance = (address: string) =>
    `vrrp_instance A {\nvirtual_router_id 1\nunicast_src_ip 10.0.0.9\nunicast_peer { 10.0.0.3 }\nvirtual_ipaddress {\n${address}\n}\n}`;
  expect(codes(parse(instance("10.0.0.77")))).toContain("address-interface 6:1");
  expect(codes(parse(instance("10.0.0.77 dev eth0")))).not.toContain("address-interface 6:1");
});
