// Keeps addresses from answering ARP and neighbour discovery without removing them: the middle state in which everything
// in doubt is held (SAFETY, order of harms). The nft command sets up a table for each family; single addresses go in and
// out of their sets by nfnetlink directly, because a process a change would cost the failover path its milliseconds
// (SAFETY S7).
import { type IpAddress, ipFamily, ipToBytes, toError } from "@baton/domain";
import type { NeighbourSilence, NeighbourSilenceOptions } from "./api.ts";
import { LinuxError } from "./error.ts";
import { ipFromBytes } from "./ip-bytes.ts";
import { errnos, errorOf } from "./libc.ts";
import { limits } from "./limits.ts";
import {
  attribute,
  concatBytes,
  cString,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_CREATE,
  nested,
  readAttributes,
  readList,
  readText,
} from "./netlink-message.ts";
import { NETLINK_NETFILTER, type NetlinkClient, openNetlinkClient, openNetlinkWatch } from "./netlink-socket.ts";
import { runNft } from "./nft.ts";

const TABLE = "baton";
const SET = "silent";

// <linux/netfilter/nf_tables.h>
const NFNL_SUBSYS_NFTABLES = 10;
const NFPROTO_ARP = 3;
const NFPROTO_IPV6 = 10;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_DELCHAIN = 5;
const NFT_MSG_DELSET = 11;
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_GETSETELEM = 13;
const NFT_MSG_DELSETELEM = 14;
const NFTA_TABLE = 1; // the table's name, in messages of every kind
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_DATA_VALUE = 1;
const NFGENMSG_BYTES = 4;
const NFNLGRP_NFTABLES = 1 << 6; // group 7

/** A table for each family, with a set of its addresses and what is not to leave when one of them is the sender. */
const tables = [
  { protocol: NFPROTO_ARP, family: 4, bytes: 4, nft: "arp", element: "ipv4_addr", rule: `arp saddr ip @${SET}` },
  {
    protocol: NFPROTO_IPV6,
    family: 6,
    bytes: 16,
    nft: "ip6",
    element: "ipv6_addr",
    // The kernel answers for an address from the address itself (ndisc_send_na).
    rule: `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 saddr @${SET}`,
  },
] as const;
type Table = (typeof tables)[number];

/**
 * Opens the silence with what an earlier process left silent: whether that still holds is the owner's to say.
 * Throws LinuxError: ENOENT without the nft command, EPERM without CAP_NET_ADMIN.
 */
export function openNeighbourSilence(options: NeighbourSilenceOptions = {}): NeighbourSilence {
  const client = openNetlinkClient(NETLINK_NETFILTER);
  let silenced: ReadonlySet<IpAddress> = new Set();
  let installing = false;

  const install = (addresses: ReadonlySet<IpAddress>): void => {
    installing = true;
    try {
      installTables(addresses);
      silenced = addresses;
      watch.drain(); // our own replacement of the table reads as a removal, too
    } finally {
      installing = false;
    }
  };
  const repair = (): void => {
    if (installing) return;
    try {
      install(silenced);
      options.onRepaired?.();
    } catch (error) {
      options.onError?.(toError(error));
    }
  };
  const watch = openNetlinkWatch(NETLINK_NETFILTER, NFNLGRP_NFTABLES, decodeRemoval, repair, repair);
  const carryOut = (requests: readonly NetlinkRequest[], result: ReadonlySet<IpAddress>): void => {
    const { errno, text } = client.transactBatch(NFNL_SUBSYS_NFTABLES, requests);
    // The table went without our knowing yet: what is to be silent now must not wait for the event.
    if (errno === errnos.enoent) return install(result);
    if (errno !== 0) throw errorOf(errno, "change the silence of addresses", text);
    silenced = result;
  };
  let closed = false;
  const close = (): void => {
    closed = true;
    watch.close();
    client.close();
  };
  try {
    install(new Set(readSilenced(client)));
  } catch (error) {
    close();
    throw error;
  }
  return {
    silenced: () => [...silenced],
    silence: (addresses) => {
      if (addresses.length === 0) return;
      carryOut(elementRequests(NFT_MSG_NEWSETELEM, addresses), new Set([...silenced, ...addresses]));
    },
    unsilence: (addresses) => {
      const known = addresses.filter((address) => silenced.has(address));
      if (known.length === 0) return;
      const rest = new Set([...silenced].filter((address) => !known.includes(address)));
      carryOut(elementRequests(NFT_MSG_DELSETELEM, known), rest);
    },
    clear: () =>
      carryOut(
        tables.map((table) => setRequest(NFT_MSG_DELSETELEM, table, [])),
        new Set(),
      ),
    close: () => {
      if (closed) return;
      watch.close(); // first: the removal is ours
      try {
        removeTables(client);
      } finally {
        close();
      }
    },
  };
}

