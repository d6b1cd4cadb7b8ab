// What instances take from global_defs where they say nothing of their own, and what holds for all of them together.
import { multicastGroup } from "../address-arguments.ts";
import {
  bool,
  flag,
  int32Max,
  integer,
  lenientlyMissing,
  microSecondsMax,
  seconds,
  text,
  uint32Max,
} from "../arguments.ts";
import { dynamicInterfaces } from "../global-arguments.ts";
import { extraInterfaces, repeatCount } from "../line-arguments.ts";
import { alias, noted, works } from "../table.ts";

const interval = seconds({ min: 0.000001, max: microSecondsMax });
const startDelay = seconds({ min: 0.001, max: microSecondsMax });

const protocol = {
  version: works("vrrp_version", integer({ min: 2, max: 3 }), {
    meaning: "The version of VRRP that instances speak; those with IPv6 addresses always speak 3.",
    service: "election",
    default: "2",
  }),
  strict: works("vrrp_strict", bool, {
    meaning: "Holds instances to the letter of the RFC, whatever else they ask for.",
    service: "election",
    default: "off",
  }),
  multicastGroup4: works("vrrp_mcast_group4", multicastGroup(4), {
    meaning: "The multicast group of adverts over IPv4.",
    service: "election",
    default: "224.0.0.18",
  }),
  multicastGroup6: works("vrrp_mcast_group6", multicastGroup(6), {
    meaning: "The multicast group of adverts over IPv6.",
    service: "election",
    default: "ff02::12",
  }),
  downTimerAdverts: works("vrrp_down_timer_adverts", integer({ min: 1, max: 100 }), {
    meaning: "How many adverts may be missed before a backup takes over.",
    service: "election",
    default: "3",
  }),
  lowerPriorityNoAdvert: works("vrrp_lower_prio_no_advert", bool, {
    meaning: "Whether a master leaves an advert of lower priority unanswered.",
    service: "election",
    default: "off; on with vrrp_strict",
  }),
  higherPrioritySendAdvert: works("vrrp_higher_prio_send_advert", bool, {
    meaning: "Whether a master answers an advert of higher priority before it gives way.",
    service: "election",
    default: "off",
  }),
  v3ChecksumAsV2: works("v3_checksum_as_v2", flag, {
    meaning: "Leaves the pseudo-header out of the checksum of VRRPv3 over IPv4, as RFC 9568 asks.",
    service: "election",
    since: "2.2.8",
    default: "off",
  }),
  skipCheckAddresses: works("vrrp_skip_check_adv_addr", bool, {
    meaning: "Compares the addresses of an advert only when another master sent the last one.",
    service: "election",
    default: "off",
  }),
  checkUnicastSource: works("vrrp_check_unicast_src", flag, {
    meaning: "Drops unicast adverts from senders that are no peers.",
    service: "election",
    default: "off",
  }),
  ownerIgnoreAdverts: works("vrrp_owner_ignore_adverts", bool, {
    meaning: "Whether instances of priority 255 pay no heed to the adverts of others.",
    service: "election",
    since: "2.3.3",
    default: "off; on with vrrp_strict",
  }),
  startupDelay: works("vrrp_startup_delay", startDelay, {
    meaning: "How long instances wait after the start; the longer of this and vrrp_delay_after_boot counts.",
    service: "election",
    default: "0",
  }),
  delayAfterBoot: works("vrrp_delay_after_boot", startDelay, {
    meaning: "How long after the machine came up instances wait; vrrp_startup_delay, counted from the boot.",
    service: "election",
    since: "2.4.0",
    default: "0",
  }),
  logUnknownVrids: noted(
    "log_unknown_vrids",
    flag,
    "adverts of unknown VRIDs are always counted, and told as an event",
    {
      meaning: "Logs adverts of virtual routers that are not configured here.",
      service: "election",
      default: "off",
    },
  ),
  notifyPriorityChanges: works("vrrp_notify_priority_changes", bool, {
    meaning: "Whether the FIFOs are told when the priority of an instance changes.",
    service: "notifier",
    default: "off",
  }),
} as const;

