// What holds for all virtual servers: the kernel's IPVS and the checkers.
import { bool, flag, int32Max, integer, invalidValue, uint32Max } from "../arguments.ts";
import { lvsTimeouts, syncDaemon, tableName } from "../global-arguments.ts";
import { wholeLine } from "../line-arguments.ts";
import { alias, noted, works } from "../table.ts";
import { eachAddress } from "./reasons.ts";

const flushOnStop = wholeLine("[VS]", (line, report) => {
  const word = line.args[0];
  if (word === undefined) return "all";
  return word.text === "VS" ? "services" : invalidValue(word, line, report, "VS, or nothing");
});

const lvsFlushOnStop = works("lvs_flush_on_stop", flushOnStop, {
  meaning: "Empties the kernel's tables at once at the end; VS: removes services without their real servers first.",
  service: "balancer",
  default: "off",
});

export const virtualServerDefaults = {
  checkerLogAllFailures: works("checker_log_all_failures", bool, {
    meaning: "Logs every check that fails, not only the one that takes a server out.",
    service: "health",
    default: "off",
  }),
  realServerInitNotifies: works("rs_init_notifies", bool, {
    meaning: "Tells of real servers that are up at the start, too.",
    service: "notifier",
    default: "off",
  }),
  lvsTimeouts: works("lvs_timeouts", lvsTimeouts, {
    meaning: "How long the kernel remembers a connection that is idle.",
    service: "balancer",
    default: "the kernel's",
  }),
  lvsFlush: works("lvs_flush", flag, {
    meaning: "Empties the kernel's tables of virtual servers at the start.",
    service: "balancer",
    default: "off",
  }),
  lvsFlushOnStop,
  lvsFlushOnstop: alias("lvs_flush_onstop", lvsFlushOnStop),
  lvsSyncDaemon: works("lvs_sync_daemon", syncDaemon, {
    meaning: "Shares connections with another load balancer over an interface, as the state of an instance asks.",
    service: "balancer",
    repeat: "first",
    default: "none; id: the VRID of the instance",
  }),
  nftablesIpvs: noted("nftables_ipvs", tableName("keepalived_ipvs"), eachAddress, {
    meaning: "Marks packets of virtual_server_groups by nftables, so that one service per protocol is enough.",
    service: "balancer",
    repeat: "first",
    default: "off; keepalived_ipvs without a name",
  }),
  nftablesIpvsPriority: noted(
    "nftables_ipvs_priority",
    integer({ min: -int32Max - 1, max: int32Max, strict: true }),
    eachAddress,
    { meaning: "Where the chain of nftables_ipvs stands among others.", service: "balancer", default: "-1" },
  ),
  nftablesIpvsMark: noted(
    "nftables_ipvs_start_fwmark",
    integer({ min: 1, max: uint32Max, strict: true }),
    eachAddress,
    {
      meaning: "The first mark that nftables_ipvs takes.",
      service: "balancer",
      default: "1000",
    },
  ),
} as const;
