import { describe, expect, test } from "vitest";
import { lintTold } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

const server = (lines: string, kind = "NAT", id = "10.0.0.1 80") =>
  `virtual_server ${id} {\nlb_algo rr\nlb_kind ${kind}\nprotocol TCP\n${lines}\n}\n`;
const real = (address: string, lines = "TCP_CHECK {\n}") => `real_server ${address} {\n${lines}\n}`;

describe("a real server with a virtual address", () => {
  test.each<[string, string, string[]]>([
    ["its own", server(real("10.0.0.1 80")), ["real-server-is-virtual 5"]],
    ["its own with another port, by NAT", server(real("10.0.0.1 8080")), []],
    ["its own, directly", server(real("10.0.0.1 80"), "DR"), ["real-server-is-virtual 5"]],
    [
      "its own with another port, of an instance",
      server(real("10.0.0.1 8080")) + instance(),
      ["real-server-is-virtual 5"],
    ],
    [
      "of an instance",
      server(real("10.0.0.2 80")) + instance("", "VI_2", 52, "10.0.0.2"),
      ["address-of-nobody 1", "real-server-is-virtual 5"],
    ],
    ["of its own", server(real("10.0.0.9 80")), []],
    ["its own, with a mark", server(real("10.0.0.1 80"), "NAT", "fwmark 1"), []],
    ["as a sorry server", server(`sorry_server 10.0.0.1 80\n${real("10.0.0.9 80")}`), ["real-server-is-virtual 5"]],
    ["not as a sorry server", server(`sorry_server 127.0.0.1 80\n${real("10.0.0.9 80")}`), []],
  ])("%s", (_what, text, expected) => expect(lintTold(text)).toEqual(expected));
});

test("one that is not checked, while others are", () => {
  expect(lintTold(server(`${real("10.0.0.8 80")}\n${real("10.0.0.9 80", "")}`))).toEqual(["unchecked-real-server 9"]);
  expect(lintTold(server(`${real("10.0.0.8 80", "")}\n${real("10.0.0.9 80", "")}`))).toEqual([]);
});

test("an address that nobody sets", () => {
  const other = instance("", "VI_1", 51, "10.0.0.2");
  expect(lintTold(server(real("10.0.0.9 80")) + other)).toEqual(["address-of-nobody 1"]);
  expect(lintTold(server(real("10.0.0.9 80")) + instance())).toEqual([]);
  expect(lintTold(`static_ipaddress {\n10.0.0.1 dev eth0\n}\n${server(real("10.0.0.9 80"))}${other}`)).toEqual([]);
});
