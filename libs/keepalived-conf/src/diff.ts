// What changes from one Config to the next: for a reload that touches only that, and for people. keepalived matches
// instances by interface, family and VRID, never by name (behaviour section 19): another VRID is another virtual router.
import type { Micros } from "@baton/domain";
import { canonicalJson } from "./canonical-json.ts";
import type {
  Command,
  Config,
  InstanceConfig,
  TrackRef,
  TrackScriptConfig,
  VirtualAddressConfig,
  VirtualServerConfig,
} from "./config.ts";

export interface ConfigDiff {
  /** One sentence each, like `instance VI_1: address 10.0.0.2/24 added`; empty when nothing changes. */
  readonly changes: readonly string[];
  readonly instances: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    /** The same virtual router, with other settings; by its new name. */
    readonly changed: readonly string[];
    /** The name stays, but it is another virtual router now: the old one leaves, the new one starts. */
    readonly restarted: readonly string[];
  };
  readonly scripts: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
}

export function diffConfig(before: Config, after: Config): ConfigDiff {
  const changes: string[] = [];
  const instances = diffInstances(before.instances, after.instances, changes);
  const scripts = diffNamed("script", before.scripts, after.scripts, scriptFields, changes);
  diffFields("global", globalFields, before.global, after.global, changes);
  diffNamed(
    "sync group",
    before.syncGroups,
    after.syncGroups,
    [["members", (group) => group.members.join(", ")]],
    changes,
  );
  diffVirtualServers(before.virtualServers, after.virtualServers, changes);
  return { changes, instances, scripts };
}

/** A setting as people read it; equal text means nothing changed. */
type Field<T> = readonly [label: string, show: (subject: T) => string];

function diffFields<T>(subject: string, fields: readonly Field<T>[], before: T, after: T, changes: string[]): void {
  for (const [label, show] of fields) {
    const [old, now] = [show(before), show(after)];
    if (old !== now) changes.push(`${subject}: ${label} ${old} → ${now}`);
  }
}

interface ListDiff<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly kept: readonly (readonly [before: T, after: T])[];
}

function matchLists<T>(before: readonly T[], after: readonly T[], keyOf: (item: T) => string): ListDiff<T> {
  const old = new Map(before.map((item) => [keyOf(item), item]));
  const now = new Map(after.map((item) => [keyOf(item), item]));
  const kept: (readonly [T, T])[] = [];
  for (const [key, item] of now) {
    const twin = old.get(key);
    if (twin !== undefined) kept.push([twin, item]);
  }
  return {
    added: [...now].filter(([key]) => !old.has(key)).map(([, item]) => item),
    removed: [...old].filter(([key]) => !now.has(key)).map(([, item]) => item),
    kept,
  };
}

function diffNamed<T extends { readonly name: string }>(
  kind: string,
  before: readonly T[],
  after: readonly T[],
  fields: readonly Field<T>[],
  changes: string[],
): ConfigDiff["scripts"] {
  const { added, removed, kept } = matchLists(before, after, (item) => item.name);
  const changed: string[] = [];
  for (const { name } of removed) changes.push(`${kind} ${name} removed`);
  for (const { name } of added) changes.push(`${kind} ${name} added`);
  for (const [old, now] of kept) {
    if (canonicalJson(old) === canonicalJson(now)) continue;
    changed.push(now.name);
    diffFields(`${kind} ${now.name}`, fields, old, now, changes);
  }
  return { added: added.map(({ name }) => name), removed: removed.map(({ name }) => name), changed };
}

const routerOf = (instance: InstanceConfig): string => `${instance.interface} ${instance.family} ${instance.vrid}`;

const describeRouter = ({ interface: name, family, vrid }: InstanceConfig): string =>
  `VRID ${vrid} on ${name}, IPv${family}`;

function diffInstances(
  before: readonly InstanceConfig[],
  after: readonly InstanceConfig[],
  changes: string[],
): ConfigDiff["instances"] {
  const { added, removed, kept } = matchLists(before, after, routerOf);
  // A name that moves to another virtual router; unless its old one lives on under another name.
  const restarted = added
    .filter((instance) => removed.some((old) => old.name === instance.name))
    .map(({ name }) => name);
  const moved = new Set(restarted);
  for (const old of removed) {
    const now = moved.has(old.name) ? added.find((instance) => instance.name === old.name) : undefined;
    if (now === undefined) changes.push(`instance ${old.name} removed (${describeRouter(old)})`);
    else changes.push(`instance ${now.name}: ${describeRouter(old)} → ${describeRouter(now)}: it starts anew`);
  }
  for (const now of added)
    if (!moved.has(now.name)) changes.push(`instance ${now.name} added (${describeRouter(now)})`);
  const changed: string[] = [];
  for (const [old, now] of kept) {
    if (canonicalJson(old) === canonicalJson(now)) continue;
    changed.push(now.name);
    diffInstance(old, now, changes);
  }
  return {
    added: added.map(({ name }) => name).filter((name) => !moved.has(name)),
    removed: removed.map(({ name }) => name).filter((name) => !moved.has(name)),
    changed,
    restarted,
  };
}

