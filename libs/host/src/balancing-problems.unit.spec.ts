import { parseConfig } from "@baton/keepalived-conf";
import { expect, test } from "vitest";
import { balancingProblems, slowStartAdvice } from "./balancing-problems.ts";

const messagesOf = (text: string, loadBalancer?: "auto" | "ipvs" | "nftables"): string[] => {
  const { config } = parseConfig({ file: "keepalived.conf", hostName: "r1", readFile: () => ({ text }) });
  const settings = loadBalancer === undefined ? {} : { loadBalancer };
  return balancingProblems(config ?? expect.fail(), settings, "keepalived.conf").map(({ message }) => message);
};

const server = (id: string, lines: string): string =>
  `virtual_server ${id} {\nprotocol TCP\n${lines}\nreal_server 10.0.0.1 80 {\n}\n}\n`;
const direct = server("192.0.2.1 80", "lb_algo wlc\nlb_kind DR");

test("what nftables cannot carry, each reason once for a virtual server", () => {
  expect(messagesOf(direct, "nftables")).toEqual([
    "[192.0.2.1]:tcp:80: nftables has no scheduler wlc: rr, wrr, sh, dh are there",
    "[192.0.2.1]:tcp:80: nftables reaches 10.0.0.1 by NAT only, not by direct-route",
  ]);
  const group = `virtual_server_group g {\n192.0.2.1-200 80\n}\n${server("group g", "lb_algo lc\nlb_kind NAT")}`;
  expect(messagesOf(group, "nftables")).toEqual(["[g]:0: nftables has no scheduler lc: rr, wrr, sh, dh are there"]);
});

test("a sorry server and lvs_sync_daemon count", () => {
  const sorry = server("192.0.2.1 80", "lb_algo rr\nlb_kind NAT\nsorry_server 10.0.0.9 80\nsorry_server_lvs_method DR");
  expect(messagesOf(`global_defs {\nlvs_sync_daemon eth0\n}\n${sorry}`, "nftables")).toEqual([
    "[192.0.2.1]:tcp:80: nftables reaches 10.0.0.9 by NAT only, not by direct-route",
    "lvs_sync_daemon: nftables does not share connections with another machine",
  ]);
});

test("nothing where it can be carried, and where something else may carry it", () => {
  expect(messagesOf(server("192.0.2.1 80", "lb_algo rr\nlb_kind NAT"), "nftables")).toEqual([]);
  expect([messagesOf(direct), messagesOf(direct, "auto"), messagesOf(direct, "ipvs")]).toEqual([[], [], []]);
});

const adviceFor = (text: string, slowStartSeconds: number): string[] => {
  const { config } = parseConfig({ file: "keepalived.conf", hostName: "r1", readFile: () => ({ text }) });
  const advice = slowStartAdvice(config ?? expect.fail(), { checks: { slowStartSeconds } }, "keepalived.conf");
  return advice.map(({ severity, message }) => `${severity}: ${message}`);
};
const weighing = (port: number, ...servers: readonly string[]): string =>
  `virtual_server 192.0.2.1 ${port} {\nprotocol TCP\n${servers
    .map((lines, at) => `real_server 10.0.0.${at + 1} 80 {\n${lines}\n}\n`)
    .join("")}}\n`;
const program = (dynamic: string): string => `MISC_CHECK {\nmisc_path /bin/true\nmisc_timeout 5\n${dynamic}\n}`;

test("slow_start where weights have no tenths: one warning for all", () => {
  const why = "no server weighs more than 1, and a tenth of it is 1";
  expect(adviceFor(weighing(80, "", "weight 1"), 30)).toEqual([
    `warning: checks.slow_start does nothing in [192.0.2.1]:tcp:80: ${why}`,
  ]);
  const many = [81, 82, 83, 84, 85].map((port) => weighing(port, "", "weight 0")).join("");
  expect(adviceFor(many, 30)).toEqual([
    `warning: checks.slow_start does nothing in [192.0.2.1]:tcp:81, [192.0.2.1]:tcp:82, [192.0.2.1]:tcp:83 and 2 more: ${why}`,
  ]);
  expect(adviceFor(many, 0)).toEqual([]);
});

test.each([
  ["one server alone", weighing(80, "")],
  ["a weight that has tenths", weighing(80, "", "weight 2")],
  ["a check that sets the weight", weighing(80, "", program("misc_dynamic"))],
])("slow_start, and nothing to say: %s", (_name, text) => expect(adviceFor(text, 30)).toEqual([]));

test("slow_start with a check that sets no weight", () => {
  expect(adviceFor(weighing(80, "", program("")), 30)).toHaveLength(1);
});
