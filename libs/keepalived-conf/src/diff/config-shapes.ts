// What the Config is made of, for comparing: by what each subject is recognised across a reload (behaviour section 19),
// what makes it start anew, and what its settings are called in the file. What is not named here is compared all the same.
import { canonicalJson } from "../canonical-json.ts";
import type { Field, Shape } from "./compare.ts";
import { isMembers, isSame, type Members, seconds, showValue } from "./show.ts";

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
const label = (name: string): Field => ({ label: name });
const named = (item: Members): string => text(item.name);
const hostPort = (value: unknown): string | undefined =>
  isMembers(value) ? `${text(value.host ?? value.address)} port ${text(value.port)}` : undefined;
const duration = (value: unknown): string => (typeof value === "number" ? seconds(value) : text(value));
const untold: Field = { untold: true };

// --- addresses and what is tracked ------------------------------------------------------------------------------------

const madeAnew = "it is taken off the interface and put on again";

/** An address is another one when the kernel would have to remove it first. */
const addressShape = (kind: string): Shape => ({
  kind,
  identity: ({ address, interface: name }) => `${text(address)} ${text(name)}`,
  name: ({ address, prefixLength }) => `${text(address)}/${text(prefixLength)}`,
  restarting: {
    prefixLength: madeAnew,
    label: madeAnew,
    broadcast: madeAnew,
    scope: madeAnew,
    noPrefixRoute: madeAnew,
    peer: madeAnew,
    vmac: madeAnew,
  },
  fields: {
    prefixLength: label("prefix length"),
    noPrefixRoute: label("noprefixroute"),
    preferredLifetime: { label: "preferred_lft", show: duration },
    homeAddress: label("home"),
    detectDuplicates: label("-nodad"),
    manageTemporary: label("mngtmpaddr"),
    vmac: label("use_vmac"),
  },
  // Adverts list them in this order.
  ordered: true,
});

const trackedShape = (kind: string): Shape => ({ kind, identity: named, name: named });

// --- VRRP ---------------------------------------------------------------------------------------------------------------

/** Another virtual router would be in danger of two masters if it went on with this one's state. */
const routerOf = (item: Members): string => `${text(item.interface)} ${text(item.family)} ${text(item.vrid)}`;

const instanceShape: Shape = {
  kind: "instance",
  identity: routerOf,
  name: named,
  describe: (item) => `VRID ${text(item.vrid)} on ${text(item.interface)}, IPv${text(item.family)}`,
  // Leases, events and metrics go by the name.
  restart: (before, after) => (before.name === after.name ? undefined : `it was called ${text(before.name)}`),
  lists: {
    addresses: addressShape("address"),
    excludedAddresses: addressShape("excluded address"),
    trackScripts: trackedShape("tracked script"),
    trackInterfaces: trackedShape("tracked interface"),
  },
  fields: {
    name: untold,
    interface: untold,
    family: untold,
    vrid: untold,
    initialState: label("state"),
    advertInterval: { label: "advert_int", show: duration },
    downTimerAdverts: label("down_timer_adverts"),
    preempt: label("preempt"),
    preemptDelay: { label: "preempt_delay", show: duration },
    authentication: { show: (value) => (isMembers(value) ? text(value.type).toUpperCase() : undefined) },
    sourceAddress: label("mcast_src_ip"),
    trackPrimary: label("tracking of its own interface"),
    "garp.delay": { label: "garp_master_delay", show: duration },
    "garp.repeat": label("garp_master_repeat"),
    "garp.refresh": { label: "garp_master_refresh", show: duration },
    "garp.refreshRepeat": label("garp_master_refresh_repeat"),
    "garp.lowerPriorityDelay": { label: "garp_lower_prio_delay", show: duration },
    "garp.lowerPriorityRepeat": label("garp_lower_prio_repeat"),
    "notify.any": label("notify"),
    ...Object.fromEntries(
      ["master", "backup", "fault", "stop", "deleted"].map((state) => [`notify.${state}`, label(`notify_${state}`)]),
    ),
    v3ChecksumAsV2: label("v3_checksum_as_v2"),
    lowerPriorityNoAdvert: label("lower_prio_no_advert"),
    higherPrioritySendAdvert: label("higher_prio_send_advert"),
  },
};

const newScript = "another command: until its first result those who track it keep the last one";

const scriptShape: Shape = {
  kind: "script",
  identity: named,
  name: named,
  // Its result is scaled to other numbers, but tells nothing about another program.
  restart: (before, after) => (isSame(before.command, after.command) ? undefined : newScript),
  fields: { interval: { show: duration }, timeout: { show: duration }, initFail: label("init_fail") },
};

const groupShape: Shape = { kind: "sync group", identity: named, name: named };

// --- virtual servers ------------------------------------------------------------------------------------------------------

const serverOf = ({ address, port }: Members): string => `${text(address)} port ${text(port)}`;

/** What a checker found out holds for what it checks: where, and for which answer. */
const timing = new Set(["retry", "delayBeforeRetry", "delayLoop", "warmup", "alpha", "logAllFailures"]);

const checkerShape: Shape = {
  kind: "checker",
  identity: (item) => canonicalJson(Object.fromEntries(Object.entries(item).filter(([name]) => !timing.has(name)))),
  name: ({ type }) => text(type),
  renewed: "it checks something else: what was found out does not hold",
  fields: { retry: label("retry"), delayBeforeRetry: { label: "delay_before_retry", show: duration } },
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
  fields: {
    id: untold,
    scheduler: label("lvs_sched"),
    forwarding: label("lvs_method"),
    delayLoop: { label: "delay_loop", show: duration },
    persistenceTimeout: { label: "persistence_timeout", show: duration },
    sorryServer: { show: hostPort },
  },
};

// --- the whole ------------------------------------------------------------------------------------------------------------

export const globalShape: Shape = {
  kind: "global",
  identity: () => "",
  name: () => "",
  fields: {
    notificationEmail: { show: (value) => showValue(value, "") },
    smtpServer: { show: hostPort },
    smtpConnectTimeout: { show: duration },
  },
};

/** The lists of the Config, and whatever is beside them. */
export const configShape: Shape = {
  ...globalShape,
  lists: {
    scripts: scriptShape,
    syncGroups: groupShape,
    instances: instanceShape,
    virtualServers: virtualServerShape,
  },
};
