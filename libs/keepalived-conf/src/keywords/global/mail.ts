// Who a node is, and the mail that it sends.
import { hostPort } from "../address-arguments.ts";
import { bool, flag, lenientlyMissing, optional, seconds, text } from "../arguments.ts";
import { mailSender } from "../global-arguments.ts";
import { noted, values, works } from "../table.ts";

export const mail = {
  routerId: works("router_id", lenientlyMissing(text("STRING")), {
    meaning: "The name of this node in the subjects of mails.",
    service: "notifier",
    default: "the host name",
  }),
  notificationEmail: values("notification_email", {
    meaning: "Who gets a mail when something changes; without anybody no mail is sent.",
    service: "notifier",
  }),
  notificationEmailFrom: works("notification_email_from", mailSender, {
    meaning: "The sender of the mails; a name may stand before the address.",
    service: "notifier",
    default: "USER@HOST",
  }),
  smtpServer: works("smtp_server", hostPort(25), {
    meaning: "The mail server that takes the mails; without one no mail is sent.",
    service: "notifier",
    default: "none",
  }),
  smtpHeloName: works("smtp_helo_name", optional(text("NAME"), undefined), {
    meaning: "The name by which the node greets the mail server.",
    service: "notifier",
    default: "the host name",
  }),
  smtpConnectTimeout: works("smtp_connect_timeout", seconds({ decimals: 0, zeroIsOne: true }), {
    meaning: "How long the mail server may take to answer.",
    service: "notifier",
    default: "30",
  }),
  smtpAlert: works("smtp_alert", bool, {
    meaning: "Whether instances, groups and servers that say nothing about it send mail.",
    service: "notifier",
    default: "off; on for real servers",
  }),
  smtpAlertVrrp: works("smtp_alert_vrrp", bool, {
    meaning: "Whether instances and groups that say nothing about it send mail.",
    service: "notifier",
    default: "smtp_alert",
  }),
  smtpAlertChecker: works("smtp_alert_checker", bool, {
    meaning: "Whether virtual and real servers that say nothing about it send mail.",
    service: "notifier",
    default: "smtp_alert",
  }),
  noEmailFaults: works("no_email_faults", flag, {
    meaning: "Leaves out the mails that tell of an instance in FAULT.",
    service: "notifier",
    default: "off",
  }),
  noCheckerEmails: noted("no_checker_emails", bool, "always so: a mail tells of a server that has changed", {
    meaning: "Sends mail when a real server changes, but not for each of its checkers.",
    service: "notifier",
    default: "off",
  }),
} as const;
