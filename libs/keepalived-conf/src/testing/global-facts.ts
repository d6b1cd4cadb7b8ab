// Our GlobalConfig in the words of keepalived's dump. What instances, servers and checkers inherit is compared there.
import { parseIp } from "@baton/domain";
import type { Config, FifoConfig, GlobalConfig, ProcessConfig, ScriptUser, TimedCommand } from "../config.ts";
import { type Facts, shown } from "./dump-objects.ts";
import { commandOf, wordsOf } from "./instance-facts.ts";
import { isProgramThere } from "./sample-machine.ts";

type Labels = Readonly<Record<string, string | undefined>>;

/** Inherited; or what the program was built with, and where the verdicts were taken. */
const elsewhere = [
  ...["Default smtp_alert", "Default smtp_alert_vrrp", "Default smtp_alert_checker", "Checkers log all failures"],
  ...["Use VRRPv2 checksum for VRRPv3 IPv4", "VRRP notify priority changes", "Num adverts before down"],
  ...["VRRP IPv4 mcast group", "VRRP IPv6 mcast group", "VRRP default protocol version", "VRRP strict mode"],
  ...["Gratuitous ARP delay", "Gratuitous ARP repeat", "Gratuitous ARP refresh timer", "Gratuitous ARP refresh repeat"],
  ...["Gratuitous ARP lower priority delay", "Gratuitous ARP lower priority repeat"],
  ...["Gratuitous ARP for each secondary VMAC", "Gratuitous ARP for each secondary i/f"],
  ...["Send advert after receive lower priority advert", "Send advert after receive higher priority advert"],
  ...["VRRP check unicast_src", "VRRP skip check advert addresses", "vrrp_owner_ignore_adverts", "Default interface"],
  // Not settled yet when it is told.
  "LVS syncd syncid",
  "Network namespace",
  ...["libnftnl version 1.2.4", "Don't set supplementary groups for all scripts"],
];

/** `hostName`: of the machine on which the verdicts were taken. */
export function globalFactsOf(facts: Facts, hostName: string): Facts {
  const all = new Map([...facts].filter(([label]) => !elsewhere.includes(label)));
  if (all.get("Smtp HELO name") === hostName) all.delete("Smtp HELO name");
  if (all.get("Email notification to") === "") all.delete("Email notification to");
  // Settled as soon as something needs it.
  if (!all.has("Smtp server connection timeout")) all.set("Smtp server connection timeout", "30");
  if (!all.has("Default script uid:gid")) all.set("Default script uid:gid", "0:0");
  return all;
}

const trueFalse = (flag: boolean): string => String(flag);
const zeroOne = (flag: boolean): string => (flag ? "1" : "0");
const enabled = (flag: boolean): string => (flag ? "enabled" : "disabled");
const seconds = (micros: number): string => (micros / 1_000_000).toFixed(6);
const flag = (isSet: boolean): string | undefined => (isSet ? "" : undefined);

export const globalFacts = ({ global, instances }: Config): Facts =>
  shown({
    ...nodeFacts(global),
    ...mailFacts(global),
    ...reloadFacts(global),
    ...scriptFacts(global),
    ...vrrpFacts(global),
    ...lvsFacts(global),
    ...firewallFacts(global, instances),
    ...processesFacts(global),
    ...snmpFacts(global),
    ...fileFacts(global),
  });

const nodeFacts = ({ routerId, node, processes }: GlobalConfig): Labels => ({
  "Router ID": routerId,
  "Network namespace ipvs": node.netNamespaceIpvs === "" ? "(default)" : (node.netNamespaceIpvs ?? "(main namespace)"),
  "Instance name": node.instance,
  "Parent process name": processes.name,
  "VRRP process name": processes.vrrp.name,
  "LVS process name": processes.checker.name,
  "BFD process name": processes.bfd.name,
});

function mailFacts(global: GlobalConfig): Labels {
  const { smtpServer, notificationEmail, noCheckerEmails } = global;
  const host = smtpServer?.host === "localhost" ? "127.0.0.1" : smtpServer?.host;
  // That machine could resolve no other name.
  const address = host === undefined || parseIp(host) === undefined ? undefined : host;
  return {
    "Smtp server": address,
    "Smtp server port": address && smtpServer?.port.toString(),
    "Smtp HELO name": global.smtpHeloName,
    "Smtp server connection timeout": String(global.smtpConnectTimeout / 1_000_000),
    "Email notification from": global.notificationEmailFrom,
    // It is not told without a sender.
    "Email notification to":
      notificationEmail.length === 0 || global.notificationEmailFrom === undefined
        ? undefined
        : notificationEmail.join("\n"),
    "Send emails for fault transitions": global.noEmailFaults ? "off" : undefined,
    no_checker_emails: zeroOne(noCheckerEmails),
  };
}

