// `global_defs`, and the keywords that stand outside of all blocks.
import { hostPort, multicastGroup } from "./address-arguments.ts";
import {
  anyWords,
  bool,
  choice,
  flag,
  int32Max,
  integer,
  interfaceName,
  lenientlyMissing,
  optional,
  seconds,
  text,
  uint32Max,
} from "./arguments.ts";
import { eventScript } from "./script-argument.ts";
import { accepted, alias, block, missing, noted, values, works } from "./table.ts";

const ownProcesses = "Baton's services set their own names, priorities and limits";
const noIpvs = "virtual servers are not carried out by this version";
const noSnmp = "Baton has no SNMP agent; metrics are served for Prometheus, events on NATS";
const noDbus = "Baton has no DBus interface; `baton status` and gRPC take its place";
const noFirewall = "Baton does not filter packets to the virtual addresses";
const noFifo = "events are on NATS: `baton events --follow`";
const ownBuffers = "Baton sizes its socket buffers itself";
const noBfd = "BFD is not carried out by this version";
const ownFiles = "Baton keeps its files in its run and state directories";

const count = integer({ min: 0, max: uint32Max });
const nice = integer({ min: -20, max: 19 });
const rlimit = integer({ min: 1, max: uint32Max });
const cpus = anyWords("CPU …");
const bufferSize = integer({ min: 0, max: uint32Max, strict: true });
const interval = seconds({ min: 0.000001 });

const checkerProcessName = noted("checker_process_name", text("NAME"), ownProcesses);
const lvsFlushOnStop = noted("lvs_flush_on_stop", anyWords("[VS]"), noIpvs);
const garpExtraInterface = noted(
  "vrrp_garp_extra_if",
  anyWords("[all] SECS", 1),
  "VMAC interfaces are not carried out by this version",
);
const vrrpRlimit = noted("vrrp_rlimit_rttime", rlimit, ownProcesses);
const checkerRlimit = noted("checker_rlimit_rttime", rlimit, ownProcesses);
const bfdRlimit = noted("bfd_rlimit_rttime", rlimit, ownProcesses);
const snmpVrrp = noted("enable_snmp_vrrp", flag, noSnmp);

const identity = {
  routerId: works("router_id", lenientlyMissing(text("STRING")), { default: "the host name" }),
  notificationEmail: values("notification_email"),
  notificationEmailFrom: works("notification_email_from", lenientlyMissing(text("ADDR")), { default: "USER@HOST" }),
  smtpServer: works("smtp_server", hostPort(25), { default: "none: no mail is sent" }),
  smtpHeloName: works("smtp_helo_name", optional(text("NAME"), undefined), { default: "the host name" }),
  smtpConnectTimeout: works("smtp_connect_timeout", seconds({ decimals: 0, zeroIsOne: true }), { default: "30" }),
  smtpAlert: works("smtp_alert", bool, { default: "off" }),
  smtpAlertVrrp: works("smtp_alert_vrrp", bool, { default: "smtp_alert" }),
  smtpAlertChecker: noted("smtp_alert_checker", bool, noIpvs),
  noEmailFaults: missing("no_email_faults", flag, "mail is sent on FAULT too"),
  scriptUser: works("script_user", anyWords("USER [GROUP]", 1), {
    default: "keepalived_script if it exists, else root",
  }),
  enableScriptSecurity: works("enable_script_security", flag, { default: "off" }),
} as const;

