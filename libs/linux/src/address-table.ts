// The kernel's table of addresses: read by dumps, changed in batches, watched. Whoever keeps addresses compares what
// list() says with what is wanted and hands the difference to change(): the table itself wants nothing.
import type { AddressInfo, AddressResult, AddressTable, AddressTableOptions } from "./api.ts";
import { errnoName, libc } from "./libc.ts";
import { limits } from "./limits.ts";
import { NETLINK_ROUTE, type NetlinkReply, openNetlinkClient, openNetlinkWatch } from "./netlink-socket.ts";
import {
  addressDumpBody,
  decodeAddressEvent,
  encodeAddressChange,
  RTM_GETADDR,
  RTMGRP_IPV4_IFADDR,
  RTMGRP_IPV6_IFADDR,
} from "./rtnetlink.ts";

export function openAddressTable(options: AddressTableOptions = {}): AddressTable {
  const client = openNetlinkClient(NETLINK_ROUTE);
  const watch =
    options.onChange === undefined && options.onGap === undefined
      ? undefined
      : openNetlinkWatch(
          NETLINK_ROUTE,
          RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
          decodeAddressEvent,
          (events) => options.onChange?.(events),
          () => options.onGap?.(),
        );
  return {
    list: (): AddressInfo[] =>
      client.dump(RTM_GETADDR, addressDumpBody(), (message) => decodeAddressEvent(message)?.address),
    change: (batch) => {
      // All are encoded before the first is sent: a mistake in one of them changes nothing.
      const requests = batch.map(encodeAddressChange);
      const results: AddressResult[] = [];
      for (let start = 0; start < requests.length; start += limits.changesPerSend) {
        const replies = client.transact(requests.slice(start, start + limits.changesPerSend));
        for (const reply of replies) results.push(resultOf(reply));
      }
      return results;
    },
    close: () => {
      watch?.close();
      client.close();
    },
  };
}

const resultOf = ({ errno, text }: NetlinkReply): AddressResult =>
  errno === 0 ? { ok: true } : { ok: false, code: errnoName(errno), message: text ?? libc.strerror(errno) };
