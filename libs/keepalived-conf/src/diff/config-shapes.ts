// What the Config is made of, for comparing: by what each subject is recognised across a reload (behaviour section 19),
// what makes it start anew, and what its settings are called in the file. What is not named here is compared all the same.
import type { Command, InstanceConfig } from "../config.ts";
import type { Field, Shape } from "./compare.ts";
import { addressOf, duration, hostAndPort, label, named, text, untold } from "./fields.ts";
import { addressShape, routeShape, ruleShape } from "./kernel-shapes.ts";
import { globalLabels, instanceLabels, labelled } from "./labels.ts";
import { virtualServerGroupShape, virtualServerShape } from "./server-shapes.ts";
import { isMembers, isSame, type Members, showValue } from "./show.ts";

// --- what is known by a name or an interface ------------------------------------------------------------------------------

const namedShape = (kind: string): Shape => ({ kind, identity: named, name: named });

const onInterface = (kind: string): Shape => ({
  kind,
  identity: (item) => text(item.interface),
  name: (item) => text(item.interface),
});

const delayShape: Shape = {
  ...onInterface("delay of interface"),
  fields: { up: duration, down: duration },
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
    "authHmac.timeWindow": duration,
  }),
};

const program = (command: unknown): unknown => (isMembers(command) ? { ...command, user: undefined } : command);

/** Run as the same user its last result holds; the numbers around it do not matter. */
export const isSameProgram = (before: Command, after: Command): boolean => isSame(program(before), program(after));

const newScript = "another command: until its first result those who track it keep the last one";
const newUser = "another user: until its first result those who track it keep the last one";

/** Users go by their names here, although two of them may be one to the machine. */
function scriptRestart({ command: before }: Members, { command: after }: Members): string | undefined {
  if (isSame(before, after)) return undefined;
  return isSame(program(before), program(after)) ? newUser : newScript;
}

const scriptShape: Shape = {
  kind: "script",
  identity: named,
  name: named,
  // Its result is scaled to other numbers, but tells nothing about another program.
  restart: scriptRestart,
};

const groupShape: Shape = {
  kind: "sync group",
  identity: named,
  name: named,
  lists: tracked,
  fields: labelled(instanceLabels, { trackingWeight: label("sync_group_tracking_weight") }),
};

// --- the whole ------------------------------------------------------------------------------------------------------------

/** What a process has from its start to its end (behaviour section 19). */
const atStart: Field = { effect: "start" };

export const globalShape: Shape = {
  kind: "global",
  identity: () => "",
  name: () => "",
  fields: labelled(globalLabels, {
    smtpServer: hostAndPort,
    "lvs.timeouts.tcp": duration,
    "lvs.timeouts.tcpFin": duration,
    "lvs.timeouts.udp": duration,
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
    virtualServerGroups: virtualServerGroupShape,
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
