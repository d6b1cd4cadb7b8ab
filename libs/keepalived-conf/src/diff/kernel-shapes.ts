// What is put into the kernel: addresses, routes and rules, of instances and static ones.
import { canonicalJson } from "../canonical-json.ts";
import type { Shape } from "./compare.ts";
import { label, text } from "./fields.ts";
import { isMembers, isSame, type Members, showPrefix } from "./show.ts";

/** Whether the loss of something is a fault concerns us alone; anything else the kernel has to be told anew. */
const ours: readonly string[] = ["tracked", "trackGroup"];

const madeAnew =
  (why: string): NonNullable<Shape["restart"]> =>
  (before, after) =>
    isSame(withoutOurs(before), withoutOurs(after)) ? undefined : why;

const withoutOurs = (item: Members): Members =>
  Object.fromEntries(Object.entries(item).filter(([name]) => !ours.includes(name)));

export const addressShape = (kind: string): Shape => ({
  kind,
  identity: ({ address, interface: name }) => `${text(address)} ${text(name)}`,
  name: ({ address, prefixLength }) => `${text(address)}/${text(prefixLength)}`,
  restart: madeAnew("it is taken off the interface and put on again"),
  fields: {
    prefixLength: label("prefix length"),
    noPrefixRoute: label("noprefixroute"),
    preferredLifetime: label("preferred_lft"),
    homeAddress: label("home"),
    vmac: label("use_vmac"),
  },
});

/** As `ip route` writes it. */
function routeOf({ destination, gateway, interface: device, table, vrf, metric }: Members): string {
  const words: readonly (readonly [string, unknown])[] = [
    ["via", gateway],
    ["dev", device],
    ["vrf", vrf],
    ["table", vrf === undefined && table !== mainTable ? table : undefined],
    ["metric", metric],
  ];
  const given = words.flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${text(value)}`]));
  return [isMembers(destination) ? showPrefix(destination) : "", ...given].join(" ");
}

/** RT_TABLE_MAIN, <linux/rtnetlink.h>. */
const mainTable = 254;

const replaced = madeAnew("it is taken out of the kernel and put in again");

/** The kernel knows a route by where it leads, in which table, and by its metric; the rest of it can be replaced. */
export const routeShape = (kind: string): Shape => ({
  kind,
  identity: ({ family, destination, table, vrf, metric, typeOfService }) =>
    canonicalJson([family, destination, table, vrf ?? null, metric ?? null, typeOfService]),
  name: routeOf,
  restart: replaced,
});

export const ruleShape = (kind: string): Shape => ({
  kind,
  identity: ({ family, preference }) => `${text(family)} ${text(preference)}`,
  name({ preference, from, to }) {
    const [source, target] = [from, to].map((prefix) => (isMembers(prefix) ? showPrefix(prefix) : "all"));
    return `${text(preference)} from ${source} to ${target}`;
  },
  restart: replaced,
});