function reloadFacts({ reload }: GlobalConfig): Labels {
  const trial = reload.checkLog === undefined ? "No test" : "Test";
  const log = reload.checkLog === undefined ? "" : `, log to ${reload.checkLog}`;
  return {
    [`${trial} config before reload${log}`]: "",
    "Reload time file": reload.timeFile && `${reload.timeFile}${reload.repeat ? " (repeat)" : ""}`,
    Reload_file: reload.file?.path,
  };
}

const numbers: Readonly<Record<string, string>> = { root: "0:0", nobody: "65534:65534" };
const userText = (user: ScriptUser | undefined): string => numbers[user?.user ?? "root"] ?? `${user?.user}`;

const timed = (script: TimedCommand | undefined, comma: string): string | undefined =>
  script && `${commandOf(script.command)}${comma} timeout ${script.timeout / 1_000_000}`;

function scriptFacts(global: GlobalConfig): Labels {
  const { all, vrrp, lvs, statesOnReload } = global.fifos;
  const fifo = (kind: string, of: FifoConfig | undefined): Labels => ({
    [`${kind} notify fifo`]: of && `${of.path}, uid:gid ${userText(of.owner)}`,
    [`${kind} notify fifo script`]:
      of?.reader !== undefined && isProgramThere(of.reader)
        ? `${wordsOf(of.reader)}, uid:gid ${userText(of.reader.user)}`
        : undefined,
  });
  return {
    [`${global.useSymlinkPaths ? "Keep" : "Replace"} symlinks in script paths`]: "",
    "Script security": enabled(global.enableScriptSecurity),
    "Default script uid:gid": userText(global.scriptUser),
    "Startup script": timed(global.startupScript, ","),
    "Shutdown script": timed(global.shutdownScript, ""),
    ...fifo("Global", all),
    ...fifo("VRRP", vrrp),
    ...fifo("LVS", lvs),
    "FIFO write vrrp states on reload": trueFalse(statesOnReload),
  };
}

function vrrpFacts({ vrrp }: GlobalConfig): Labels {
  const { dynamicInterfaces, receiveBuffers, startupDelay } = vrrp;
  return {
    "Dynamic interfaces": trueFalse(dynamicInterfaces !== "no"),
    "Allow interface changes": dynamicInterfaces === "no" ? undefined : trueFalse(dynamicInterfaces === "changing"),
    "Disable local IGMP": vrrp.disableLocalIgmp ? "yes" : "no",
    "Gratuitous ARP interval": seconds(vrrp.garpInterval),
    "Gratuitous NA interval": seconds(vrrp.gnaInterval),
    rx_bufs_policy: receiveBuffers?.policy === "size" ? undefined : receiveBuffers?.policy.toUpperCase(),
    rx_bufs_size: receiveBuffers?.policy === "size" ? String(receiveBuffers.octets) : undefined,
    rx_bufs_multiples: String(receiveBuffers?.multiplier ?? 3),
    vrrp_startup_delay: startupDelay === 0 ? undefined : String(startupDelay / 1_000_000),
    log_unknown_vrids: flag(vrrp.logUnknownVrids),
    // What they are without a word, keepalived does not tell.
    "VMAC prefix": vrrp.vmacPrefix === "vrrp" ? undefined : vrrp.vmacPrefix,
    "VMAC address prefix": vrrp.vmacAddressPrefix === "vrrp" ? undefined : vrrp.vmacAddressPrefix,
  };
}

function lvsFacts({ lvs }: GlobalConfig): Labels {
  const { timeouts, syncDaemon } = lvs;
  const text = (micros: number | undefined): string | undefined =>
    micros === undefined ? undefined : String(micros / 1_000_000);
  return {
    "LVS TCP timeout": text(timeouts.udp) ?? text(timeouts.tcp),
    "LVS TCP FIN timeout": text(timeouts.tcpFin),
    "LVS flush": trueFalse(lvs.flushOnStart),
    "LVS flush on stop": { no: "disabled", all: "full", services: "VS" }[lvs.flushOnStop],
    "LVS syncd interface": syncDaemon?.interface,
    "LVS syncd vrrp instance": syncDaemon?.instance,
    "LVS syncd maxlen": syncDaemon?.maxLength?.toString(),
    "LVS syncd mcast port": syncDaemon?.port?.toString(),
    "LVS syncd mcast ttl": syncDaemon?.ttl?.toString(),
    rs_init_notifies: zeroOne(lvs.initNotifies),
    "ipvs nftables table name": lvs.nftables?.table,
    "ipvs nftables base chain priority": lvs.nftables?.priority.toString(),
    "ipvs nftables start fwmark": lvs.nftables?.firstMark.toString(),
  };
}

