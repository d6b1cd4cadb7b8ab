// Links that are ours to make: macvlan and ipvlan on an interface below (<linux/if_link.h>). Read by dumps, changed one
// after another; like the table of addresses it wants nothing by itself.
import { assert } from "@baton/domain";
import type { LinkChange, LinkDetails, LinkSpec, LinkTable } from "./api.ts";
import {
  attribute,
  concatBytes,
  cString,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_CREATE,
  NLM_F_EXCL,
  nested,
  readAttributes,
  readText,
  readUint32,
  uint32,
  viewOf,
} from "./netlink-message.ts";
import { NETLINK_ROUTE, openNetlinkClient } from "./netlink-socket.ts";
import { decodeLinkEvent, linkDumpBody, RTM_GETLINK } from "./rtnetlink.ts";

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const IFINFO_BYTES = 16;
const IFF_UP = 0x1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_GROUP = 27;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_MACVLAN_MODE = 1;
const MACVLAN_MODE_PRIVATE = 1;
const IFLA_IPVLAN_MODE = 1;
const IPVLAN_MODE_L2 = 0;
const IFLA_IPVLAN_FLAGS = 2;
const ipvlanFlags = { bridge: 0, private: 1, vepa: 2 } as const;
/** IFNAMSIZ without the final zero; IFALIASZ. */
const lengths = { name: 15, alias: 255 } as const;

/** Throws LinuxError. */
export function openLinkTable(): LinkTable {
  const client = openNetlinkClient(NETLINK_ROUTE);
  return {
    list: () => client.dump(RTM_GETLINK, linkDumpBody(), decodeLinkDetails),
    change: (batch) => client.change(batch.map(encodeLinkChange)),
    close: () => client.close(),
  };
}

export function decodeLinkDetails(message: NetlinkMessage): LinkDetails | undefined {
  const event = decodeLinkEvent(message);
  if (event?.type !== "link-set") return undefined;
  const attributes = readAttributes(message.body, IFINFO_BYTES);
  const info = attributes.get(IFLA_LINKINFO);
  const data = info === undefined ? undefined : readAttributes(info, 0).get(IFLA_INFO_DATA);
  const options = data === undefined ? new Map<number, Uint8Array>() : readAttributes(data, 0);
  const isMacvlan = event.link.kind === "macvlan";
  return {
    ...event.link,
    adminUp: (viewOf(message.body).getUint32(8, true) & IFF_UP) !== 0,
    parent: readUint32(attributes.get(IFLA_LINK)),
    master: readUint32(attributes.get(IFLA_MASTER)),
    group: readUint32(attributes.get(IFLA_GROUP)) ?? 0,
    alias: readText(attributes.get(IFLA_IFALIAS)),
    isPrivate: isMacvlan && readUint32(options.get(IFLA_MACVLAN_MODE)) === MACVLAN_MODE_PRIVATE,
  };
}

export function encodeLinkChange(change: LinkChange): NetlinkRequest {
  switch (change.op) {
    case "add":
      return { type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, body: encodeNew(change.spec) };
    case "delete":
      return { type: RTM_DELLINK, flags: 0, body: head(change.ifindex, 0, 0) };
    case "set": {
      const { link, up, group, alias } = change;
      const attributes = [
        ...(typeof link === "string" ? [attribute(IFLA_IFNAME, nameBytes(link))] : []),
        ...(group === undefined ? [] : [attribute(IFLA_GROUP, uint32(group))]),
        ...(alias === undefined ? [] : [attribute(IFLA_IFALIAS, aliasBytes(alias))]),
      ];
      const flags = up === true ? IFF_UP : 0;
      const body = head(typeof link === "number" ? link : 0, flags, up === undefined ? 0 : IFF_UP);
      return { type: RTM_NEWLINK, flags: 0, body: concatBytes(body, ...attributes) };
    }
  }
}

/** Down: whatever it needs is set before it comes up. */
function encodeNew(spec: LinkSpec): Uint8Array {
  const { name, parent, group, master } = spec;
  const kind =
    spec.kind === "macvlan"
      ? [attribute(IFLA_MACVLAN_MODE, uint32(MACVLAN_MODE_PRIVATE))]
      : [
          attribute(IFLA_IPVLAN_MODE, uint16(IPVLAN_MODE_L2)),
          attribute(IFLA_IPVLAN_FLAGS, uint16(ipvlanFlags[spec.mode])),
        ];
  return concatBytes(
    head(0, 0, 0),
    attribute(IFLA_LINK, uint32(parent)),
    attribute(IFLA_IFNAME, nameBytes(name)),
    attribute(IFLA_GROUP, uint32(group)),
    ...(spec.kind === "macvlan" ? [attribute(IFLA_ADDRESS, macBytes(spec.mac))] : []),
    ...(master === undefined ? [] : [attribute(IFLA_MASTER, uint32(master))]),
    nested(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, cString(spec.kind)), nested(IFLA_INFO_DATA, ...kind)),
  );
}

/** struct ifinfomsg. */
function head(ifindex: number, flags: number, change: number): Uint8Array {
  const bytes = new Uint8Array(IFINFO_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, ifindex, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return bytes;
}

function uint16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value, true);
  return bytes;
}

function nameBytes(name: string): Uint8Array {
  const bytes = cString(name);
  assert(bytes.length > 1 && bytes.length <= lengths.name + 1, `no name of an interface: ${name}`);
  return bytes;
}

function aliasBytes(alias: string): Uint8Array {
  const bytes = new TextEncoder().encode(alias);
  assert(bytes.length <= lengths.alias, `an alias has at most ${lengths.alias} bytes`);
  return bytes;
}

function macBytes(mac: string): Uint8Array {
  const octets = mac.split(":").map((octet) => Number.parseInt(octet, 16));
  assert(octets.length === 6 && octets.every((octet) => octet >= 0 && octet <= 255), `no MAC address: ${mac}`);
  return Uint8Array.from(octets);
}
