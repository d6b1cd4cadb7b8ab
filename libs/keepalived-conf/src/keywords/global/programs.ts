// What runs besides the services: as whom, at start and end, and who reads the FIFOs.
import { bool, flag, integer, lenientlyMissing } from "../arguments.ts";
import { fifo } from "../global-arguments.ts";
import { account } from "../line-arguments.ts";
import { optionalScript, startScript } from "../script-argument.ts";
import { missing, noted, works } from "../table.ts";

const scriptTime = lenientlyMissing(integer({ min: 1, max: 1000, syntax: "SECS" }));

const accounts = {
  scriptUser: works("script_user", lenientlyMissing(account), {
    meaning: "Who scripts run as that name nobody.",
    service: "health",
    default: "keepalived_script if it exists, else root",
  }),
  enableScriptSecurity: works("enable_script_security", flag, {
    meaning: "Refuses scripts that run as root and that somebody else could change.",
    service: "control",
    default: "off",
  }),
  useSymlinkPaths: noted("use_symlink_paths", bool, "scripts run under the path that is written", {
    meaning: "Runs a script by the path that is written, and not by the one that links lead to.",
    service: "health",
    since: "2.3.0",
    default: "off",
  }),
  supplementaryGroups: missing("set_supplementary_groups", bool, "scripts get no supplementary groups", {
    meaning: "Gives scripts all groups of the user that they run as.",
    service: "health",
    since: "2.4.4",
    default: "off",
  }),
} as const;

const startAndEnd = {
  startupScript: works("startup_script", startScript, {
    meaning: "A program that runs before everything else.",
    service: "supervisor",
    repeat: "first",
    default: "none",
  }),
  startupScriptTimeout: works("startup_script_timeout", scriptTime, {
    meaning: "How long startup_script may take.",
    service: "supervisor",
    default: "10",
  }),
  shutdownScript: works("shutdown_script", startScript, {
    meaning: "A program that runs when everything else has ended.",
    service: "supervisor",
    repeat: "first",
    default: "none",
  }),
  shutdownScriptTimeout: works("shutdown_script_timeout", scriptTime, {
    meaning: "How long shutdown_script may take.",
    service: "supervisor",
    default: "10",
  }),
} as const;

const fifos = {
  notifyFifo: works("notify_fifo", fifo, {
    meaning: "A FIFO that gets a line for every change of an instance, group or server.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  notifyFifoScript: works("notify_fifo_script", optionalScript, {
    meaning: "A program that reads notify_fifo; the path of the FIFO is its last argument.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  vrrpNotifyFifo: works("vrrp_notify_fifo", fifo, {
    meaning: "A FIFO that gets the changes of instances and groups alone.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  vrrpNotifyFifoScript: works("vrrp_notify_fifo_script", optionalScript, {
    meaning: "A program that reads vrrp_notify_fifo.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  lvsNotifyFifo: works("lvs_notify_fifo", fifo, {
    meaning: "A FIFO that gets the changes of virtual and real servers alone.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  lvsNotifyFifoScript: works("lvs_notify_fifo_script", optionalScript, {
    meaning: "A program that reads lvs_notify_fifo.",
    service: "notifier",
    repeat: "first",
    default: "none",
  }),
  fifoStatesOnReload: works("fifo_write_vrrp_states_on_reload", flag, {
    meaning: "Writes all states to the FIFOs after a reload, not only those that changed.",
    service: "notifier",
    default: "off",
  }),
} as const;

export const programs = { ...accounts, ...startAndEnd, ...fifos } as const;