function diffInstance(before: InstanceConfig, after: InstanceConfig, changes: string[]): void {
  const subject = `instance ${after.name}`;
  if (before.name !== after.name) changes.push(`${subject}: renamed from ${before.name}`);
  diffAddresses(`${subject}: address`, before.addresses, after.addresses, changes);
  diffAddresses(`${subject}: excluded address`, before.excludedAddresses, after.excludedAddresses, changes);
  diffRefs(`${subject}: tracked script`, before.trackScripts, after.trackScripts, changes);
  diffRefs(`${subject}: tracked interface`, before.trackInterfaces, after.trackInterfaces, changes);
  const [old, now] = [canonicalJson(before.authentication ?? null), canonicalJson(after.authentication ?? null)];
  // A password has no place in a log.
  if (old !== now)
    changes.push(`${subject}: authentication ${describeChange(before.authentication, after.authentication)}`);
  diffFields(subject, instanceFields, before, after, changes);
}

const describeChange = (before: unknown, after: unknown): string =>
  before === undefined ? "added" : after === undefined ? "removed" : "changed";

function diffAddresses(
  subject: string,
  before: readonly VirtualAddressConfig[],
  after: readonly VirtualAddressConfig[],
  changes: string[],
): void {
  const { added, removed, kept } = matchLists(before, after, ({ address, interface: name }) => `${address} ${name}`);
  const show = ({ address, prefixLength }: VirtualAddressConfig) => `${address}/${prefixLength}`;
  for (const line of removed) changes.push(`${subject} ${show(line)} removed`);
  for (const line of added) changes.push(`${subject} ${show(line)} added`);
  for (const [old, now] of kept) diffFields(`${subject} ${show(now)}`, addressFields, old, now, changes);
  const order = (lines: readonly VirtualAddressConfig[]) => lines.map(({ address }) => address).join(", ");
  if (added.length === 0 && removed.length === 0 && order(before) !== order(after)) {
    changes.push(`${subject}es in another order: ${order(after)}`);
  }
}

function diffRefs(subject: string, before: readonly TrackRef[], after: readonly TrackRef[], changes: string[]): void {
  const { added, removed, kept } = matchLists(before, after, ({ name }) => name);
  for (const { name } of removed) changes.push(`${subject} ${name} removed`);
  for (const { name } of added) changes.push(`${subject} ${name} added`);
  for (const [old, now] of kept) diffFields(`${subject} ${now.name}`, refFields, old, now, changes);
}

function diffVirtualServers(
  before: readonly VirtualServerConfig[],
  after: readonly VirtualServerConfig[],
  changes: string[],
): void {
  const { added, removed, kept } = matchLists(before, after, nameServer);
  for (const server of removed) changes.push(`virtual server ${nameServer(server)} removed`);
  for (const server of added) changes.push(`virtual server ${nameServer(server)} added`);
  for (const [old, now] of kept) {
    const subject = `virtual server ${nameServer(now)}`;
    diffFields(subject, serverFields, old, now, changes);
    const reals = matchLists(old.realServers, now.realServers, ({ address, port }) => `${address} port ${port}`);
    for (const real of reals.removed) changes.push(`${subject}: real server ${real.address} port ${real.port} removed`);
    for (const real of reals.added) changes.push(`${subject}: real server ${real.address} port ${real.port} added`);
    for (const [oldReal, real] of reals.kept) {
      const realSubject = `${subject}: real server ${real.address} port ${real.port}`;
      diffFields(realSubject, [["weight", ({ weight }) => String(weight)]], oldReal, real, changes);
      if (canonicalJson(oldReal.checkers) !== canonicalJson(real.checkers))
        changes.push(`${realSubject}: checks changed`);
    }
  }
}

function nameServer({ id, protocol }: VirtualServerConfig): string {
  if (id.kind === "fwmark") return `fwmark ${id.mark}`;
  return `${id.kind === "group" ? `group ${id.name}` : `${id.address} port ${id.port}`} ${protocol}`;
}

const seconds = (duration: Micros): string => `${duration / 1_000_000} s`;
const yesNo = (value: boolean): string => (value ? "on" : "off");
const optional = (value: string | number | undefined): string => (value === undefined ? "none" : String(value));
const command = (given: Command | undefined): string =>
  given === undefined
    ? "none"
    : `"${given.text}"${given.run === "shell" ? " (shell)" : ""}${given.user === undefined ? "" : ` as ${userOf(given.user)}`}`;
const userOf = ({ user, group }: NonNullable<Command["user"]>): string =>
  group === undefined ? user : `${user}:${group}`;