/** One transaction: whatever was there is replaced, and at no time is an address in `silenced` not silent. */
function installTables(silenced: ReadonlySet<IpAddress>): void {
  const install = ({ family, nft, element, rule }: Table): string => {
    const own = [...silenced].filter((address) => ipFamily(address) === family);
    const elements = own.length === 0 ? "" : `elements = { ${own.join(", ")} };`;
    return `table ${nft} ${TABLE} {}
      delete table ${nft} ${TABLE}
      table ${nft} ${TABLE} {
        set ${SET} { type ${element}; ${elements} }
        chain output {
          type filter hook output priority filter; policy accept;
          ${rule} counter drop
        }
      }`;
  };
  runNft(tables.map(install).join("\n"), "set up the silence of addresses");
}

/** What is in the sets of an earlier process; nothing when there are none. */
function readSilenced(client: NetlinkClient): IpAddress[] {
  return tables.flatMap((table) => {
    const { type, body } = setRequest(NFT_MSG_GETSETELEM, table, []);
    try {
      return client.dump(type, body, (message) => decodeElements(message, table)).flat();
    } catch (error) {
      if (error instanceof LinuxError && error.code === "ENOENT") return [];
      throw error;
    }
  });
}

function decodeElements({ body }: NetlinkMessage, { bytes }: Table): IpAddress[] {
  const elements = readAttributes(body, NFGENMSG_BYTES).get(NFTA_SET_ELEM_LIST_ELEMENTS);
  return readList(elements, NFTA_LIST_ELEM).flatMap((element) => {
    const key = readAttributes(element, 0).get(NFTA_SET_ELEM_KEY);
    const value = key === undefined ? undefined : readAttributes(key, 0).get(NFTA_DATA_VALUE);
    return value?.length === bytes ? [ipFromBytes(value, 0, bytes)] : [];
  });
}

function removeTables(client: NetlinkClient): void {
  for (const table of tables) {
    const request = tableRequest(NFT_MSG_DELTABLE, table, [attribute(NFTA_TABLE, cString(TABLE))]);
    const { errno, text } = client.transactBatch(NFNL_SUBSYS_NFTABLES, [request]);
    if (errno !== 0 && errno !== errnos.enoent) throw errorOf(errno, "remove the silence of addresses", text);
  }
}

/** In messages that are not too long; they make one transaction all the same. */
function elementRequests(type: number, addresses: readonly IpAddress[]): NetlinkRequest[] {
  const requests: NetlinkRequest[] = [];
  for (const table of tables) {
    const own = addresses.filter((address) => ipFamily(address) === table.family);
    for (let start = 0; start < own.length; start += limits.silencedPerMessage) {
      requests.push(setRequest(type, table, own.slice(start, start + limits.silencedPerMessage)));
    }
  }
  return requests;
}

/** A change of the set; without addresses a deletion means all of them. */
function setRequest(type: number, table: Table, addresses: readonly IpAddress[]): NetlinkRequest {
  const elements = addresses.map((address) =>
    nested(NFTA_LIST_ELEM, nested(NFTA_SET_ELEM_KEY, attribute(NFTA_DATA_VALUE, ipToBytes(address)))),
  );
  return tableRequest(type, table, [
    attribute(NFTA_TABLE, cString(TABLE)),
    attribute(NFTA_SET_ELEM_LIST_SET, cString(SET)),
    ...(elements.length === 0 ? [] : [nested(NFTA_SET_ELEM_LIST_ELEMENTS, ...elements)]),
  ]);
}

const tableRequest = (type: number, { protocol }: Table, attributes: readonly Uint8Array[]): NetlinkRequest => ({
  type: (NFNL_SUBSYS_NFTABLES << 8) | type,
  flags: NLM_F_CREATE,
  body: concatBytes(Uint8Array.of(protocol, 0, 0, 0), ...attributes), // struct nfgenmsg
});

/** True for each removal of a table of ours or of a part that its rule needs. */
function decodeRemoval({ type, body }: NetlinkMessage): true | undefined {
  if (type >> 8 !== NFNL_SUBSYS_NFTABLES || !tables.some(({ protocol }) => protocol === body[0])) return undefined;
  if (![NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELSET].includes(type & 0xff)) return undefined;
  return readText(readAttributes(body, NFGENMSG_BYTES).get(NFTA_TABLE)) === TABLE ? true : undefined;
}
