// `vrrp_instance`: one virtual router.

import { ip, multicastGroup } from "./address-arguments.ts";
import { virtualAddressForm } from "./address-options.ts";
import {
  anyWords,
  bool,
  choice,
  flag,
  int32Max,
  integer,
  interfaceName,
  optional,
  seconds,
  secret,
  text,
  uint32Max,
} from "./arguments.ts";
import { peerForm } from "./peer-options.ts";
import { virtualRouteForm } from "./route-options.ts";
import { virtualRuleForm } from "./rule-options.ts";
import { eventScript, type ScriptLine } from "./script-argument.ts";
import { type Argument, accepted, alias, block, missing, noted, refused, values, works } from "./table.ts";

const count = integer({ min: 0, max: uint32Max });
const noUnicast = "unicast is not carried out by this version: adverts go to the multicast group";
const noVmac =
  "the virtual addresses stand on the interface itself, with its own MAC address; gratuitous ARPs tell the network";

/** One name, neither more nor less; keepalived skips the block otherwise. */
export const onlyName: Argument<string> = {
  syntax: "NAME",
  range: "",
  required: 0,
  script: false,
  parse: (line, report) => {
    const [name, surplus] = line.args;
    if (name !== undefined && surplus === undefined) return name.text;
    report({
      place: line.at(surplus),
      severity: "error",
      code: "name",
      errorClass: "general-error",
      message: `${line.keyword.text} takes one name; the block is skipped`,
      hint: name === undefined ? undefined : "put a name with blanks into double quotes",
    });
    return undefined;
  },
};

/** `key` and the others of auth_hmac; the whole block is refused until it is carried out. */
const authHmac = block("auth_hmac", {
  support: refused("a peer that asks for it would not hear this node, and both would be master"),
  keywords: {
    key: works("key", anyWords("ID VALUE", 2), { repeat: "all" }),
    activeKey: works("active_key", integer({ min: 1, max: 255, strict: true })),
    timeWindow: works("time_window", integer({ min: 1, max: 300, strict: true })),
    antiReplay: works("anti_replay", choice("time", "monotonic"), { default: "time" }),
    mode: works("mode", choice("enforce", "permissive", "receive-only"), { default: "enforce" }),
  },
});

const authentication = block("authentication", {
  keywords: {
    type: works("auth_type", choice("PASS", "AH"), { default: "none" }),
    password: works("auth_pass", secret(text("STRING")), { default: "none" }),
  },
});

const election = {
  state: works("state", text("MASTER|BACKUP"), { repeat: "all", default: "BACKUP; MASTER for priority 255" }),
  interface: works("interface", interfaceName),
  virtualRouterId: works("virtual_router_id", integer({ min: 1, max: 255, strict: true })),
  priority: works("priority", integer({ min: 1, max: 255, strict: true, instead: 100 }), {
    default: "100; 255 for state MASTER",
  }),
  advertInterval: works("advert_int", seconds({ min: 0.01, max: 255 }), { default: "1" }),
  version: works("version", integer({ min: 2, max: 3 }), { default: "vrrp_version; 3 for IPv6" }),
  downTimerAdverts: works("down_timer_adverts", integer({ min: 1, max: 100 }), { default: "vrrp_down_timer_adverts" }),
  nopreempt: works("nopreempt", flag, { repeat: "all", default: "off" }),
  preempt: works("preempt", flag, { repeat: "all", default: "on" }),
  preemptDelay: works("preempt_delay", seconds({ max: 1000 }), { default: "0" }),
  strictMode: works("strict_mode", bool, { default: "vrrp_strict" }),
  lowerPriorityNoAdvert: works("lower_prio_no_advert", bool, { default: "vrrp_lower_prio_no_advert" }),
  higherPrioritySendAdvert: works("higher_prio_send_advert", bool, { default: "vrrp_higher_prio_send_advert" }),
  v3ChecksumAsV2: works("v3_checksum_as_v2", bool, { default: "v3_checksum_as_v2 of global_defs" }),
  ownerIgnoreAdverts: missing("owner_ignore_adverts", bool, "an address owner (priority 255) listens to adverts"),
  timerExpiredBackup: noted(
    "timer_expired_backup",
    optional(integer({ min: 1, max: 254, strict: true }), 254),
    "Baton always notices that it was not scheduled, and listens before it speaks",
  ),
  skipCheckAddresses: noted(
    "skip_check_adv_addr",
    bool,
    "a difference between the addresses of an advert and one's own is only counted",
  ),
  accept: works("accept", flag, { default: "on" }),
  noAccept: missing("no_accept", flag, "packets to the virtual addresses are accepted"),
  debug: noted("debug", integer({ min: 0, max: 4 }), "logging is structured; there are no levels per instance"),
  receiveBuffer: noted(
    "kernel_rx_buf_size",
    integer({ min: 0, max: uint32Max, strict: true }),
    "Baton sizes its socket buffers itself",
  ),
} as const;

