// Packets to and from virtual addresses, as keepalived filters them for no_accept and use_vmac.
import { flag, int32Max, integer } from "../arguments.ts";
import { chains, sets, tableName } from "../global-arguments.ts";
import { missing, noted } from "../table.ts";
import { noFirewall } from "./reasons.ts";

export const firewall = {
  iptables: missing("vrrp_iptables", chains, noFirewall, {
    meaning: "The iptables chains that get the rules for no_accept and use_vmac.",
    service: "dataplane",
    repeat: "first",
    default: "off; INPUT and OUTPUT without names",
  }),
  ipsets: noted("vrrp_ipsets", sets, noFirewall, {
    meaning: "The names of the IP sets that the rules of vrrp_iptables use; none: no sets.",
    service: "dataplane",
    default: "keepalived and names made from it",
  }),
  nftables: missing("nftables", tableName("keepalived"), noFirewall, {
    meaning: "The nftables table that gets the rules for no_accept and use_vmac.",
    service: "dataplane",
    repeat: "first",
    default: "off; keepalived without a name",
  }),
  nftablesPriority: noted(
    "nftables_priority",
    integer({ min: -int32Max - 1, max: int32Max, strict: true }),
    noFirewall,
    { meaning: "Where the chains of nftables stand among others.", service: "dataplane", default: "-1" },
  ),
  nftablesIndex: noted("nftables_ifindex", flag, noFirewall, {
    meaning: "Writes numbers of interfaces into the rules, not names.",
    service: "dataplane",
    default: "off",
  }),
  nftablesCounters: noted("nftables_counters", flag, noFirewall, {
    meaning: "Lets the rules count what they match.",
    service: "dataplane",
    default: "off",
  }),
} as const;