const addressFields: readonly Field<VirtualAddressConfig>[] = [
  ["prefix length", ({ prefixLength }) => String(prefixLength)],
  ["label", ({ label }) => optional(label)],
  ["broadcast", ({ broadcast }) => optional(broadcast)],
  ["scope", ({ scope }) => String(scope)],
  ["noprefixroute", ({ noPrefixRoute }) => yesNo(noPrefixRoute)],
];

const refFields: readonly Field<TrackRef>[] = [
  ["weight", ({ weight }) => String(weight)],
  ["reverse", ({ reverse }) => yesNo(reverse)],
];

const instanceFields: readonly Field<InstanceConfig>[] = [
  ["version", ({ version }) => String(version)],
  ["priority", ({ priority }) => String(priority)],
  ["state", ({ initialState }) => initialState],
  ["advert interval", ({ advertInterval }) => seconds(advertInterval)],
  ["missed adverts", ({ downTimerAdverts }) => String(downTimerAdverts)],
  ["pre-emption", ({ preempt }) => yesNo(preempt)],
  ["pre-emption delay", ({ preemptDelay }) => seconds(preemptDelay)],
  ["tracking of its interface", ({ trackPrimary }) => yesNo(trackPrimary)],
  ["source address", ({ sourceAddress }) => optional(sourceAddress)],
  ["announcement delay", ({ garp }) => seconds(garp.delay)],
  ["announcement repeat", ({ garp }) => String(garp.repeat)],
  ["announcement refresh", ({ garp }) => seconds(garp.refresh)],
  ["announcement refresh repeat", ({ garp }) => String(garp.refreshRepeat)],
  ["announcement delay on a lower priority", ({ garp }) => seconds(garp.lowerPriorityDelay)],
  ["announcement repeat on a lower priority", ({ garp }) => String(garp.lowerPriorityRepeat)],
  ["notify_master", ({ notify }) => command(notify.master)],
  ["notify_backup", ({ notify }) => command(notify.backup)],
  ["notify_fault", ({ notify }) => command(notify.fault)],
  ["notify_stop", ({ notify }) => command(notify.stop)],
  ["notify_deleted", ({ notify }) => command(notify.deleted)],
  ["notify", ({ notify }) => command(notify.any)],
  ["mail", ({ smtpAlert }) => yesNo(smtpAlert)],
  ["v3_checksum_as_v2", ({ v3ChecksumAsV2 }) => yesNo(v3ChecksumAsV2)],
  ["lower_prio_no_advert", ({ lowerPriorityNoAdvert }) => yesNo(lowerPriorityNoAdvert)],
  ["higher_prio_send_advert", ({ higherPrioritySendAdvert }) => yesNo(higherPrioritySendAdvert)],
];

const scriptFields: readonly Field<TrackScriptConfig>[] = [
  ["command", (script) => command(script.command)],
  ["interval", ({ interval }) => seconds(interval)],
  ["timeout", ({ timeout }) => seconds(timeout)],
  ["weight", ({ weight }) => String(weight)],
  ["reverse", ({ reverse }) => yesNo(reverse)],
  ["rise", ({ rise }) => String(rise)],
  ["fall", ({ fall }) => String(fall)],
  ["init_fail", ({ initFail }) => yesNo(initFail)],
];

const globalFields: readonly Field<Config["global"]>[] = [
  ["router_id", ({ routerId }) => routerId],
  [
    "notification_email",
    ({ notificationEmail }) => (notificationEmail.length === 0 ? "none" : notificationEmail.join(", ")),
  ],
  ["notification_email_from", ({ notificationEmailFrom }) => optional(notificationEmailFrom)],
  [
    "smtp_server",
    ({ smtpServer }) => (smtpServer === undefined ? "none" : `${smtpServer.host} port ${smtpServer.port}`),
  ],
  ["smtp_helo_name", ({ smtpHeloName }) => optional(smtpHeloName)],
  ["smtp_connect_timeout", ({ smtpConnectTimeout }) => seconds(smtpConnectTimeout)],
  ["enable_script_security", ({ enableScriptSecurity }) => yesNo(enableScriptSecurity)],
  ["script_user", ({ scriptUser }) => (scriptUser === undefined ? "none" : userOf(scriptUser))],
];

const serverFields: readonly Field<VirtualServerConfig>[] = [
  ["scheduler", ({ scheduler }) => scheduler],
  ["forwarding", ({ forwarding }) => forwarding],
  ["check interval", ({ delayLoop }) => seconds(delayLoop)],
  ["persistence", ({ persistenceTimeout }) => seconds(persistenceTimeout)],
  ["quorum", ({ quorum }) => String(quorum)],
  ["hysteresis", ({ hysteresis }) => String(hysteresis)],
  [
    "sorry server",
    ({ sorryServer }) => (sorryServer === undefined ? "none" : `${sorryServer.address} port ${sorryServer.port}`),
  ],
];
