import { parseIp } from "@baton/domain";
import { describe, expect, test } from "vitest";
import { lintFindings, lintTold } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

test("two instances with one address", () => {
  const two = instance() + instance("", "VI_2", 52);
  expect(lintTold(two)).toEqual(["address-twice 10"]);
  const local = (name: string, vrid: number, device: string) =>
    instance(`interface ${device}`, name, vrid, "fe80::1").replace("interface eth0\n", "");
  expect(lintTold(local("A", 51, "eth0") + local("B", 52, "eth1"))).toEqual([]);
  expect(lintTold(local("A", 51, "eth0") + local("B", 52, "eth0"))).toHaveLength(1);
});

describe("a single host outside of the subnets of its interface", () => {
  const ip = (text: string) => parseIp(text) ?? expect.fail(text);
  const machine = (...addresses: [string, number][]) => ({
    interfaceAddresses: (name: string) =>
      name === "eth0" ? addresses.map(([address, prefixLength]) => ({ address: ip(address), prefixLength })) : [],
  });
  const told = (address: string, ...addresses: [string, number][]) =>
    lintTold(instance("", "VI_1", 51, address), [], machine(...addresses));
  test.each<[string, string, [string, number][], string[]]>([
    ["outside", "10.0.0.1", [["192.0.2.1", 24]], ["host-outside-of-subnet 4"]],
    ["outside, with a prefix length", "10.0.0.1/24", [["192.0.2.1", 24]], []],
    ["inside", "10.0.0.1", [["10.0.0.254", 24]], []],
    [
      "inside of one of several",
      "10.0.3.1",
      [
        ["192.0.2.1", 24],
        ["10.0.2.1", 23],
      ],
      [],
    ],
    ["on an interface without addresses", "10.0.0.1", [], []],
    ["with addresses of the other family only", "10.0.0.1", [["2001:db8::1", 64]], []],
    [
      "while it is master",
      "10.0.0.1",
      [
        ["10.0.0.1", 32],
        ["10.0.0.254", 24],
      ],
      [],
    ],
    ["IPv6 outside", "2001:db8::1", [["2001:db8:1::1", 64]], ["host-outside-of-subnet 4"]],
    ["IPv6 inside", "2001:db8::1", [["2001:db8::ffff", 64]], []],
  ])("%s", (_what, address, addresses, expected) => expect(told(address, ...addresses)).toEqual(expected));

  test("all of an instance are told at once", () => {
    const text = instance("virtual_ipaddress {\n10.0.0.2\n192.0.2.9\n10.0.0.3\n}", "VI_1", 51, "10.0.0.1");
    const findings = lintFindings(text, [], machine(["192.0.2.1", 24]));
    expect(findings).toMatchObject([{ code: "lint/host-outside-of-subnet", line: 4 }]);
    expect(findings[0]?.message).toBe("10.0.0.1, 10.0.0.2, 10.0.0.3 are in no subnet of eth0, which has 192.0.2.1/24");
  });

  test("the message has the subnets", () => {
    const text = instance("", "VI_1", 51, "10.0.0.1");
    const [finding] = lintFindings(text, [], machine(["192.0.2.1", 24], ["198.51.100.1", 25]));
    expect(finding?.message).toBe("10.0.0.1 is in no subnet of eth0, which has 192.0.2.1/24, 198.51.100.1/25");
  });
});
