// What the Config is made of, for comparing: by what each subject is recognised across a reload (behaviour section 19),
// what makes it start anew, and what its settings are called in the file. What is not named here is compared all the same.
import { canonicalJson } from "../canonical-json.ts";
import type { InstanceConfig } from "../config.ts";
import type { Field, Shape } from "./compare.ts";
import { checkerLabels, globalLabels, instanceLabels, labelled, virtualServerLabels } from "./labels.ts";
import { isMembers, isSame, type Members, seconds, showPrefix, showValue } from "./show.ts";

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
const label = (name: string): Field => ({ label: name });
const named = (item: Members): string => text(item.name);
const hostPort = (value: unknown): string | undefined =>
  isMembers(value) ? `${text(value.host ?? value.address)} port ${text(value.port)}` : undefined;
const duration = (value: unknown): string => (typeof value === "number" ? seconds(value) : text(value));
const addressOf = ({ address }: Members): string => text(address);
const untold: Field = { untold: true };

// --- what is put into the kernel, and what is tracked ---------------------------------------------------------------------

/** Whether the loss of something is a fault concerns us alone; anything else the kernel has to be told anew. */
const ours: readonly string[] = ["tracked", "trackGroup"];

const madeAnew =
  (why: string): NonNullable<Shape["restart"]> =>
  (before, after) =>
    isSame(withoutOurs(before), withoutOurs(after)) ? undefined : why;

const withoutOurs = (item: Members): Members =>
  Object.fromEntries(Object.entries(item).filter(([name]) => !ours.includes(name)));

