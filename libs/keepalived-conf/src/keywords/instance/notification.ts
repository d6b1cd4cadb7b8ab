// Who is told when an instance changes: scripts and mail.
import { bool } from "../arguments.ts";
import { eventScript, type ScriptLine } from "../script-argument.ts";
import { type Argument, works } from "../table.ts";

/** Alone it asks that a removed instance be called DELETED rather than FAULT. */
const deletedScript: Argument<ScriptLine | "told"> = {
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
    return "told";
  },
};

export const notification = {
  notifyMaster: works("notify_master", eventScript, {
    meaning: "What runs when it becomes master.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notifyBackup: works("notify_backup", eventScript, {
    meaning: "What runs when it becomes backup.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notifyFault: works("notify_fault", eventScript, {
    meaning: "What runs when it goes into fault.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notifyStop: works("notify_stop", eventScript, {
    meaning: "What runs when it ends.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notifyDeleted: works("notify_deleted", deletedScript, {
    meaning: "What runs when a reload removes it; alone: scripts and FIFOs are told DELETED, not FAULT.",
    service: "notifier",
    repeat: "first",
    default: "notify_fault",
  }),
  notify: works("notify", eventScript, {
    meaning: "What runs on every change; INSTANCE, the name, the state and the priority are its last words.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notifyLowerPriority: works("notify_master_rx_lower_pri", eventScript, {
    meaning: "What runs when it is master and hears an advert of lower priority, at most once in five seconds.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  smtpAlert: works("smtp_alert", bool, {
    meaning: "Whether mail is sent when it changes.",
    service: "notifier",
    default: "smtp_alert_vrrp",
  }),
  notifyPriorityChanges: works("notify_priority_changes", bool, {
    meaning: "Whether the FIFOs are told when its priority changes.",
    service: "notifier",
    default: "that of its sync group, or vrrp_notify_priority_changes",
  }),
} as const;
