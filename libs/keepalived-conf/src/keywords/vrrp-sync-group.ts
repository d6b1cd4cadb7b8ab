// `vrrp_sync_group`: instances that are master together, or not at all.
import { bool, flag } from "./arguments.ts";
import { onlyName } from "./line-arguments.ts";
import { eventScript } from "./script-argument.ts";
import { block, values, works } from "./table.ts";
import { trackBfdForm, trackFileForm, trackInterfaceForm, trackProcessForm, trackScriptForm } from "./track-options.ts";

const members = {
  group: values("group", { once: true, meaning: "The instances; none of them may be in another group." }),
  trackingWeight: works("sync_group_tracking_weight", flag, {
    meaning: "Lets what is tracked change priorities; otherwise it can only cause faults.",
    default: "off",
  }),
  globalTracking: works("global_tracking", flag, {
    meaning: "Another name of sync_group_tracking_weight.",
    deprecated: "write sync_group_tracking_weight",
    default: "off",
  }),
} as const;

const tracking = {
  trackInterface: values("track_interface", {
    form: trackInterfaceForm,
    meaning: "Interfaces whose state counts for all members.",
  }),
  trackScript: values("track_script", {
    form: trackScriptForm,
    meaning: "Scripts whose result counts for all members.",
  }),
  trackFile: values("track_file", {
    form: trackFileForm,
    meaning: "Files whose content counts for all members.",
  }),
  trackProcess: values("track_process", {
    form: trackProcessForm,
    meaning: "Processes that have to run for all members.",
  }),
  trackBfd: values("track_bfd", {
    form: trackBfdForm,
    meaning: "BFD sessions that have to be up for all members.",
  }),
} as const;

const notification = {
  notifyBackup: works("notify_backup", eventScript, {
    meaning: "What runs when the group becomes backup.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notifyMaster: works("notify_master", eventScript, {
    meaning: "What runs when the group becomes master.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notifyFault: works("notify_fault", eventScript, {
    meaning: "What runs when the group goes into fault.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notifyStop: works("notify_stop", eventScript, {
    meaning: "What runs when the group ends.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notify: works("notify", eventScript, {
    meaning: "What runs on every change; GROUP, the name, the state and 0 are its last words.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  smtpAlert: works("smtp_alert", bool, {
    meaning: "Whether mail is sent when the group changes.",
    service: "notifier",
    default: "smtp_alert_vrrp",
  }),
  notifyPriorityChanges: works("notify_priority_changes", bool, {
    meaning: "Whether the FIFOs are told when the priority of a member changes.",
    service: "notifier",
    default: "vrrp_notify_priority_changes",
  }),
} as const;

export const vrrpSyncGroup = block("vrrp_sync_group", {
  meaning: "Instances that are master together: where one cannot be, none is.",
  service: "election",
  header: onlyName,
  owners: ["vrrp"],
  unique: true,
  keywords: { ...members, ...tracking, ...notification },
  misnomers: { members: "group", instances: "group" },
});