const vrrpDefaults = {
  version: works("vrrp_version", integer({ min: 2, max: 3 }), { default: "2; IPv6 always uses 3" }),
  strict: works("vrrp_strict", bool, { default: "off" }),
  multicastGroup4: works("vrrp_mcast_group4", multicastGroup(4), { default: "224.0.0.18" }),
  multicastGroup6: works("vrrp_mcast_group6", multicastGroup(6), { default: "ff02::12" }),
  garpDelay: works("vrrp_garp_master_delay", seconds({ decimals: 0 }), { default: "5" }),
  garpRepeat: works("vrrp_garp_master_repeat", count, { default: "5" }),
  garpRefresh: works("vrrp_garp_master_refresh", seconds({ decimals: 0, max: uint32Max }), { default: "0" }),
  garpRefreshRepeat: works("vrrp_garp_master_refresh_repeat", count, { default: "1" }),
  garpLowerPriorityDelay: works("vrrp_garp_lower_prio_delay", seconds({ decimals: 0 }), {
    default: "vrrp_garp_master_delay",
  }),
  garpLowerPriorityRepeat: works("vrrp_garp_lower_prio_repeat", integer({ min: 0, max: int32Max }), {
    default: "vrrp_garp_master_repeat",
  }),
  minGarp: works("vrrp_min_garp", bool, { default: "off" }),
  garpInterval: noted("vrrp_garp_interval", interval, "gratuitous ARPs are sent without a pause between them"),
  gnaInterval: noted("vrrp_gna_interval", interval, "neighbour advertisements are sent without a pause between them"),
  garpExtraInterface,
  vmacGarpInterval: alias("vrrp_vmac_garp_intvl", garpExtraInterface),
  downTimerAdverts: works("vrrp_down_timer_adverts", integer({ min: 1, max: 100 }), { default: "3" }),
  lowerPriorityNoAdvert: works("vrrp_lower_prio_no_advert", bool, { default: "off; on with vrrp_strict" }),
  higherPrioritySendAdvert: works("vrrp_higher_prio_send_advert", bool, { default: "off" }),
  v3ChecksumAsV2: works("v3_checksum_as_v2", flag, { default: "off" }),
  skipCheckAddresses: noted(
    "vrrp_skip_check_adv_addr",
    bool,
    "a difference between the addresses of an advert and one's own is only counted",
  ),
  checkUnicastSource: noted("vrrp_check_unicast_src", flag, "unicast is not carried out by this version"),
  ownerIgnoreAdverts: missing("vrrp_owner_ignore_adverts", bool, "an address owner (priority 255) listens to adverts"),
  startupDelay: missing(
    "vrrp_startup_delay",
    seconds({ min: 0.001 }),
    "instances start at once; Baton listens for a master first",
  ),
  delayAfterBoot: missing(
    "vrrp_delay_after_boot",
    seconds({ min: 0.001 }),
    "instances start at once; Baton listens for a master first",
  ),
  dynamicInterfaces: works("dynamic_interfaces", optional(choice("allow_if_changes"), undefined), { default: "off" }),
  logUnknownVrids: noted("log_unknown_vrids", flag, "adverts of unknown VRIDs are counted"),
  notifyPriorityChanges: noted("vrrp_notify_priority_changes", bool, "priority-changed is always published"),
  iptables: missing("vrrp_iptables", anyWords("[IN [OUT]]"), noFirewall),
  ipsets: noted("vrrp_ipsets", anyWords("[NAME …]"), noFirewall),
  nftables: missing("nftables", anyWords("[TABLE]"), noFirewall),
  nftablesPriority: noted(
    "nftables_priority",
    integer({ min: -int32Max - 1, max: int32Max, strict: true }),
    noFirewall,
  ),
  nftablesIndex: noted("nftables_ifindex", flag, noFirewall),
  nftablesCounters: noted("nftables_counters", flag, noFirewall),
  vmacPrefix: noted("vmac_prefix", text("STRING"), "VMAC interfaces are not carried out by this version"),
  vmacAddressPrefix: noted("vmac_addr_prefix", text("STRING"), "VMAC interfaces are not carried out by this version"),
  defaultInterface: noted("default_interface", interfaceName, "static addresses are not carried out by this version"),
  disableLocalIgmp: missing("disable_local_igmp", flag, "the sysctl igmp_link_local_mcast_reports is left as it is"),
  receiveBufferPolicy: noted("vrrp_rx_bufs_policy", anyWords("MTU|ADVERT|BYTES", 1), ownBuffers),
  receiveBufferMultiplier: noted(
    "vrrp_rx_bufs_multiplier",
    integer({ min: 1, max: uint32Max, strict: true }),
    ownBuffers,
  ),
} as const;

const notification = {
  notifyFifo: missing("notify_fifo", anyWords("PATH [USER [GROUP]]", 1), noFifo),
  notifyFifoScript: missing("notify_fifo_script", eventScript, noFifo),
  vrrpNotifyFifo: missing("vrrp_notify_fifo", anyWords("PATH [USER [GROUP]]", 1), noFifo),
  vrrpNotifyFifoScript: missing("vrrp_notify_fifo_script", eventScript, noFifo),
  lvsNotifyFifo: missing("lvs_notify_fifo", anyWords("PATH [USER [GROUP]]", 1), noFifo),
  lvsNotifyFifoScript: missing("lvs_notify_fifo_script", eventScript, noFifo),
  fifoStatesOnReload: noted("fifo_write_vrrp_states_on_reload", flag, noFifo),
  startupScript: missing("startup_script", eventScript, "no script runs before the start"),
  startupScriptTimeout: noted(
    "startup_script_timeout",
    integer({ min: 1, max: 1000 }),
    "no script runs before the start",
  ),
  shutdownScript: missing("shutdown_script", eventScript, "no script runs after the end"),
  shutdownScriptTimeout: noted(
    "shutdown_script_timeout",
    integer({ min: 1, max: 1000 }),
    "no script runs after the end",
  ),
} as const;

