// The other blocks of the VRRP process: scripts, sync groups, trackers, static objects, rate limits.

import { ip } from "./address-arguments.ts";
import {
  anyWords,
  bool,
  choice,
  flag,
  int32Max,
  integer,
  interfaceName,
  lenientlyMissing,
  milliseconds,
  optional,
  seconds,
  text,
} from "./arguments.ts";
import { eventScript, script } from "./script-argument.ts";
import { type Argument, block, done, notYet, part, values } from "./table.ts";
import { onlyName } from "./vrrp-instance.ts";

/** A weight, perhaps followed by `reverse`. Out of range the nearest that is allowed counts. */
export interface Weight {
  readonly weight: number;
  readonly reverse: boolean;
}

const weight = (max: number): Argument<Weight> => {
  const amount = integer({ min: -max, max });
  return {
    syntax: "N [reverse]",
    range: `-${max} to ${max}`,
    required: 1,
    script: false,
    parse: (line, report) => {
      const value = amount.parse(line, report) ?? nearest(line.args[0]?.text ?? "", max);
      const option = line.args[1];
      if (option !== undefined && option.text !== "reverse") {
        report({
          place: line.at(option),
          severity: "error",
          code: "invalid-value",
          errorClass: "general-error",
          message: `weight: '${option.text}' is not understood and ignored`,
          hint: "only reverse may follow the number",
        });
      }
      return value === undefined ? undefined : { weight: value, reverse: option?.text === "reverse" };
    },
  };
};

/** keepalived keeps a weight that is too big; within the range the effect on the priority is the same. */
function nearest(word: string, max: number): number | undefined {
  const value = Number.parseInt(word, 10);
  return Number.isNaN(value) ? undefined : Math.max(-max, Math.min(max, value));
}

const times = seconds({ max: 4_294, decimals: 3, zeroIsOne: true });

export const vrrpScript = block("vrrp_script", {
  header: text("NAME"),
  owners: ["vrrp"],
  keywords: {
    script: done("script", script({ takesUser: false, command: "maybe" })),
    interval: done("interval", times, { default: "1" }),
    timeout: done("timeout", times, { default: "interval" }),
    weight: done("weight", weight(253), { default: "0: a failure is a fault" }),
    rise: done("rise", integer({ min: 1, max: int32Max, instead: 1 }), { default: "1" }),
    fall: done("fall", integer({ min: 1, max: int32Max, instead: 1 }), { default: "1" }),
    user: done("user", anyWords("USER [GROUP]", 1), { default: "script_user" }),
    initFail: done("init_fail", flag, { default: "off" }),
  },
  misnomers: { command: "script", cmd: "script", path: "script" },
});

export const vrrpSyncGroup = block("vrrp_sync_group", {
  header: onlyName,
  owners: ["vrrp"],
  unique: true,
  support: notYet("warning", "each instance of the group decides for itself"),
  keywords: {
    group: values("group"),
    trackInterface: values("track_interface", { support: { level: "part" } }),
    trackScript: values("track_script", { support: { level: "part" } }),
    trackFile: values("track_file", { support: { level: "part" } }),
    trackProcess: values("track_process", { support: { level: "part" } }),
    trackBfd: values("track_bfd", { support: { level: "part" } }),
    notifyBackup: part("notify_backup", eventScript, { repeat: "first" }),
    notifyMaster: part("notify_master", eventScript, { repeat: "first" }),
    notifyFault: part("notify_fault", eventScript, { repeat: "first" }),
    notifyStop: part("notify_stop", eventScript, { repeat: "first" }),
    notify: part("notify", eventScript, { repeat: "first" }),
    smtpAlert: part("smtp_alert", bool),
    globalTracking: part("global_tracking", flag, { deprecated: "write sync_group_tracking_weight" }),
    trackingWeight: part("sync_group_tracking_weight", flag),
    notifyPriorityChanges: part("notify_priority_changes", bool),
  },
});

const delay = seconds({ max: 3600 });

