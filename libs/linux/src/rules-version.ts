// The version of the machine's nftables rules: a number that every transaction, whoever commits it, makes another one.
// Whoever keeps a table asks for it in microseconds, and reads the table only when it is not the one it knows.
import { LinuxError } from "./error.ts";
import { type NetlinkMessage, readAttributes, viewOf } from "./netlink-message.ts";
import { NETLINK_NETFILTER, openNetlinkClient } from "./netlink-socket.ts";

// <linux/netfilter/nf_tables.h>
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_NEWGEN = 15;
const NFT_MSG_GETGEN = 16;
const NFTA_GEN_ID = 1;
const NFGENMSG_BYTES = 4;

/** Of this network namespace; it grows by one with each transaction. Throws LinuxError. */
export function rulesVersion(): number {
  const client = openNetlinkClient(NETLINK_NETFILTER);
  try {
    const request = { type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN, flags: 0, body: new Uint8Array(4) };
    const version = client.ask(request, decodeVersion);
    if (version === undefined) throw new LinuxError("EPROTO", "rules version", "the kernel's answer makes no sense");
    return version;
  } finally {
    client.close();
  }
}

function decodeVersion({ type, body }: NetlinkMessage): number | undefined {
  if (type !== ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN)) return undefined;
  const value = readAttributes(body, NFGENMSG_BYTES).get(NFTA_GEN_ID);
  // In network order.
  return value?.length === 4 ? viewOf(value).getUint32(0, false) : undefined;
}
