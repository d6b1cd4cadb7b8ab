// Tables of packet filter rules that are ours alone: put there as a whole, put back when somebody flushes them, and gone
// at the end. What the rules say is their owner's.
import type { PacketFilter, PacketFilterOptions } from "./api.ts";
import { type NetlinkMessage, readAttributes, readText } from "./netlink-message.ts";
import { NETLINK_NETFILTER, openNetlinkWatch } from "./netlink-socket.ts";
import { runNft } from "./nft.ts";

// <linux/netfilter/nf_tables.h>
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_DELCHAIN = 5;
const NFT_MSG_DELRULE = 8;
const NFTA_TABLE = 1;
const NFGENMSG_BYTES = 4;
const NFNLGRP_NFTABLES = 1 << 6; // group 7

const families = ["ip", "ip6"] as const;

/** Removes what an earlier process has left. Throws LinuxError: ENOENT without the nft command, EPERM without CAP_NET_ADMIN. */
export function openPacketFilter(table: string, options: PacketFilterOptions = {}): PacketFilter {
  let rules: { readonly ip: string; readonly ip6: string } = { ip: "", ip6: "" };
  let installing = false;
  let closed = false;

  const install = (): void => {
    installing = true;
    try {
      runNft(families.map((family) => tableOf(family, table, rules[family])).join("\n"), "set up the packet filter");
      watch.drain(); // our own replacement reads as a removal, too
    } finally {
      installing = false;
    }
  };
  const repair = (): void => {
    if (installing || closed || (rules.ip === "" && rules.ip6 === "")) return;
    try {
      install();
      options.onRepaired?.();
    } catch (error) {
      options.onError?.(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const watch = openNetlinkWatch(
    NETLINK_NETFILTER,
    NFNLGRP_NFTABLES,
    (message) => decodeRemoval(message, table),
    repair,
    repair,
  );
  const close = (): void => {
    if (closed) return;
    closed = true;
    watch.close(); // first: the removal is ours
    runNft(families.map((family) => tableOf(family, table, "")).join("\n"), "remove the packet filter");
  };
  try {
    install();
  } catch (error) {
    watch.close();
    throw error;
  }
  return {
    replace: (ip, ip6) => {
      if (ip === rules.ip && ip6 === rules.ip6) return;
      const before = rules;
      rules = { ip, ip6 };
      try {
        install();
      } catch (error) {
        rules = before;
        throw error;
      }
    },
    close,
  };
}

/** Whatever was there is replaced in the same transaction; without rules there is no table. */
const tableOf = (family: (typeof families)[number], table: string, rules: string): string =>
  `table ${family} ${table} {}\ndelete table ${family} ${table}\n${
    rules === "" ? "" : `table ${family} ${table} {\n${rules}\n}\n`
  }`;

function decodeRemoval({ type, body }: NetlinkMessage, table: string): true | undefined {
  if (type >> 8 !== NFNL_SUBSYS_NFTABLES) return undefined;
  if (![NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE].includes(type & 0xff)) return undefined;
  return readText(readAttributes(body, NFGENMSG_BYTES).get(NFTA_TABLE)) === table ? true : undefined;
}
