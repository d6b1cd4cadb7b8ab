// Our instances and sync groups in the words of keepalived's dump, label for label; and what of the dump they are laid
// beside.
import type {
  Command,
  GroupNotifyConfig,
  InstanceConfig,
  SyncGroupConfig,
  TrackedConfig,
  TrackRef,
} from "../config.ts";
import { dumpedAddress, dumpedPeer, dumpedRoute, dumpedRule } from "../dump/dump-lines.ts";
import { type Facts, shown } from "./dump-objects.ts";

/** How an instance is at the moment. */
const running = [
  ...["State", "Number of config faults", "Number of tracker faults", "Number of track scripts init"],
  ...["Last transition", "Read timeout", "Master down timer", "Effective priority", "Total priority"],
  ...["Highest other priority", "Last advert sent", "No sockets allocated", "Flags of interface faults - (none)"],
];

const seconds = (micros: number): string => String(Math.floor(micros / 1_000_000));
const yesNo = (flag: boolean): string => (flag ? "yes" : "no");
const enabled = (flag: boolean): string => (flag ? "enabled" : "disabled");
const flag = (isSet: boolean): string | undefined => (isSet ? "" : undefined);
const list = (lines: readonly string[]): string | undefined => (lines.length === 0 ? undefined : lines.join("\n"));

/** Of an address on a virtual MAC keepalived tells the interface that it made: its name depends on what else is there. */
const isMade = (name: string | undefined): boolean => name !== undefined && /^vrrp\d*\.\d+$/.test(name);

function withoutMade(line: string): string {
  const device = / dev (\S+)/.exec(line)?.[1]?.split("@")[0];
  return isMade(device) ? line.replace(/ dev \S+( use_vmac)?/, " on a virtual MAC") : line;
}

function addressLine(address: InstanceConfig["addresses"][number], { vmac }: InstanceConfig): string {
  const line = dumpedAddress(address);
  if (address.vmac === "none") return line;
  const named = address.vmac === "instance" && vmac?.name !== undefined && !isMade(vmac.name);
  return line.replace(/ dev \S+/, named ? ` dev ${vmac.name}` : " on a virtual MAC");
}

/** Weights of next hops are shown where they were written only. */
export const withoutWeights = (line: string): string => line.replace(/ weight \d+/g, "");

const eachLine = (value: string, change: (line: string) => string): string => value.split("\n").map(change).join("\n");

/** What is configured of it, without what depends on the machine. */
export function instanceFactsOf(facts: Facts, global: Facts): Facts {
  const all = new Map([...facts].filter(([label]) => !running.includes(label)));
  const change = (label: string, to: (value: string) => string | undefined): void => {
    const value = all.get(label);
    const changed = value === undefined ? undefined : to(value);
    if (changed === undefined) all.delete(label);
    else all.set(label, changed);
  };
  all.delete("Flags: none");
  // Whether there were words about unicast without a peer has no effect.
  change("Flags", (value) => (value.startsWith("Using unicast") ? value : undefined));
  for (const label of ["Virtual IP", "Virtual IP Excluded"]) change(label, (value) => eachLine(value, withoutMade));
  change("Virtual Routes", (value) => eachLine(value, withoutWeights));
  // Otherwise it is the machine's.
  change("Using src_ip", (value) => (/ \(from configuration\)$/.exec(value) && value.replace(/ .*/, "")) || undefined);
  change("Multicast address", (value) => value.replace(/, ifindex \d+$/, ""));
  change("Use VMAC", (value) => value.replace(/i\/f name (\S+), /, (text, name) => (isMade(name) ? "" : text)));
  change("Check unicast src", (value) => (global.get("VRRP check unicast_src") === "true" ? "yes" : value));
  const configured = all.get("Configured interface");
  all.delete("Configured interface");
  if (configured !== undefined) all.set("Interface", configured);
  return all;
}