const virtualServers = {
  checkerLogAllFailures: noted("checker_log_all_failures", bool, noIpvs),
  lvsTimeouts: missing("lvs_timeouts", anyWords("[tcp S] [tcpfin S] [udp S]"), noIpvs),
  lvsFlush: missing("lvs_flush", flag, noIpvs),
  lvsFlushOnStop,
  lvsFlushOnstop: alias("lvs_flush_onstop", lvsFlushOnStop),
  lvsSyncDaemon: missing("lvs_sync_daemon", anyWords("IF [inst NAME] [id N] …", 1), noIpvs),
  nftablesIpvs: noted("nftables_ipvs", anyWords("[TABLE]"), noIpvs),
  nftablesIpvsPriority: noted(
    "nftables_ipvs_priority",
    integer({ min: -int32Max - 1, max: int32Max, strict: true }),
    noIpvs,
  ),
  nftablesIpvsMark: noted("nftables_ipvs_start_fwmark", integer({ min: 1, max: uint32Max, strict: true }), noIpvs),
  realServerInitNotifies: noted("rs_init_notifies", bool, noIpvs),
  noCheckerEmails: noted("no_checker_emails", bool, noIpvs),
} as const;

const processes = {
  processNames: noted("process_names", flag, ownProcesses),
  processName: noted("process_name", text("NAME"), ownProcesses),
  vrrpProcessName: noted("vrrp_process_name", text("NAME"), ownProcesses),
  checkerProcessName,
  lvsProcessName: alias("lvs_process_name", checkerProcessName),
  bfdProcessName: noted("bfd_process_name", text("NAME"), ownProcesses),
  useSymlinkPaths: noted("use_symlink_paths", bool, "scripts run under the path that is written"),
  supplementaryGroups: missing("set_supplementary_groups", bool, "scripts get no supplementary groups"),
  maxAutoPriority: noted("max_auto_priority", optional(integer({ min: -1, max: 99 }), 99), ownProcesses),
  minAutoPriorityDelay: noted("min_auto_priority_delay", integer({ min: 1, max: 10_000_000 }), ownProcesses),
  vrrpPriority: noted("vrrp_priority", nice, ownProcesses),
  vrrpNoSwap: noted("vrrp_no_swap", flag, ownProcesses),
  vrrpRealtime: noted("vrrp_rt_priority", integer({ min: -int32Max, max: int32Max }), ownProcesses),
  vrrpAffinity: noted("vrrp_cpu_affinity", cpus, ownProcesses),
  vrrpRlimit,
  vrrpRlimitOld: alias("vrrp_rlimit_rtime", vrrpRlimit),
  checkerPriority: noted("checker_priority", nice, ownProcesses),
  checkerNoSwap: noted("checker_no_swap", flag, ownProcesses),
  checkerRealtime: noted("checker_rt_priority", integer({ min: -int32Max, max: int32Max }), ownProcesses),
  checkerAffinity: noted("checker_cpu_affinity", cpus, ownProcesses),
  checkerRlimit,
  checkerRlimitOld: alias("checker_rlimit_rtime", checkerRlimit),
  bfdPriority: noted("bfd_priority", nice, noBfd),
  bfdNoSwap: noted("bfd_no_swap", flag, noBfd),
  bfdRealtime: noted("bfd_rt_priority", integer({ min: -int32Max, max: int32Max }), noBfd),
  bfdAffinity: noted("bfd_cpu_affinity", cpus, noBfd),
  bfdRlimit,
  bfdRlimitOld: alias("bfd_rlimit_rtime", bfdRlimit),
  vrrpCommandBuffers: noted("vrrp_netlink_cmd_rcv_bufs", bufferSize, ownBuffers),
  vrrpCommandBuffersForce: noted("vrrp_netlink_cmd_rcv_bufs_force", bool, ownBuffers),
  vrrpMonitorBuffers: noted("vrrp_netlink_monitor_rcv_bufs", bufferSize, ownBuffers),
  vrrpMonitorBuffersForce: noted("vrrp_netlink_monitor_rcv_bufs_force", bool, ownBuffers),
  lvsCommandBuffers: noted("lvs_netlink_cmd_rcv_bufs", bufferSize, ownBuffers),
  lvsCommandBuffersForce: noted("lvs_netlink_cmd_rcv_bufs_force", bool, ownBuffers),
  lvsMonitorBuffers: noted("lvs_netlink_monitor_rcv_bufs", bufferSize, ownBuffers),
  lvsMonitorBuffersForce: noted("lvs_netlink_monitor_rcv_bufs_force", bool, ownBuffers),
  processMonitorBuffers: noted("process_monitor_rcv_bufs", bufferSize, ownBuffers),
  processMonitorBuffersForce: noted("process_monitor_rcv_bufs_force", bool, ownBuffers),
} as const;

