// Tables of rules: put there as a whole, put back, and gone at the end.
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PacketFilter, PacketFilterOptions } from "./api.ts";
import { openPacketFilter } from "./packet-filter.ts";
import { makeNamespace, type Namespace, openDescriptors } from "./testing/namespace.ts";

let namespace: Namespace;
let leave: () => void;
const opened: PacketFilter[] = [];
beforeEach(() => {
  namespace = makeNamespace("pf");
  leave = namespace.enter();
});
afterEach(() => {
  for (const filter of opened.splice(0)) filter.close();
  leave();
  namespace.remove();
});

const open = (options?: PacketFilterOptions): PacketFilter => {
  const filter = openPacketFilter("bttest", options);
  opened.push(filter);
  return filter;
};
const nft = (...words: string[]): string => execFileSync("nft", words, { encoding: "utf8" });
const rules = (port: number): string =>
  `chain input { type filter hook input priority 0; policy accept; udp dport ${port} drop; }`;

test("rules replace each other; without rules there is no table; others' tables are left alone", () => {
  nft("add", "table", "ip", "theirs");
  const filter = open();
  expect(nft("list", "ruleset")).not.toContain("bttest");
  filter.replace(rules(7), rules(8));
  filter.replace(rules(9), "");
  const now = nft("list", "ruleset");
  expect(now).toContain("table ip bttest");
  expect(now).toContain("udp dport 9 drop");
  expect(now).not.toMatch(/dport [78]|table ip6 bttest/);
  filter.close();
  filter.close();
  expect(nft("list", "ruleset").trim()).toBe("table ip theirs {\n}");
});

test("rules that nft does not take change nothing", () => {
  const filter = open();
  filter.replace(rules(7), "");
  expect(() => filter.replace("nonsense", "")).toThrow("set up the packet filter");
  expect(nft("list", "ruleset")).toContain("udp dport 7 drop");
});

test("what an earlier process has left is gone; what somebody flushes or takes a rule of is there again", async () => {
  nft("add", "table", "ip6", "bttest");
  const repaired = vi.fn();
  const filter = open({ onRepaired: repaired });
  expect(nft("list", "ruleset")).not.toContain("bttest");
  filter.replace(rules(7), "");
  nft("flush", "ruleset");
  await vi.waitFor(() => expect(repaired).toHaveBeenCalledTimes(1), { timeout: 5_000 });
  expect(nft("list", "ruleset")).toContain("udp dport 7 drop");
  nft("flush", "chain", "ip", "bttest", "input");
  await vi.waitFor(() => expect(repaired).toHaveBeenCalledTimes(2), { timeout: 5_000 });
  expect(nft("list", "ruleset")).toContain("udp dport 7 drop");
});

test("close gives every descriptor back", () => {
  const before = openDescriptors().length;
  const filter = openPacketFilter("btother");
  filter.replace(rules(7), rules(7));
  filter.close();
  expect(openDescriptors().length).toBe(before);
});
