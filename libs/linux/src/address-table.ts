// The kernel's table of addresses: read by dumps, changed in batches, watched. Whoever keeps addresses compares what
// list() says with what is wanted and hands the difference to change(): the table itself wants nothing.
import type { AddressChange, AddressInfo, AddressSpec, AddressTable, AddressTableOptions } from "./api.ts";
import type { NetlinkRequest } from "./netlink-message.ts";
import { NETLINK_ROUTE, openNetlinkClient, openNetlinkWatch } from "./netlink-socket.ts";
import { renewalFilter } from "./renewal-filter.ts";
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
          renewalFilter(),
        );
  /** Renewals ask for the same again and again, each second for as long as somebody is master. */
  const renewals = new WeakMap<AddressSpec, NetlinkRequest>();
  const encode = (change: AddressChange): NetlinkRequest => {
    if (change.op !== "replace") return encodeAddressChange(change);
    const request = renewals.get(change.spec) ?? encodeAddressChange(change);
    renewals.set(change.spec, request);
    return request;
  };
  return {
    list: (): AddressInfo[] =>
      client.dump(RTM_GETADDR, addressDumpBody(), (message) => decodeAddressEvent(message)?.address),
    // All are encoded before the first is sent: a mistake in one of them changes nothing.
    change: (batch) => client.change(batch.map(encode)),
    close: () => {
      watch?.close();
      client.close();
    },
  };
}