const garpExtraInterface = works("vrrp_garp_extra_if", extraInterfaces(1), {
  meaning: "How often addresses on other interfaces than the instance's are announced; all: without a VMAC too.",
  service: "dataplane",
  default: "never",
});

const announcement = {
  garpDelay: works("vrrp_garp_master_delay", seconds({ decimals: 0 }), {
    meaning: "How long after the takeover the addresses are announced for a second time; 0: not at all.",
    service: "dataplane",
    default: "5",
  }),
  garpRepeat: works("vrrp_garp_master_repeat", repeatCount, {
    meaning: "How many announcements of each address make one burst.",
    service: "dataplane",
    default: "5",
  }),
  garpRefresh: works("vrrp_garp_master_refresh", seconds({ decimals: 0, max: uint32Max, instead: 0 }), {
    meaning: "How often a master announces its addresses again; 0: never.",
    service: "dataplane",
    default: "0",
  }),
  garpRefreshRepeat: works("vrrp_garp_master_refresh_repeat", repeatCount, {
    meaning: "How many announcements of each address make one refresh.",
    service: "dataplane",
    default: "1",
  }),
  garpLowerPriorityDelay: works("vrrp_garp_lower_prio_delay", seconds({ decimals: 0 }), {
    meaning: "How long after an advert of lower priority a master announces for a second time.",
    service: "dataplane",
    default: "vrrp_garp_master_delay",
  }),
  garpLowerPriorityRepeat: works("vrrp_garp_lower_prio_repeat", integer({ min: 0, max: int32Max }), {
    meaning: "How many announcements of each address follow an advert of lower priority; 0: none.",
    service: "dataplane",
    default: "vrrp_garp_master_repeat",
  }),
  minGarp: works("vrrp_min_garp", bool, {
    meaning: "Announces each address once and not again, as far as no other number was given before.",
    service: "dataplane",
    repeat: "all",
    default: "off",
  }),
  garpInterval: works("vrrp_garp_interval", interval, {
    meaning: "The pause between two gratuitous ARPs on an interface.",
    service: "dataplane",
    default: "0",
  }),
  gnaInterval: works("vrrp_gna_interval", interval, {
    meaning: "The pause between two unsolicited neighbour advertisements on an interface.",
    service: "dataplane",
    default: "0",
  }),
  garpExtraInterface,
  vmacGarpInterval: alias("vrrp_vmac_garp_intvl", garpExtraInterface, "write vrrp_garp_extra_if"),
} as const;

const interfaces = {
  dynamicInterfaces: works("dynamic_interfaces", dynamicInterfaces, {
    meaning: "Allows interfaces that are not there yet; allow_if_changes: that become another kind of interface, too.",
    service: "control",
    default: "off",
  }),
  defaultInterface: works("default_interface", lenientlyMissing(text("IFNAME")), {
    meaning: "The interface of static addresses that name none.",
    service: "dataplane",
    default: "eth0",
  }),
  disableLocalIgmp: works("disable_local_igmp", flag, {
    meaning: "Keeps the kernel from telling switches of groups that never leave the link.",
    service: "dataplane",
    default: "off",
  }),
  vmacPrefix: works("vmac_prefix", text("STRING"), {
    meaning: "How the names of interfaces with a virtual MAC address begin.",
    service: "dataplane",
    repeat: "first",
    default: "vrrp",
  }),
  vmacAddressPrefix: works("vmac_addr_prefix", text("STRING"), {
    meaning: "How the names of such interfaces begin that were made for single addresses.",
    service: "dataplane",
    repeat: "first",
    default: "vmac_prefix",
  }),
} as const;

export const vrrpDefaults = { ...protocol, ...announcement, ...interfaces } as const;
