// keepalived.data: how everything is configured and how it is, as keepalived tells it on SIGUSR1. Tools find a value by its
// section and label, so both are keepalived's; what only keepalived has (descriptors, threads) is left out.
import type { Command, InstanceConfig, SyncGroupConfig, TrackedConfig, TrackRef } from "@baton/keepalived-conf";
import { dumpedPeer, dumpedRoute, dumpedRule } from "@baton/keepalived-conf";
import {
  commandText,
  type DumpFacts,
  type InstanceFacts,
  instancesOf,
  type StateName,
  userText,
} from "./dump-facts.ts";
import { addressLines } from "./dumped-addresses.ts";
import { type Line, type Section, trackerSections } from "./tracker-text.ts";

export function dataText(facts: DumpFacts): string {
  const sections: readonly Section[] = [
    { title: "Global definitions", lines: globalLines(facts) },
    { title: "VRRP Topology", lines: instancesOf(facts).flatMap((instance) => instanceLines(facts, instance)) },
    { title: "VRRP Sync groups", lines: facts.config.syncGroups.flatMap((group) => groupLines(facts, group)) },
    ...trackerSections(facts),
  ];
  const text = sections.flatMap(({ title, lines }) => {
    const there = lines.filter((line) => line !== undefined);
    return there.length === 0 ? [] : [`------< ${title} >------`, ...there];
  });
  return text.map((line) => `${line}\n`).join("");
}

const wholeSeconds = (micros: number): number => Math.floor(micros / 1_000_000);
const enabled = (flag: boolean): string => (flag ? "enabled" : "disabled");
const yesNo = (flag: boolean): string => (flag ? "yes" : "no");
/** A titled list; without entries nothing at all. */
const list = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`   ${title}:`, ...lines.map((line) => `     ${line}`)];

function globalLines({ config: { global } }: DumpFacts): Line[] {
  const { node, files, fifos } = global;
  return [
    ` Network namespace = ${node.netNamespace ?? "(default)"}`,
    node.instance === undefined ? undefined : ` Instance name = ${node.instance}`,
    ` Router ID = ${global.routerId}`,
    global.smtpServer && ` Smtp server = ${global.smtpServer.host}`,
    global.smtpServer && ` Smtp server port = ${global.smtpServer.port}`,
    ` Dynamic interfaces = ${global.vrrp.dynamicInterfaces !== "no"}`,
    ` FIFO write vrrp states on reload = ${fifos.statesOnReload}`,
    ` Script security ${enabled(global.enableScriptSecurity)}`,
    ` umask = 0${files.umask.toString(8)}`,
    ` json_version ${files.jsonVersion}`,
    files.state && ` state dump file ${files.state}`,
    files.statistics && ` stats dump file ${files.statistics}`,
    files.json && ` json dump file ${files.json}`,
  ];
}

function instanceLines(facts: DumpFacts, instance: InstanceFacts): Line[] {
  const { config } = instance;
  const group = facts.config.syncGroups.find(({ members }) => members.includes(config.name));
  return [
    ` VRRP Instance = ${config.name}`,
    `   VRRP Version = ${config.version}`,
    group && `   Sync group = ${group.name}`,
    config.family === 6 ? "   Using Native IPv6" : undefined,
    ...stateLines(instance),
    ...interfaceLines(instance),
    ...announcementLines(config),
    ...priorityLines(instance),
    ...authenticationLines(config),
    ...list(`Virtual IP (${config.addresses.length})`, addressLines(instance, config.addresses)),
    ...list("Virtual IP Excluded ", addressLines(instance, config.excludedAddresses)),
    ...unicastLines(config),
    ...list(
      "Virtual Routes ",
      config.routes.map((route) => dumpedRoute(route)),
    ),
    ...list(
      "Virtual Rules ",
      config.rules.map((rule) => dumpedRule(rule)),
    ),
    ...trackedLines(config, "Tracked processes "),
    `   Using smtp notification = ${yesNo(config.smtpAlert)}`,
    `   Notify deleted = ${config.notify.tellDeleted ? "Deleted" : "Fault"}`,
    ...notifyLines(config.notify),
    notifyLine("Deleted", config.notify.deleted),
    notifyLine("Master rx lower pri", config.notify.lowerPriority),
    `   Notify priority changes = ${config.notifyPriorityChanges}`,
  ];
}

