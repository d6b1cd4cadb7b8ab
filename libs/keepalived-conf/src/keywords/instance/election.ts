// Who is master: priority, state and times of an instance.
import {
  bool,
  flag,
  integer,
  interfaceName,
  invalidValue,
  oneWord,
  optional,
  seconds,
  text,
  uint32Max,
} from "../arguments.ts";
import { ownBuffers } from "../global/reasons.ts";
import { exactly } from "../line-arguments.ts";
import { alias, noted, works } from "../table.ts";

/** Whatever it says, it is switched on: so does keepalived read it. */
const anyBool = optional(
  oneWord("BOOL", "true on yes / false off no, which all mean true", (word, line, report) => {
    if (!["true", "on", "yes", "false", "off", "no"].includes(word.text))
      return invalidValue(word, line, report, "skip_check_adv_addr alone");
    if (["false", "off", "no"].includes(word.text)) {
      report({
        place: line.at(word),
        severity: "warning",
        code: "always-true",
        errorClass: "ok",
        message: `${line.keyword.text} is switched on whatever stands behind it`,
        used: line.keyword.text,
        hint: "leave the line out, and vrrp_skip_check_adv_addr in global_defs",
      });
    }
    return true;
  }),
  true,
);

const timerExpiredBackup = noted(
  "timer_expired_backup",
  optional(integer({ min: 1, max: 254, strict: true, syntax: "PRIORITY" }), 254),
  "Baton always notices that it was not scheduled, and listens before it speaks",
  {
    meaning: "Gives way when it ran so late that a peer of up to this priority may be master; needs nopreempt.",
    since: "2.2.8",
    default: "off; 254 without a number",
  },
);

export const election = {
  state: works("state", text("MASTER|BACKUP"), {
    meaning: "What the instance wants to be at the start; the priority decides in the end.",
    repeat: "all",
    default: "BACKUP; MASTER for priority 255",
  }),
  interface: works("interface", interfaceName, {
    meaning: "The interface that adverts are sent and heard on.",
    default: "none: it has to be given, unless unicast_src_ip is",
  }),
  virtualRouterId: works("virtual_router_id", integer({ min: 1, max: 255, strict: true }), {
    meaning: "The number of the virtual router; the same on all its routers, and no other's on the link.",
    default: "none: it has to be given",
  }),
  priority: works("priority", integer({ min: 1, max: 255, strict: true, instead: 100 }), {
    meaning: "The router with the highest becomes master; 255 is for the one whose own the addresses are.",
    default: "100; 255 for state MASTER",
  }),
  advertInterval: works("advert_int", seconds({ min: 0.01, max: 255 }), {
    meaning: "How often the master says that it is there; with VRRPv2 in whole seconds, and alike on all routers.",
    default: "1",
  }),
  version: works("version", integer({ min: 2, max: 3 }), {
    meaning: "The version of VRRP.",
    repeat: "all",
    default: "vrrp_version; 3 for IPv6",
  }),
  downTimerAdverts: works("down_timer_adverts", integer({ min: 1, max: 100 }), {
    meaning: "How many adverts may be missed before a backup takes over.",
    default: "vrrp_down_timer_adverts",
  }),
  nopreempt: works("nopreempt", flag, {
    meaning: "Leaves a master of lower priority in office.",
    repeat: "all",
    default: "off",
  }),
  preempt: works("preempt", flag, { meaning: "Takes nopreempt back.", repeat: "all", default: "on" }),
  preemptDelay: works("preempt_delay", seconds({ max: 1000 }), {
    meaning: "How long a master of lower priority stays in office before it is taken over from.",
    default: "0",
  }),
  strictMode: works("strict_mode", bool, {
    meaning: "Holds the instance to the letter of the RFC, whatever else it asks for.",
    default: "vrrp_strict",
  }),
  lowerPriorityNoAdvert: works("lower_prio_no_advert", bool, {
    meaning: "Whether the master leaves an advert of lower priority unanswered.",
    default: "vrrp_lower_prio_no_advert",
  }),
  higherPrioritySendAdvert: works("higher_prio_send_advert", bool, {
    meaning: "Whether the master answers an advert of higher priority before it gives way.",
    default: "vrrp_higher_prio_send_advert",
  }),
  v3ChecksumAsV2: works("v3_checksum_as_v2", bool, {
    meaning: "Leaves the pseudo-header out of the checksum of VRRPv3 over IPv4, as RFC 9568 asks.",
    since: "2.2.8",
    default: "v3_checksum_as_v2 of global_defs",
  }),
  ownerIgnoreAdverts: works("owner_ignore_adverts", bool, {
    meaning: "Whether an instance of priority 255 pays no heed to the adverts of others.",
    since: "2.3.3",
    default: "vrrp_owner_ignore_adverts",
  }),
  timerExpiredBackup,
  threadTimerExpired: alias("thread_timer_expired", timerExpiredBackup, "write timer_expired_backup", {
    since: "2.3.2",
  }),
  skipCheckAddresses: works("skip_check_adv_addr", anyBool, {
    meaning: "Compares the addresses of an advert only when another master sent the last one.",
    default: "vrrp_skip_check_adv_addr",
  }),
  accept: works("accept", flag, {
    meaning: "Lets packets to the virtual addresses in on a master whose own they are not.",
    default: "on; off in strict mode",
  }),
  noAccept: works("no_accept", flag, {
    meaning: "Keeps packets to the virtual addresses out, unless the priority is 255.",
    service: "dataplane",
    default: "off; on in strict mode",
  }),
  debug: noted("debug", integer({ min: 0, max: 4 }), "logging is structured; there are no levels per instance", {
    meaning: "How much is logged about the instance.",
    default: "0",
  }),
  receiveBuffer: noted(
    "kernel_rx_buf_size",
    exactly(1, integer({ min: 0, max: uint32Max, strict: true, syntax: "BYTES" })),
    ownBuffers,
    { meaning: "How much room for adverts the kernel keeps for the instance.", default: "vrrp_rx_bufs_policy" },
  ),
} as const;