export function instanceFacts(instance: InstanceConfig, groups: readonly SyncGroupConfig[]): Facts {
  const { garp, garpExtra, version, family, advertInterval, unicast } = instance;
  return shown({
    "VRRP Version": String(version),
    "Using Native IPv6": flag(family === 6),
    "Sync group": groups.find(({ members }) => members.includes(instance.name))?.name,
    Flags: unicast && "Using unicast",
    Wantstate: instance.initialState.toUpperCase(),
    ...vmacFacts(instance),
    Interface: instance.interface,
    VRF: unicast?.vrf,
    "VRRP interface tracking disabled": flag(!instance.trackPrimary),
    "Skip checking advert IP addresses": flag(instance.skipCheckAddresses),
    "Enforcing strict VRRP compliance": flag(instance.strict),
    "Using src_ip": instance.sourceAddress,
    "Multicast address": instance.multicastGroup,
    "Gratuitous ARP delay": seconds(garp.delay),
    "Gratuitous ARP repeat": String(garp.repeat),
    "Gratuitous ARP refresh": seconds(garp.refresh),
    "Gratuitous ARP refresh repeat": String(garp.refreshRepeat),
    "Gratuitous ARP lower priority delay": seconds(garp.lowerPriorityDelay),
    "Gratuitous ARP lower priority repeat": String(garp.lowerPriorityRepeat),
    [`Gratuitous ARP for each secondary ${garpExtra.all ? "i/f" : "VMAC"}`]:
      garpExtra.interval === 0 ? undefined : seconds(garpExtra.interval),
    "Down timer adverts": String(instance.downTimerAdverts),
    "Send advert after receive lower priority advert": String(!instance.lowerPriorityNoAdvert),
    "Send advert after receive higher priority advert": String(instance.higherPrioritySendAdvert),
    "Address owner ignores received adverts":
      instance.priority === 255 ? String(instance.ownerIgnoreAdverts) : undefined,
    "Virtual Router ID": String(instance.vrid),
    Priority: String(instance.priority),
    "Advert interval": version === 2 ? `${seconds(advertInterval)} sec` : `${advertInterval / 1000} milli-sec`,
    Accept: enabled(instance.accept),
    Preempt: enabled(instance.preempt),
    "Preempt delay": instance.preemptDelay === 0 ? undefined : `${instance.preemptDelay / 1_000_000} secs`,
    Promote_secondaries: enabled(instance.promoteSecondaries),
    ...authenticationFacts(instance),
    "VRRPv3 uses VRRPv2 checksum": version === 3 && family === 4 ? enabled(instance.v3ChecksumAsV2) : undefined,
    "Kernel rx buffer size": instance.receiveBuffer?.toString(),
    "Debug level": instance.debugLevel === 0 ? undefined : String(instance.debugLevel),
    "Virtual IP": list(instance.addresses.map((address) => addressLine(address, instance))),
    "Virtual IP Excluded": list(instance.excludedAddresses.map((address) => addressLine(address, instance))),
    ...unicastFacts(instance),
    "Virtual Routes": list(instance.routes.map((route) => dumpedRoute(route))),
    "Virtual Rules": list(instance.rules.map((rule) => dumpedRule(rule))),
    ...trackedFacts(instance, "Tracked processes"),
    "Using smtp notification": yesNo(instance.smtpAlert),
    "Notify deleted": instance.notify.tellDeleted ? "Deleted" : "Fault",
    ...notifyFacts(instance.notify),
    "Deleted state transition script": commandOf(instance.notify.deleted),
    "Master rx lower pri state transition script": commandOf(instance.notify.lowerPriority),
    "Notify priority changes": String(instance.notifyPriorityChanges),
  });
}