export const vrrpTrackProcess = block("vrrp_track_process", {
  header: text("NAME"),
  owners: ["vrrp"],
  support: notYet("warning", "processes are not watched"),
  keywords: {
    process: part("process", anyWords("PATH [ARG …]", 1), { repeat: "first" }),
    parameterMatch: part("param_match", optional(choice("initial", "partial"), undefined)),
    weight: part("weight", weight(254), { repeat: "first" }),
    quorum: part("quorum", integer({ min: 1, max: 65_535 }), { default: "1" }),
    quorumMax: part("quorum_max", integer({ min: 0, max: 65_535 })),
    delay: part("delay", delay),
    terminateDelay: part("terminate_delay", delay),
    forkDelay: part("fork_delay", delay),
    fullCommand: part("full_command", flag),
  },
});

const trackFileKeywords = {
  file: part("file", text("PATH")),
  weight: part("weight", lenientlyMissing(weight(254)), { default: "1" }),
  initFile: part("init_file", anyWords("[N] [overwrite]")),
} as const;

export const trackFile = block("track_file", {
  header: text("NAME"),
  owners: ["vrrp", "checker"],
  support: notYet("warning", "files are not watched"),
  keywords: trackFileKeywords,
});

export const vrrpTrackFile = block("vrrp_track_file", {
  header: text("NAME"),
  owners: ["vrrp", "checker"],
  deprecated: "write track_file",
  support: notYet("warning", "files are not watched"),
  keywords: trackFileKeywords,
});

export const bfdInstance = block("bfd_instance", {
  header: text("NAME"),
  owners: ["bfd"],
  unique: true,
  support: notYet("warning", "BFD is not carried out by this version"),
  keywords: {
    sourceAddress: part("source_ip", ip()),
    neighborAddress: part("neighbor_ip", ip()),
    neighbourAddress: part("neighbour_ip", ip()),
    minReceive: part("min_rx", milliseconds(1, 4_294_967), { default: "10" }),
    minTransmit: part("min_tx", milliseconds(1, 4_294_967), { default: "10" }),
    idleTransmit: part("idle_tx", milliseconds(1000, 4_294_967), { default: "1000" }),
    multiplier: part("multiplier", integer({ min: 1, max: 255, strict: true }), { default: "5" }),
    passive: part("passive", flag),
    ttl: part("ttl", integer({ min: 1, max: 255, strict: true })),
    hopLimit: part("hoplimit", integer({ min: 1, max: 255, strict: true })),
    maxHops: part("max_hops", integer({ min: -1, max: 255, strict: true })),
    multihop: part("multihop", bool),
    weight: part("weight", weight(253)),
    vrrp: part("vrrp", flag),
    checker: part("checker", flag),
  },
});

const garpGroup = block("garp_group", {
  owners: ["vrrp"],
  support: notYet("info", "announcements are sent without a pause between them"),
  keywords: {
    garpInterval: part("garp_interval", seconds()),
    gnaInterval: part("gna_interval", seconds()),
    interface: part("interface", interfaceName),
    interfaces: values("interfaces", { support: { level: "part" } }),
  },
});

const trackGroup = block("track_group", {
  header: text("NAME"),
  owners: ["vrrp"],
  unique: true,
  support: notYet("warning", "static addresses, routes and rules are not set"),
  keywords: { group: values("group", { support: { level: "part" } }) },
});

/** Blocks and value blocks of the VRRP process that are read and not carried out. */
export const vrrpRest = {
  blocks: [trackGroup, garpGroup, vrrpTrackProcess, trackFile, vrrpTrackFile],
  values: {
    staticAddresses: values("static_ipaddress", { support: notYet("warning", "the addresses are not set") }),
    staticRoutes: values("static_routes", { support: notYet("warning", "the routes are not set") }),
    staticRules: values("static_rules", { support: notYet("warning", "the rules are not set") }),
    linkbeatInterfaces: values("linkbeat_interfaces", { support: notYet("info", "the kernel tells of link changes") }),
    interfaceDelays: values("interface_up_down_delays", { support: notYet("warning", "link changes count at once") }),
  },
} as const;