const addresses = {
  virtualAddresses: values("virtual_ipaddress", {
    form: virtualAddressForm,
    service: "dataplane",
    meaning: "The addresses that the master holds, and that its adverts tell.",
  }),
  excludedAddresses: values("virtual_ipaddress_excluded", {
    form: virtualAddressForm,
    service: "dataplane",
    meaning: "Addresses that the master holds, and that its adverts do not tell: of another family, or too many.",
  }),
  noVirtualAddress: works("no_virtual_ipaddress", flag, { default: "off" }),
  sourceAddress: works("mcast_src_ip", ip(), { default: "the primary address of the interface" }),
  multicastGroup: works("mcast_dst_ip", multicastGroup(), { default: "vrrp_mcast_group4 or 6" }),
  virtualRoutes: values("virtual_routes", {
    form: virtualRouteForm,
    service: "dataplane",
    support: accepted("warning", "the routes are not set"),
    meaning: "Routes that the master sets, and takes away when it is master no longer.",
  }),
  virtualRules: values("virtual_rules", {
    form: virtualRuleForm,
    service: "dataplane",
    support: accepted("warning", "the rules are not set"),
    meaning: "Routing rules that the master sets, and takes away when it is master no longer.",
  }),
  promoteSecondaries: missing("promote_secondaries", flag, "the sysctl promote_secondaries is left as it is"),
} as const;

const garpExtraInterface = noted("garp_extra_if", anyWords("[all] SECS", 1), noVmac);

const announcement = {
  garpDelay: works("garp_master_delay", seconds({ decimals: 0 }), { default: "vrrp_garp_master_delay" }),
  garpRepeat: works("garp_master_repeat", count, { default: "vrrp_garp_master_repeat" }),
  garpRefresh: works("garp_master_refresh", seconds({ decimals: 0, max: uint32Max }), {
    default: "vrrp_garp_master_refresh",
  }),
  garpRefreshRepeat: works("garp_master_refresh_repeat", count, { default: "vrrp_garp_master_refresh_repeat" }),
  garpLowerPriorityDelay: works("garp_lower_prio_delay", seconds({ decimals: 0 }), {
    default: "vrrp_garp_lower_prio_delay",
  }),
  garpLowerPriorityRepeat: works("garp_lower_prio_repeat", integer({ min: 0, max: int32Max }), {
    default: "vrrp_garp_lower_prio_repeat",
  }),
  garpExtraInterface,
  vmacGarpInterval: alias("vmac_garp_intvl", garpExtraInterface),
} as const;

const notYetTracked = (what: string) =>
  accepted("warning", `${what} are not watched: they change no priority and cause no fault`);

const tracking = {
  dontTrackPrimary: works("dont_track_primary", flag, { default: "off" }),
  trackInterface: values("track_interface"),
  trackScript: values("track_script"),
  trackFile: values("track_file", { support: notYetTracked("files") }),
  trackProcess: values("track_process", { support: notYetTracked("processes") }),
  trackBfd: values("track_bfd", { support: notYetTracked("BFD sessions") }),
  trackSourceAddress: noted("track_src_ip", flag, "an interface without its source address is in fault anyway"),
  linkbeatUsePolling: noted("linkbeat_use_polling", flag, "the kernel tells of link changes"),
} as const;

