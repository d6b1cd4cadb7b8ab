// A mirror of the namespace's links and addresses, by rtnetlink: subscribed first and dumped then, so that nothing
// falls between; dumped again when the kernel says that events were lost.
import { isDeepStrictEqual } from "node:util";
import { type AddressList, addressList } from "./address-list.ts";
import type { LinkInfo, LinkMonitor, LinkMonitorOptions } from "./api.ts";
import { NETLINK_ROUTE, type NetlinkClient, openNetlinkClient, openNetlinkWatch } from "./netlink-socket.ts";
import { renewalFilter } from "./renewal-filter.ts";
import {
  type AddressEventOnWire,
  addressDumpBody,
  decodeAddressEvent,
  decodeLinkEvent,
  type LinkEvent,
  linkDumpBody,
  RTM_GETADDR,
  RTM_GETLINK,
  RTMGRP_IPV4_IFADDR,
  RTMGRP_IPV6_IFADDR,
  RTMGRP_LINK,
} from "./rtnetlink.ts";

interface Mirror {
  readonly links: Map<number, LinkInfo>;
  readonly addresses: Map<number, AddressList>;
}

/** Throws LinuxError when the namespace's links cannot be read. */
export function openLinkMonitor(options: LinkMonitorOptions): LinkMonitor {
  const client = openNetlinkClient(NETLINK_ROUTE);
  let mirror: Mirror = { links: new Map(), addresses: new Map() };
  const watch = openNetlinkWatch<LinkEvent | AddressEventOnWire>(
    NETLINK_ROUTE,
    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
    (message) => decodeLinkEvent(message) ?? decodeAddressEvent(message),
    (events) => {
      // Each event is applied, whether or not one before it has changed something.
      const changes = events.filter((event) => apply(mirror, event));
      if (changes.length > 0) options.onChange();
    },
    () => {
      mirror = readMirror(client);
      options.onGap();
      options.onChange();
    },
    renewalFilter(),
  );
  try {
    mirror = readMirror(client);
  } catch (error) {
    watch.close();
    client.close();
    throw error;
  }
  return {
    links: () => [...mirror.links.values()],
    addresses: (ifindex) => mirror.addresses.get(ifindex)?.all() ?? [],
    drain: () => watch.drain(),
    close: () => {
      watch.close();
      client.close();
    },
  };
}

function readMirror(client: NetlinkClient): Mirror {
  const mirror: Mirror = { links: new Map(), addresses: new Map() };
  for (const event of client.dump(RTM_GETLINK, linkDumpBody(), decodeLinkEvent)) apply(mirror, event);
  for (const { address } of client.dump(RTM_GETADDR, addressDumpBody(), decodeAddressEvent)) {
    addressesOf(mirror, address.ifindex).append(address);
  }
  return mirror;
}

/** Whether the mirror says anything new afterwards. */
function apply(mirror: Mirror, event: LinkEvent | AddressEventOnWire): boolean {
  switch (event.type) {
    case "link-set": {
      const known = mirror.links.get(event.link.ifindex);
      mirror.links.set(event.link.ifindex, event.link);
      return !isDeepStrictEqual(known, event.link);
    }
    case "link-removed":
      mirror.addresses.delete(event.ifindex);
      return mirror.links.delete(event.ifindex);
    case "set":
      return addressesOf(mirror, event.address.ifindex).set(event.address);
    case "removed":
      return addressesOf(mirror, event.address.ifindex).remove(event.address);
  }
}

function addressesOf(mirror: Mirror, ifindex: number): AddressList {
  const known = mirror.addresses.get(ifindex);
  if (known !== undefined) return known;
  const list = addressList();
  mirror.addresses.set(ifindex, list);
  return list;
}