const addressShape = (kind: string): Shape => ({
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
const routeShape = (kind: string): Shape => ({
  kind,
  identity: ({ family, destination, table, vrf, metric, typeOfService }) =>
    canonicalJson([family, destination, table, vrf ?? null, metric ?? null, typeOfService]),
  name: routeOf,
  restart: replaced,
});

const ruleShape = (kind: string): Shape => ({
  kind,
  identity: ({ family, preference }) => `${text(family)} ${text(preference)}`,
  name({ preference, from, to }) {
    const [source, target] = [from, to].map((prefix) => (isMembers(prefix) ? showPrefix(prefix) : "all"));
    return `${text(preference)} from ${source} to ${target}`;
  },
  restart: replaced,
});

const namedShape = (kind: string): Shape => ({ kind, identity: named, name: named });

const onInterface = (kind: string): Shape => ({
  kind,
  identity: (item) => text(item.interface),
  name: (item) => text(item.interface),
});

const delayShape: Shape = {
  ...onInterface("delay of interface"),
  fields: { up: { show: duration }, down: { show: duration } },
};

/** It has no name: the interfaces that share it are it. */
const garpGroupShape: Shape = {
  kind: "garp group",
  identity: ({ interfaces }) => showValue(interfaces, "") ?? "",
  name: ({ interfaces }) => showValue(interfaces, "") ?? "",
};

// --- VRRP ---------------------------------------------------------------------------------------------------------------

/**
 * Another virtual router would be in danger of two masters if it went on with this one's state. With unicast it is known
 * by the address that it sends from too; without, by the group that it sends to and by whose MAC address.
 */
function routerOf(item: Members): string {
  const { interface: name, family, vrid, unicast, sourceAddress, multicastGroup, vmac } = item;
  const own = [text(name), text(family), text(vrid)];
  if (unicast !== undefined && unicast !== null) return [...own, "unicast", text(sourceAddress)].join(" ");
  return [...own, text(multicastGroup), isMembers(vmac) ? `vmac ${text(vmac.addresses)}` : ""].join(" ");
}

/** What makes it the same virtual router across a reload: its state goes on (behaviour section 19). */
export const virtualRouterOf = (instance: InstanceConfig): string => routerOf({ ...instance });

function describeRouter({ vrid, interface: name, family, unicast }: Members): string {
  const how = unicast === undefined || unicast === null ? "" : ", unicast";
  return `VRID ${text(vrid)} on ${text(name) === "" ? "no interface" : text(name)}, IPv${text(family)}${how}`;
}

const tracked: Readonly<Record<string, Shape>> = {
  trackInterfaces: namedShape("tracked interface"),
  trackScripts: namedShape("tracked script"),
  trackFiles: namedShape("tracked file"),
  trackProcesses: namedShape("tracked process"),
  trackBfds: namedShape("tracked BFD"),
};

const instanceShape: Shape = {
  kind: "instance",
  identity: routerOf,
  name: named,
  describe: describeRouter,
  renewed: "it is another virtual router",
  // Leases, events and metrics go by the name.
  restart: (before, after) => (before.name === after.name ? undefined : `it was called ${text(before.name)}`),
  lists: {
    // Adverts list them in their order.
    addresses: { ...addressShape("address"), ordered: true },
    excludedAddresses: addressShape("excluded address"),
    routes: routeShape("route"),
    rules: ruleShape("rule"),
    "unicast.peers": { kind: "unicast peer", identity: addressOf, name: addressOf },
    "authHmac.keys": { kind: "HMAC key", identity: ({ id }) => text(id), name: ({ id }) => text(id) },
    ...tracked,
  },
  fields: labelled(instanceLabels, {
    name: untold,
    // Its type alone: the rest is the password.
    authentication: { show: (value) => (isMembers(value) ? text(value.type).toUpperCase() : undefined) },
    "authHmac.timeWindow": { show: duration },
  }),
};

const newScript = "another command: until its first result those who track it keep the last one";

const scriptShape: Shape = {
  kind: "script",
  identity: named,
  name: named,
  // Its result is scaled to other numbers, but tells nothing about another program.
  restart: (before, after) => (isSame(before.command, after.command) ? undefined : newScript),
};

const groupShape: Shape = {
  kind: "sync group",
  identity: named,
  name: named,
  lists: tracked,
  fields: labelled(instanceLabels, { trackingWeight: label("sync_group_tracking_weight") }),
};

// --- virtual servers ------------------------------------------------------------------------------------------------------

const serverOf = ({ address, port }: Members): string => `${text(address)} port ${text(port)}`;

/** What a checker found out holds for what it checks: where, and for which answer. */
const timing = new Set(["retry", "delayBeforeRetry", "delayLoop", "warmup", "alpha", "logAllFailures"]);

const checkerShape: Shape = {
  kind: "checker",
  identity: (item) => canonicalJson(Object.fromEntries(Object.entries(item).filter(([name]) => !timing.has(name)))),
  name: ({ type }) => text(type),
  renewed: "it checks something else: what was found out does not hold",
  fields: labelled(checkerLabels, {}),
};

const realServerShape: Shape = {
  kind: "real server",
  identity: serverOf,
  name: serverOf,
  lists: { checkers: checkerShape },
};

/** A mark alone stands for all protocols; of several servers on one group each is its place among them. */
function virtualServerOf({ id, protocol }: Members): string {
  if (!isMembers(id)) return "";
  if (id.kind === "fwmark") return `fwmark ${text(id.mark)}`;
  return `${id.kind === "group" ? `group ${text(id.name)}` : serverOf(id)} ${text(protocol)}`;
}

const virtualServerShape: Shape = {
  kind: "virtual server",
  identity: virtualServerOf,
  name: virtualServerOf,
  lists: { realServers: realServerShape },
  fields: labelled(virtualServerLabels, { id: untold }),
};

// --- the whole ------------------------------------------------------------------------------------------------------------

/** What a process has from its start to its end (behaviour section 19). */
const atStart: Field = { effect: "start" };

export const globalShape: Shape = {
  kind: "global",
  identity: () => "",
  name: () => "",
  fields: labelled(globalLabels, {
    smtpServer: { show: hostPort },
    "lvs.timeouts.tcp": { show: duration },
    "lvs.timeouts.tcpFin": { show: duration },
    "lvs.timeouts.udp": { show: duration },
    "files.umask": { show: (value) => `0${Number(value).toString(8)}` },
    "vrrp.pollLinks": atStart,
    "node.instance": atStart,
    "node.netNamespace": atStart,
    "node.netNamespaceIpvs": atStart,
    "node.namespaceWithIpsets": atStart,
    "node.usePidDirectory": atStart,
  }),
};

/** The lists of the Config, and whatever is beside them. */
export const configShape: Shape = {
  ...globalShape,
  lists: {
    scripts: scriptShape,
    trackFiles: namedShape("file"),
    trackProcesses: namedShape("process"),
    bfdInstances: namedShape("BFD"),
    syncGroups: groupShape,
    instances: instanceShape,
    virtualServers: virtualServerShape,
    staticAddresses: addressShape("static address"),
    staticRoutes: routeShape("static route"),
    staticRules: ruleShape("static rule"),
    trackGroups: namedShape("track group"),
    interfaceDelays: delayShape,
    garpGroups: garpGroupShape,
    polledInterfaces: onInterface("polled interface"),
  },
};
