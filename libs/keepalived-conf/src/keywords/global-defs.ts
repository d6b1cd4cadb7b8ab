// `global_defs`, and the keywords that stand outside of all blocks.
import { flag, integer, lenientlyMissing, optional, text, uint32Max } from "./arguments.ts";
import { firewall } from "./global/firewall.ts";
import { mail } from "./global/mail.ts";
import { management } from "./global/management.ts";
import { processes } from "./global/processes.ts";
import { programs } from "./global/programs.ts";
import { nftAlone } from "./global/reasons.ts";
import { virtualServerDefaults } from "./global/virtual-servers.ts";
import { vrrpDefaults } from "./global/vrrp-defaults.ts";
import { block, missing, noted, works } from "./table.ts";

export const globalDefs = block("global_defs", {
  meaning: "Settings of the node as a whole, and defaults for everything else.",
  service: "control",
  owners: ["parent"],
  keywords: {
    ...mail,
    ...programs,
    ...vrrpDefaults,
    ...virtualServerDefaults,
    ...firewall,
    ...processes,
    ...management,
  },
  misnomers: {
    lvs_id: "router_id",
    email: "notification_email",
    smtp_host: "smtp_server",
    script_security: "enable_script_security",
  },
});

/** Outside of all blocks. */
export const rootKeywords = {
  linkbeatUsePolling: noted("linkbeat_use_polling", flag, "the kernel tells of link changes", {
    meaning: "Asks all interfaces again and again whether they have a link.",
    service: "election",
    default: "off",
  }),
  netNamespace: works("net_namespace", lenientlyMissing(text("NAME")), {
    meaning:
      "The network namespace that everything runs in, Baton's own bus and metrics page too; a reload does not change it.",
    service: "supervisor",
    repeat: "first",
    default: "the one that it is started in",
  }),
  netNamespaceIpvs: works("net_namespace_ipvs", optional(text("NAME"), ""), {
    meaning: "The network namespace of the virtual servers; without a name the machine's.",
    service: "balancer",
    repeat: "first",
    default: "net_namespace",
  }),
  namespaceWithIpsets: noted("namespace_with_ipsets", flag, nftAlone, {
    meaning: "Uses IP sets in a network namespace, too.",
    service: "dataplane",
    default: "off",
  }),
  usePidDirectory: works("use_pid_dir", flag, {
    meaning: "Keeps the pid files of `baton keepalived` in a directory of their own.",
    service: "supervisor",
    default: "off; on with net_namespace or instance",
  }),
  instance: missing(
    "instance",
    lenientlyMissing(text("NAME")),
    "use --name and --run-dir to run several nodes on one machine",
    {
      meaning: "Tells this daemon from others on the same machine.",
      service: "supervisor",
      repeat: "first",
      default: "none",
    },
  ),
  childWaitTime: noted(
    "child_wait_time",
    integer({ min: 0, max: uint32Max, strict: true, syntax: "SECS" }),
    "services stop in their own order and time",
    { meaning: "How long processes may take to end before they are killed.", service: "supervisor", default: "5" },
  ),
} as const;