/** Alone it asks that a removed instance be called DELETED rather than FAULT. */
const deletedScript: Argument<ScriptLine> = {
  ...eventScript,
  syntax: `[${eventScript.syntax}]`,
  required: 0,
  parse: (line, report) => {
    if (line.args.length > 0) return eventScript.parse(line, report);
    report({
      place: line.at(),
      severity: "info",
      code: "accepted",
      errorClass: "ok",
      message: "notify_deleted without a command: accepted, not carried out by this version",
      hint: "the removal of an instance is announced as instance-stopped",
    });
    return undefined;
  },
};

const notification = {
  notifyMaster: works("notify_master", eventScript, { repeat: "first" }),
  notifyBackup: works("notify_backup", eventScript, { repeat: "first" }),
  notifyFault: works("notify_fault", eventScript, { repeat: "first" }),
  notifyStop: works("notify_stop", eventScript, { repeat: "first" }),
  notifyDeleted: works("notify_deleted", deletedScript, { repeat: "first", default: "notify_fault" }),
  notify: works("notify", eventScript, { repeat: "first" }),
  notifyLowerPriority: missing(
    "notify_master_rx_lower_pri",
    eventScript,
    "no script runs when a master hears a lower priority",
    {
      repeat: "first",
    },
  ),
  smtpAlert: works("smtp_alert", bool, { default: "smtp_alert_vrrp" }),
  notifyPriorityChanges: noted("notify_priority_changes", bool, "priority-changed is always published"),
} as const;

const unicast = {
  unicastPeer: values("unicast_peer", {
    form: peerForm,
    service: "election",
    meaning: "The other routers, when adverts are to go to each of them rather than to the multicast group.",
  }),
  unicastSource: works("unicast_src_ip", ip(), { default: "the primary address of the interface" }),
  unicastTtl: noted("unicast_ttl", integer({ min: 0, max: 255, strict: true }), noUnicast),
  unicastFaultNoPeer: noted("unicast_fault_no_peer", flag, noUnicast),
  checkUnicastSource: noted("check_unicast_src", flag, noUnicast),
  oldUnicastChecksum: noted("old_unicast_checksum", anyWords("[never]"), noUnicast),
  vrf: noted("vrf", interfaceName, noUnicast),
} as const;

const virtualMac = {
  useVmac: missing("use_vmac", anyWords("[[name] IFNAME] [MAC] …"), noVmac),
  useVmacAddress: noted("use_vmac_addr", flag, noVmac),
  vmacTransmitBase: noted("vmac_xmit_base", flag, noVmac),
  useIpvlan: missing("use_ipvlan", anyWords("[[name] IF] [ADDR] …"), noVmac),
  nativeIpv6: noted("native_ipv6", flag, "the family follows from the addresses"),
  syncDaemonInterface: missing(
    "lvs_sync_daemon_interface",
    interfaceName,
    "virtual servers are not carried out by this version",
    {
      deprecated: "write lvs_sync_daemon in global_defs",
    },
  ),
} as const;

export const vrrpInstance = block("vrrp_instance", {
  header: onlyName,
  owners: ["vrrp"],
  unique: true,
  keywords: {
    ...election,
    threadTimerExpired: alias("thread_timer_expired", election.timerExpiredBackup, "write timer_expired_backup"),
    ...addresses,
    ...announcement,
    ...tracking,
    ...notification,
    ...unicast,
    ...virtualMac,
  },
  blocks: [authentication, authHmac],
  misnomers: {
    vrid: "virtual_router_id",
    virtual_ip: "virtual_ipaddress",
    lvs_sync_daemon_inteface: "lvs_sync_daemon_interface",
  },
});

export const instanceAuthentication = authentication;
export const instanceAuthHmac = authHmac;
