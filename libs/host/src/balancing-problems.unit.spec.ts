import { parseConfig } from "@baton/keepalived-conf";
import { expect, test } from "vitest";
import { balancingProblems } from "./balancing-problems.ts";

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