const management = {
  snmpSocket: noted("snmp_socket", text("SPEC"), noSnmp, { repeat: "first" }),
  enableTraps: noted("enable_traps", flag, noSnmp),
  snmpVrrp,
  snmpKeepalived: alias("enable_snmp_keepalived", snmpVrrp),
  snmpRfc: noted("enable_snmp_rfc", flag, noSnmp),
  snmpRfc2: noted("enable_snmp_rfcv2", flag, noSnmp),
  snmpRfc3: noted("enable_snmp_rfcv3", flag, noSnmp),
  snmpChecker: noted("enable_snmp_checker", flag, noSnmp),
  snmpVsStats: noted("snmp_vs_stats_update_interval", seconds({ min: 0.001, max: 30 }), noSnmp),
  snmpRsStats: noted("snmp_rs_stats_update_interval", seconds({ min: 0.001, max: 30 }), noSnmp),
  enableDbus: noted("enable_dbus", flag, noDbus),
  dbusServiceName: noted("dbus_service_name", text("NAME"), noDbus),
  dbusNoInterfaceName: noted("dbus_no_interface_name", text("NAME"), noDbus),
  umask: noted("umask", anyWords("MODE", 1), "Baton's files are readable by their owner only"),
  randomSeed: noted(
    "random_seed",
    integer({ min: 0, max: uint32Max, strict: true }),
    "_RANDOM depends on the node's name alone",
  ),
  reloadCheckConfig: noted(
    "reload_check_config",
    anyWords("[LOGFILE]"),
    "Baton never applies a configuration that keepalived would not start with",
  ),
  reloadTimeFile: missing("reload_time_file", text("PATH"), "reload by SIGHUP"),
  reloadRepeat: noted("reload_repeat", flag, "reload by SIGHUP"),
  reloadFile: missing("reload_file", anyWords("[PATH]"), "no file is made during a reload"),
  includeCheck: works("include_check", anyWords("[[+|-]CHECK …]"), { repeat: "all", default: "none" }),
  configSaveDirectory: missing(
    "config_save_dir",
    text("DIR"),
    "the applied configuration is kept in the state directory",
  ),
  temporaryDirectory: noted("tmp_config_directory", text("DIR"), ownFiles, { repeat: "first" }),
  dataUseInstance: noted("data_use_instance", bool, ownFiles),
  jsonVersion: noted("json_version", integer({ min: 1, max: 2 }), "`baton status --json` has its own layout"),
  iprouteUsr: noted("iproute_usr_dir", text("PATH"), "names of routing tables are not read"),
  iprouteEtc: noted("iproute_etc_dir", text("PATH"), "names of routing tables are not read"),
  stateDumpFile: noted("state_dump_file", text("PATH"), "`baton status` shows the state"),
  statsDumpFile: noted("stats_dump_file", text("PATH"), "metrics are served for Prometheus"),
  jsonDumpFile: noted("json_dump_file", text("PATH"), "`baton status --json` shows the state"),
} as const;

export const globalDefs = block("global_defs", {
  owners: ["parent"],
  keywords: { ...identity, ...vrrpDefaults, ...notification, ...virtualServers, ...processes, ...management },
  misnomers: { lvs_id: "router_id" },
});

const ownNamespace = "start Baton inside the namespace: ip netns exec NAME baton up";

/** Outside of all blocks. */
export const rootKeywords = {
  linkbeatUsePolling: noted("linkbeat_use_polling", flag, "the kernel tells of link changes"),
  netNamespace: missing("net_namespace", text("NAME"), ownNamespace, { repeat: "first" }),
  netNamespaceIpvs: missing("net_namespace_ipvs", anyWords("[NAME]"), ownNamespace),
  namespaceWithIpsets: noted("namespace_with_ipsets", flag, noFirewall),
  usePidDirectory: noted("use_pid_dir", flag, ownFiles),
  instance: missing("instance", text("NAME"), "use --name and --run-dir to run several nodes on one machine", {
    repeat: "first",
  }),
  childWaitTime: noted(
    "child_wait_time",
    integer({ min: 0, max: uint32Max }),
    "services stop in their own order and time",
  ),
} as const;

export const noVirtualServers = accepted("warning", noIpvs);