function stateLines({ config, state, stateName, wanted, lastTransition }: InstanceFacts): Line[] {
  const isBackup = stateName === "BACKUP";
  const heard = state?.masterAdvertMicros ?? 0;
  const interval = heard === 0 ? config.advertInterval : heard;
  return [
    `   State = ${stateName}`,
    isBackup ? `   Master router = ${state?.master || "0.0.0.0"}` : undefined,
    isBackup ? `   Master priority = ${state?.masterPriority ?? 0}` : undefined,
    isBackup && config.version === 3
      ? `   Master advert interval = ${Math.floor(interval / 1_000)} milli-sec`
      : undefined,
    ...(config.unicast === undefined ? ["   Flags: none"] : ["   Flags:", "     Using unicast"]),
    `   Wantstate = ${wanted}`,
    `   Number of tracker faults = ${state?.faultCauses.length ?? 0}`,
    ...faultLines(state?.faultCauses ?? []),
    `   Last transition = ${timeText(lastTransition)}`,
  ];
}

const faultLines = (causes: readonly string[]): string[] =>
  causes.length === 0
    ? ["   Flags of interface faults - (none)"]
    : ["   Flags of interface faults:", ...causes.map((cause) => `     ${cause}`)];

function interfaceLines({ config, state, ownInterface, interface: on }: InstanceFacts): Line[] {
  const { vmac, ipvlan } = config;
  const source = config.sourceAddress ?? state?.primaryAddress;
  const group = config.multicastGroup;
  return [
    vmac && `   Use VMAC, i/f name ${ownInterface}, is_up = true, xmit_base = ${vmac.transmitBase}`,
    ipvlan && `   Use IPVLAN, i/f ${ownInterface}, is_up = true, type ${ipvlan.mode}`,
    `   Interface = ${on}${ownInterface === "" ? "" : `, ${vmac ? "vmac" : "ipvlan"} on ${config.interface}`}`,
    config.unicast?.vrf && `   VRF = ${config.unicast.vrf}`,
    config.trackPrimary ? undefined : "   VRRP interface tracking disabled",
    config.skipCheckAddresses ? "   Skip checking advert IP addresses" : undefined,
    config.strict ? "   Enforcing strict VRRP compliance" : undefined,
    `   Using src_ip = ${source || "(none)"}${config.sourceAddress === undefined ? "" : " (from configuration)"}`,
    group && `   Multicast address ${group}`,
  ];
}

function announcementLines({ garp, garpExtra }: InstanceConfig): Line[] {
  const extra = `   Gratuitous ARP for each secondary ${garpExtra.all ? "i/f" : "VMAC"} = ${wholeSeconds(garpExtra.interval)}`;
  return [
    `   Gratuitous ARP delay = ${wholeSeconds(garp.delay)}`,
    `   Gratuitous ARP repeat = ${garp.repeat}`,
    `   Gratuitous ARP refresh = ${wholeSeconds(garp.refresh)}`,
    `   Gratuitous ARP refresh repeat = ${garp.refreshRepeat}`,
    `   Gratuitous ARP lower priority delay = ${wholeSeconds(garp.lowerPriorityDelay)}`,
    `   Gratuitous ARP lower priority repeat = ${garp.lowerPriorityRepeat}`,
    garpExtra.interval === 0 ? undefined : extra,
  ];
}

function priorityLines({ config, state }: InstanceFacts): Line[] {
  const { version, advertInterval } = config;
  const interval = version === 2 ? `${wholeSeconds(advertInterval)} sec` : `${advertInterval / 1_000} milli-sec`;
  const effective = state?.effectivePriority ?? config.priority;
  return [
    `   Down timer adverts = ${config.downTimerAdverts}`,
    `   Send advert after receive lower priority advert = ${!config.lowerPriorityNoAdvert}`,
    `   Send advert after receive higher priority advert = ${config.higherPrioritySendAdvert}`,
    config.priority === 255 ? `   Address owner ignores received adverts = ${config.ownerIgnoreAdverts}` : undefined,
    `   Virtual Router ID = ${config.vrid}`,
    `   Priority = ${config.priority}`,
    `   Effective priority = ${effective}`,
    `   Total priority = ${effective}`,
    `   Advert interval = ${interval}`,
    `   Accept = ${enabled(config.accept)}`,
    `   Preempt = ${enabled(config.preempt)}`,
    config.preemptDelay === 0 ? undefined : `   Preempt delay = ${config.preemptDelay / 1_000_000} secs`,
    `   Promote_secondaries = ${enabled(config.promoteSecondaries)}`,
  ];
}