function vmacFacts({ vmac, ipvlan }: InstanceConfig): Readonly<Record<string, string | undefined>> {
  const made = vmac?.name === undefined || isMade(vmac.name);
  const base = vmac && `${made ? "" : `i/f name ${vmac.name}, `}is_up = false, xmit_base = ${vmac.transmitBase}`;
  const lines = [
    base,
    vmac?.mac && `MAC = ${vmac.mac}`,
    vmac?.netlinkNotify === true && "Force netlink update for base interface",
    vmac?.addresses === true && "Use VMAC for VIPs on other interfaces",
    vmac?.group !== undefined && `Interface group ${vmac.group}`,
  ];
  const type = ipvlan && `i/f ${ipvlan.name}, is_up = false, type ${ipvlan.mode}`;
  return {
    "Use VMAC": list(lines.filter((line) => typeof line === "string")),
    "Use IPVLAN": type,
  };
}

function authenticationFacts(instance: InstanceConfig): Readonly<Record<string, string | undefined>> {
  const { authentication, version, authHmac } = instance;
  const type = { pass: "SIMPLE_PASSWORD", ah: "IPSEC_AH", none: version === 2 ? "none" : undefined };
  const replay = authHmac?.antiReplay === "time" ? `time, window = ${seconds(authHmac.timeWindow)} sec` : "monotonic";
  return {
    "Authentication type": type[authentication?.type ?? "none"],
    // Masked in the dump.
    Password: authentication?.type === "pass" ? "********" : undefined,
    "Authentication extension":
      authHmac &&
      [
        "HMAC-SHA256-128",
        `Keys = ${authHmac.keys.length}, active key id = ${authHmac.activeKey}`,
        `Mode = ${authHmac.mode}`,
        `Anti replay = ${replay}`,
      ].join("\n"),
  };
}

function unicastFacts({ unicast }: InstanceConfig): Readonly<Record<string, string | undefined>> {
  if (unicast === undefined) return {};
  return {
    "Unicast TTL": unicast.ttl?.toString(),
    "Check unicast src": yesNo(unicast.checkSource),
    "Unicast Peer": list(unicast.peers.map((peer) => dumpedPeer(peer))),
    "Unicast checksum compatibility": { auto: "no", always: "config", never: "never" }[unicast.oldChecksum],
  };
}

function trackedFacts(tracked: TrackedConfig, processes: string): Readonly<Record<string, string | undefined>> {
  const lines = (refs: readonly TrackRef[], between: string): string | undefined =>
    list(refs.map(({ name, weight, reverse }) => `${name}${between} weight ${weight}${reverse ? " reverse" : ""}`));
  return {
    "Tracked interfaces": lines(tracked.trackInterfaces, ""),
    "Tracked scripts": lines(tracked.trackScripts, ""),
    "Tracked files": lines(tracked.trackFiles, ","),
    [processes]: lines(tracked.trackProcesses, ","),
    "Tracked BFDs": lines(tracked.trackBfds, ":"),
  };
}

/** As numbers, which are what keepalived tells; a service without a user runs as root. */
const users: Readonly<Record<string, string>> = { root: "0:0", nobody: "65534:65534" };
export const userOf = ({ user }: Command): string => users[user?.user ?? "root"] ?? `${user?.user}`;

/** `'WORD' 'WORD'`, as keepalived shows it: the program by the path at which it was found. */
export const wordsOf = ({ argv }: Command): string => argv.map((word) => `'${word}'`).join(" ");

export const commandOf = (command: Command | undefined): string | undefined =>
  command && `${wordsOf(command)}, uid:gid ${userOf(command)}`;

const notifyFacts = ({ master, backup, fault, stop, any }: GroupNotifyConfig) => ({
  "Backup state transition script": commandOf(backup),
  "Master state transition script": commandOf(master),
  "Fault state transition script": commandOf(fault),
  "Stop state transition script": commandOf(stop),
  "Generic state transition script": commandOf(any),
});

export const groupFactsOf = (facts: Facts): Facts =>
  new Map([...facts].filter(([label]) => !label.startsWith("Num member fault")));

export const groupFacts = (group: SyncGroupConfig): Facts =>
  shown({
    "VRRP member instances": list(group.members),
    "sync group tracking weight set": flag(group.trackingWeight),
    "Using smtp notification": yesNo(group.smtpAlert),
    ...trackedFacts(group, "Tracked process"),
    ...notifyFacts(group.notify),
  });