/** Where no firewall is given, and an instance needs one. */
const defaultTable = { table: "keepalived", priority: -1, byIndex: false, counters: false };

function firewallFacts({ firewall, lvs }: GlobalConfig, instances: Config["instances"]): Labels {
  const isNeeded = instances.some(({ accept, vmac }) => !accept || vmac !== undefined);
  const standard = isNeeded && firewall.iptables === undefined ? defaultTable : undefined;
  const nftables = firewall.nftables ?? standard;
  const counters = nftables?.counters === true || lvs.nftables?.counters === true;
  return {
    "nftables table name": nftables?.table,
    "nftables base chain priority": nftables?.priority.toString(),
    [`nftables ${nftables?.byIndex === true ? "" : "don't "}force use ifindex for link local IPv6`]: nftables && "",
    [`nftables with${counters ? "" : "out"} counters`]: "",
  };
}

function processesFacts({ processes }: GlobalConfig): Labels {
  const { vrrp, checker, bfd, maxAutoPriority, buffers } = processes;
  const own = (kind: string, process: ProcessConfig): Labels => ({
    [`${kind} process priority`]: String(process.niceness),
    [`${kind} don't swap`]: trueFalse(process.noSwap),
    [`${kind} realtime priority`]: String(process.realtimePriority ?? 0),
    [`${kind} realtime limit`]: String(process.realtimeTimeout),
    [`${kind} CPU Affinity`]: process.cpus?.join(" "),
  });
  const names = {
    vrrp_netlink_cmd_rcv_bufs: buffers.vrrpCommands,
    vrrp_netlink_monitor_rcv_bufs: buffers.vrrpMonitor,
    process_monitor_rcv_bufs: buffers.processMonitor,
    lvs_netlink_cmd_rcv_bufs: buffers.lvsCommands,
    lvs_netlink_monitor_rcv_bufs: buffers.lvsMonitor,
  };
  return {
    "Max auto priority": maxAutoPriority === -1 ? "Disabled" : String(maxAutoPriority),
    "Min auto priority delay": `${processes.minAutoPriorityDelay} usecs`,
    ...own("VRRP", vrrp),
    ...own("Checker", checker),
    ...own("BFD", bfd),
    ...Object.fromEntries(
      Object.entries(names).flatMap(([name, { octets, force }]) => [
        [name, String(octets ?? 0)],
        [`${name}_force`, zeroOne(force)],
      ]),
    ),
  };
}

const snmpFacts = ({ snmp, dbus }: GlobalConfig): Labels => ({
  "SNMP vrrp": enabled(snmp.vrrp),
  "SNMP checker": enabled(snmp.checker),
  "SNMP RFCv2": enabled(snmp.rfcV2),
  "SNMP RFCv3": enabled(snmp.rfcV3),
  "SNMP traps": enabled(snmp.traps),
  "SNMP socket": snmp.socket ?? "default (unix:/var/agentx/master)",
  "SNMP VS stats update interval": seconds(snmp.virtualServerInterval),
  "SNMP RS stats update interval": seconds(snmp.realServerInterval),
  DBus: enabled(dbus !== undefined),
  "DBus service name": dbus?.serviceName ?? "",
  "DBus no interface name": dbus?.noInterfaceName ?? "none",
});

const fileFacts = ({ files }: GlobalConfig): Labels => ({
  umask: `0${files.umask.toString(8)}`,
  "config save directory": files.configurations,
  "Use instance name in data dumps": flag(files.useInstance),
  json_version: String(files.jsonVersion),
  "iproute usr directory": files.iprouteUsr ?? "/etc/iproute2",
  "iproute etc directory": files.iprouteEtc ?? "/etc/iproute2",
  ...(files.state === undefined ? {} : { [`state dump file ${files.state}`]: "" }),
  ...(files.statistics === undefined ? {} : { [`stats dump file ${files.statistics}`]: "" }),
  ...(files.json === undefined ? {} : { [`json dump file ${files.json}`]: "" }),
});
