// The other blocks of the VRRP process: scripts, sync groups, trackers, static objects, rate limits.

import { ip } from "./address-arguments.ts";
import {
  anyWords,
  bool,
  choice,
  flag,
  int32Max,
  integer,
  lenientlyMissing,
  milliseconds,
  optional,
  seconds,
  text,
} from "./arguments.ts";
import { eventScript, script } from "./script-argument.ts";
import { garpGroup, staticValues, trackGroup } from "./static.ts";
import { type Argument, accepted, asBlock, block, values, works } from "./table.ts";
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
    script: works("script", script({ takesUser: false, command: "maybe" })),
    interval: works("interval", times, { default: "1" }),
    timeout: works("timeout", times, { default: "interval" }),
    weight: works("weight", weight(253), { default: "0: a failure is a fault" }),
    rise: works("rise", integer({ min: 1, max: int32Max, instead: 1 }), { default: "1" }),
    fall: works("fall", integer({ min: 1, max: int32Max, instead: 1 }), { default: "1" }),
    user: works("user", anyWords("USER [GROUP]", 1), { default: "script_user" }),
    initFail: works("init_fail", flag, { default: "off" }),
  },
  misnomers: { command: "script", cmd: "script", path: "script" },
});

export const vrrpSyncGroup = block("vrrp_sync_group", {
  header: onlyName,
  owners: ["vrrp"],
  unique: true,
  support: accepted("warning", "each instance of the group decides for itself"),
  keywords: {
    group: values("group"),
    trackInterface: values("track_interface", { support: { level: "as-block" } }),
    trackScript: values("track_script", { support: { level: "as-block" } }),
    trackFile: values("track_file", { support: { level: "as-block" } }),
    trackProcess: values("track_process", { support: { level: "as-block" } }),
    trackBfd: values("track_bfd", { support: { level: "as-block" } }),
    notifyBackup: asBlock("notify_backup", eventScript, { repeat: "first" }),
    notifyMaster: asBlock("notify_master", eventScript, { repeat: "first" }),
    notifyFault: asBlock("notify_fault", eventScript, { repeat: "first" }),
    notifyStop: asBlock("notify_stop", eventScript, { repeat: "first" }),
    notify: asBlock("notify", eventScript, { repeat: "first" }),
    smtpAlert: asBlock("smtp_alert", bool),
    globalTracking: asBlock("global_tracking", flag, { deprecated: "write sync_group_tracking_weight" }),
    trackingWeight: asBlock("sync_group_tracking_weight", flag),
    notifyPriorityChanges: asBlock("notify_priority_changes", bool),
  },
});

const delay = seconds({ max: 3600 });

export const vrrpTrackProcess = block("vrrp_track_process", {
  header: text("NAME"),
  owners: ["vrrp"],
  support: accepted("warning", "processes are not watched"),
  keywords: {
    process: asBlock("process", anyWords("PATH [ARG …]", 1), { repeat: "first" }),
    parameterMatch: asBlock("param_match", optional(choice("initial", "partial"), undefined)),
    weight: asBlock("weight", weight(254), { repeat: "first" }),
    quorum: asBlock("quorum", integer({ min: 1, max: 65_535 }), { default: "1" }),
    quorumMax: asBlock("quorum_max", integer({ min: 0, max: 65_535 })),
    delay: asBlock("delay", delay),
    terminateDelay: asBlock("terminate_delay", delay),
    forkDelay: asBlock("fork_delay", delay),
    fullCommand: asBlock("full_command", flag),
  },
});

const trackFileKeywords = {
  file: asBlock("file", text("PATH")),
  weight: asBlock("weight", lenientlyMissing(weight(254)), { default: "1" }),
  initFile: asBlock("init_file", anyWords("[N] [overwrite]")),
} as const;

export const trackFile = block("track_file", {
  header: text("NAME"),
  owners: ["vrrp", "checker"],
  support: accepted("warning", "files are not watched"),
  keywords: trackFileKeywords,
});

export const vrrpTrackFile = block("vrrp_track_file", {
  header: text("NAME"),
  owners: ["vrrp", "checker"],
  deprecated: "write track_file",
  support: accepted("warning", "files are not watched"),
  keywords: trackFileKeywords,
});

export const bfdInstance = block("bfd_instance", {
  header: text("NAME"),
  owners: ["bfd"],
  unique: true,
  support: accepted("warning", "BFD is not carried out by this version"),
  keywords: {
    sourceAddress: asBlock("source_ip", ip()),
    neighborAddress: asBlock("neighbor_ip", ip()),
    neighbourAddress: asBlock("neighbour_ip", ip()),
    minReceive: asBlock("min_rx", milliseconds(1, 4_294_967), { default: "10" }),
    minTransmit: asBlock("min_tx", milliseconds(1, 4_294_967), { default: "10" }),
    idleTransmit: asBlock("idle_tx", milliseconds(1000, 4_294_967), { default: "1000" }),
    multiplier: asBlock("multiplier", integer({ min: 1, max: 255, strict: true }), { default: "5" }),
    passive: asBlock("passive", flag),
    ttl: asBlock("ttl", integer({ min: 1, max: 255, strict: true })),
    hopLimit: asBlock("hoplimit", integer({ min: 1, max: 255, strict: true })),
    maxHops: asBlock("max_hops", integer({ min: -1, max: 255, strict: true })),
    multihop: asBlock("multihop", bool),
    weight: asBlock("weight", weight(253)),
    vrrp: asBlock("vrrp", flag),
    checker: asBlock("checker", flag),
  },
});

/** Blocks and value blocks of the VRRP process that are read and not carried out. */
export const vrrpRest = {
  blocks: [trackGroup, garpGroup, vrrpTrackProcess, trackFile, vrrpTrackFile],
  values: staticValues,
} as const;
