// Packets to and from virtual addresses, as keepalived filters them for no_accept and use_vmac.
import { flag, int32Max, integer } from "../arguments.ts";
import { chains, sets, tableName } from "../global-arguments.ts";
import { noted, works } from "../table.ts";
import { nftAlone } from "./reasons.ts";

export const firewall = {
  iptables: noted("vrrp_iptables", chains, nftAlone, {
    meaning: "The iptables chains that get the rules for no_accept and use_vmac.",
    service: "dataplane",
    repeat: "first",
    default: "off; INPUT and OUTPUT without names",
  }),
  ipsets: noted("vrrp_ipsets", sets, nftAlone, {
    meaning: "The names of the IP sets that the rules of vrrp_iptables use; none: no sets.",
    service: "dataplane",
    default: "keepalived and names made from it",
  }),
  nftables: noted("nftables", tableName("keepalived"), nftAlone, {
    meaning: "The nftables table that gets the rules for no_accept and use_vmac.",
    service: "dataplane",
    repeat: "first",
    default: "off; keepalived without a name",
  }),
  nftablesPriority: works("nftables_priority", integer({ min: -int32Max - 1, max: int32Max, strict: true }), {
    meaning: "Where the chains of nftables stand among others.",
    service: "dataplane",
    default: "-1",
  }),
  nftablesIndex: noted("nftables_ifindex", flag, "rules follow their interfaces when those are made anew", {
    meaning: "Writes numbers of interfaces into the rules, not names.",
    service: "dataplane",
    default: "off",
  }),
  nftablesCounters: works("nftables_counters", flag, {
    meaning: "Lets the rules count what they match.",
    service: "dataplane",
    default: "off",
  }),
} as const;
