// Mail that is asked for and cannot be sent.
import { vrrpInstance } from "../../keywords/vrrp-instance.ts";
import { block, file, router } from "../example.ts";
import type { LintRule } from "../rule.ts";

const mailWithoutServer: LintRule = {
  name: "mail-without-server",
  title: "smtp_alert without a mail server or a recipient",
  severity: "warning",
  why:
    "No mail is sent, and nothing says so, where global_defs has no smtp_server or no notification_email. Write both, or " +
    "remove smtp_alert.",
  bad: { text: file(router("smtp_alert")) },
  good: {
    text: file(
      block("global_defs", block("notification_email", "ops@example.net"), "smtp_server 192.0.2.25"),
      router("smtp_alert"),
    ),
  },
  by: "lint",
  check: ({ config, places }) => {
    const { smtpServer, notificationEmail } = config.global;
    const missing = [
      ...(smtpServer === undefined ? ["smtp_server"] : []),
      ...(notificationEmail.length === 0 ? ["notification_email"] : []),
    ];
    const asking = config.instances.find(({ smtpAlert }) => smtpAlert);
    if (asking === undefined || missing.length === 0) return [];
    return [
      {
        place: places.instance(asking, vrrpInstance.keywords.smtpAlert),
        message: `${asking.name} asks for mail, but global_defs has no ${missing.join(" and no ")}: none is sent`,
        hint: `write ${missing.join(" and ")} in global_defs`,
      },
    ];
  },
};

export const mailRules: readonly LintRule[] = [mailWithoutServer];