/** Passwords and keys are never shown. */
function authenticationLines({ authentication, authHmac, version, family, ...config }: InstanceConfig): Line[] {
  const type = authentication?.type === "ah" ? "IPSEC_AH" : "SIMPLE_PASSWORD";
  const window = authHmac && wholeSeconds(authHmac.timeWindow);
  const none = version === 2 ? "   Authentication type = none" : undefined;
  return [
    authentication === undefined ? none : `   Authentication type = ${type}`,
    authentication?.type === "pass" ? "   Password = ********" : undefined,
    ...(authHmac === undefined
      ? []
      : [
          "   Authentication extension = HMAC-SHA256-128",
          `     Keys = ${authHmac.keys.length}, active key id = ${authHmac.activeKey}`,
          `     Mode = ${authHmac.mode}`,
          `     Anti replay = ${authHmac.antiReplay === "time" ? `time, window = ${window} sec` : "monotonic"}`,
        ]),
    version === 3 && family === 4 ? `   VRRPv3 uses VRRPv2 checksum = ${enabled(config.v3ChecksumAsV2)}` : undefined,
    config.receiveBuffer === undefined ? undefined : `   Kernel rx buffer size = ${config.receiveBuffer}`,
    config.debugLevel === 0 ? undefined : `   Debug level = ${config.debugLevel}`,
  ];
}

function unicastLines({ unicast }: InstanceConfig): Line[] {
  if (unicast === undefined) return [];
  return [
    unicast.ttl === undefined ? undefined : `   Unicast TTL = ${unicast.ttl}`,
    `   Check unicast src : ${yesNo(unicast.checkSource)}`,
    ...list(
      "Unicast Peer ",
      unicast.peers.map((peer) => dumpedPeer(peer)),
    ),
    `   Unicast checksum compatibility = ${{ auto: "no", always: "config", never: "never" }[unicast.oldChecksum]}`,
  ];
}

function trackedLines(tracked: TrackedConfig, processes: string): string[] {
  const lines = (refs: readonly TrackRef[], between: string): string[] =>
    refs.map(({ name, weight, reverse }) => `${name}${between} weight ${weight}${reverse ? " reverse" : ""}`);
  return [
    ...list("Tracked interfaces ", lines(tracked.trackInterfaces, "")),
    ...list("Tracked scripts ", lines(tracked.trackScripts, "")),
    ...list("Tracked files ", lines(tracked.trackFiles, ",")),
    ...list(processes, lines(tracked.trackProcesses, ",")),
    ...list("Tracked BFDs ", lines(tracked.trackBfds, ":")),
  ];
}

const notifyLine = (name: string, command: Command | undefined): Line =>
  command && `   ${name} state transition script = ${commandText(command)}, uid:gid ${userText(command)}`;

const notifyLines = (notify: SyncGroupConfig["notify"]): Line[] => [
  notifyLine("Backup", notify.backup),
  notifyLine("Master", notify.master),
  notifyLine("Fault", notify.fault),
  notifyLine("Stop", notify.stop),
  notifyLine("Generic", notify.any),
];

function groupLines(facts: DumpFacts, group: SyncGroupConfig): Line[] {
  const members = instancesOf(facts).filter(({ config: { name } }) => group.members.includes(name));
  const count = (of: StateName): number => members.filter(({ stateName }) => stateName === of).length;
  return [
    ` VRRP Sync Group = ${group.name}, ${groupState(count, members.length)}`,
    `   Num member fault ${count("FAULT")}, num member init ${count("INIT")}`,
    ...list("VRRP member instances ", group.members),
    group.trackingWeight ? "   sync group tracking weight set" : undefined,
    `   Using smtp notification = ${yesNo(group.smtpAlert)}`,
    ...trackedLines(group, "Tracked process "),
    ...notifyLines(group.notify),
  ];
}

/** Its members are in one state, except while they change. */
function groupState(count: (of: StateName) => number, members: number): StateName {
  if (count("FAULT") > 0) return "FAULT";
  if (count("INIT") > 0) return "INIT";
  return members > 0 && count("MASTER") === members ? "MASTER" : "BACKUP";
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** `1795416732.807222 (Mon Nov 23 06:52:12.807222 2026)`, in local time as ctime(3) writes it. */
function timeText(wallMicros: number): string {
  const whole = Math.floor(wallMicros / 1_000_000);
  const fraction = String(Math.floor(wallMicros) % 1_000_000).padStart(6, "0");
  const at = new Date(whole * 1_000);
  const day = String(at.getDate()).padStart(2, " ");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
  const date = `${days[at.getDay()]} ${months[at.getMonth()]} ${day} ${time}.${fraction} ${at.getFullYear()}`;
  return `${whole}.${fraction} (${date})`;
}
