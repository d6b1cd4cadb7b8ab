// `virtual_server_group` → its entries, and of which families they are.
import { type IpAddress, ipFamily, ipToBytes } from "@baton/domain";
import type { VirtualServerGroupConfig, VirtualServerGroupEntry } from "../config.ts";
import { type AddressRange, groupForm, mark, range } from "../keywords/group-options.ts";
import { virtualServerGroup } from "../keywords/virtual-server.ts";
import { type OptionValue, optionValue, readEntry } from "../syntax/entry.ts";
import { type Block, lists, type ValueList } from "../syntax/tree.ts";
import { advise, type ResolveContext, reject } from "./context.ts";

/** More services than this are more than anybody means. */
const addressesMax = 65_536n;

export function resolveGroups(root: Block, context: ResolveContext): VirtualServerGroupConfig[] {
  const groups = new Map<string, VirtualServerGroupConfig>();
  for (const list of lists(root, virtualServerGroup)) {
    const group = resolveGroup(list, context);
    if (group === undefined) continue;
    if (!groups.has(group.name)) groups.set(group.name, group);
    else {
      const message = `virtual_server_group ${group.name} was defined before; this one is never used`;
      advise(context, list.place, "duplicate-group", message, "give it another name");
    }
  }
  return [...groups.values()];
}

function resolveGroup(list: ValueList, context: ResolveContext): VirtualServerGroupConfig | undefined {
  const name = list.header ?? "";
  const entries = list.entries.flatMap((entry): VirtualServerGroupEntry[] => {
    const read = readEntry(entry, groupForm, { ...context, dynamicInterfaces: false });
    const addresses = read && optionValue(read, range);
    if (addresses !== undefined) {
      warnOfSize(addresses, context);
      return [{ kind: "range", ...addresses.value }];
    }
    const marked = read && optionValue(read, mark);
    if (marked?.value.mark === 0) {
      const message = "fwmark 0 is on packets without a mark; nothing of it is carried out";
      advise(context, marked.place, "no-mark", message, "write a number from 1 on, or leave the line out");
    }
    return marked === undefined ? [] : [{ kind: "fwmark", ...marked.value }];
  });
  if (entries.length === 0) {
    reject(context, list.place, "empty-group", `virtual_server_group ${name} is empty and left out`, "write IP PORT");
    return undefined;
  }
  const group = { name, entries };
  const families = familiesOf(group);
  if (families.size === 2 && entries.some((entry) => entry.kind === "fwmark" && entry.family === undefined)) {
    const message = `virtual_server_group ${name} has IPv4, IPv6 and a fwmark without a family; it is left out`;
    reject(context, list.place, "group-family", message, "write fwmark N inet, or inet6");
    return undefined;
  }
  return group;
}

/** What the virtual servers of a group ask of it. */
export interface GroupFacts {
  readonly families: ReadonlySet<4 | 6>;
  readonly addresses: boolean;
  readonly marks: boolean;
  /** 0: all; a firewall mark has all. */
  readonly ports: ReadonlySet<number>;
  /** An address without a port. */
  readonly allPorts: boolean;
}

export const groupFacts = (group: VirtualServerGroupConfig): GroupFacts => ({
  families: familiesOf(group),
  addresses: group.entries.some((entry) => entry.kind === "range"),
  marks: group.entries.some((entry) => entry.kind === "fwmark"),
  ports: new Set(group.entries.map((entry) => (entry.kind === "range" ? entry.port : 0))),
  allPorts: group.entries.some((entry) => entry.kind === "range" && entry.port === 0),
});

/** Of the addresses, and of the firewall marks that say one. */
function familiesOf({ entries }: VirtualServerGroupConfig): Set<4 | 6> {
  const families = new Set<4 | 6>();
  for (const entry of entries) {
    const family = entry.kind === "range" ? ipFamily(entry.first) : entry.family;
    if (family !== undefined) families.add(family);
  }
  return families;
}

function warnOfSize({ value: { first, last }, place }: OptionValue<AddressRange>, context: ResolveContext): void {
  const size = numberOf(last) - numberOf(first) + 1n;
  if (size <= addressesMax) return;
  const message = `${first} to ${last} are ${size} addresses, and each is a service of its own`;
  advise(context, place, "wide-range", message, "let the firewall set a mark on the packets, and write fwmark N");
}

const numberOf = (address: IpAddress): bigint =>
  ipToBytes(address).reduce((number, byte) => number * 256n + BigInt(byte), 0n);
