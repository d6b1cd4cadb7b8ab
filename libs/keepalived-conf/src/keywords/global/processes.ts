// How keepalived's processes run: names, priorities, limits and buffers.
import { bool, flag, integer, lenientlyMissing, optional, uint32Max } from "../arguments.ts";
import { cpuSet, realtimeLimit, realtimePriority, receiveBuffers } from "../global-arguments.ts";
import { cutName, exactly } from "../line-arguments.ts";
import { type Argument, alias, missing, noted, type Service, works } from "../table.ts";
import { checksWithScripts, noLocking, noMoreRealTime, noTimeLimit, ownBuffers, withScripts } from "./reasons.ts";

/** TASK_COMM_LEN of linux/sched.h, without its terminating zero. */
const processName = cutName(15);
const nice = lenientlyMissing(integer({ min: -20, max: 19, instead: 0 }));
const bufferSize = lenientlyMissing(integer({ min: 0, max: uint32Max, strict: true, syntax: "BYTES" }));

const checkerProcessName = noted(
  "checker_process_name",
  processName,
  "the balancer is called so; health, which checks the servers, keeps its name",
  {
    meaning: "What the process of the checkers is called.",
    service: "supervisor",
    default: "process_name",
  },
);

const names = {
  processNames: works("process_names", flag, {
    meaning: "Calls the processes keepalived_vrrp (here: election), keepalived_lvs and keepalived_bfd.",
    service: "election",
    default: "off",
  }),
  processName: works("process_name", processName, {
    meaning: "What the first process is called; a reload does not change it.",
    service: "supervisor",
    default: "the name of the program",
  }),
  vrrpProcessName: works("vrrp_process_name", processName, {
    meaning: "What the process of VRRP (here: election) is called.",
    service: "election",
    default: "process_name; here the name of the program",
  }),
  checkerProcessName,
  lvsProcessName: alias("lvs_process_name", checkerProcessName, "write checker_process_name", { tolerated: true }),
  bfdProcessName: works("bfd_process_name", processName, {
    meaning: "What the process of BFD (here: health) is called.",
    service: "health",
    default: "process_name; here the name of the program",
  }),
} as const;

/** What becomes of the five settings of one process here: carried out, or why not. */
interface Treatment {
  readonly service: Service;
  /** As in "the process of VRRP". */
  readonly owner: string;
  readonly realtime: string | "works";
  readonly others: string | "works";
}

const settingsOf = (prefix: string, { service, owner, realtime, others }: Treatment) => {
  const row = <T>(name: string, argument: Argument<T>, differs: string | "works", meaning: string, absent: string) => {
    const options = { meaning, service, default: absent };
    if (differs === "works") return works(name, argument, options);
    return missing(name, argument, differs, options);
  };
  const limit = noted(`${prefix}_rlimit_rttime`, realtimeLimit, noTimeLimit, {
    meaning: `How long ${owner} may run in real time without a pause.`,
    service,
    default: "10000",
  });
  const own = `off; here 40 for election, 39 for dataplane`;
  return {
    priority: row(`${prefix}_priority`, nice, others, `The niceness of ${owner}.`, "0"),
    noSwap: row(`${prefix}_no_swap`, flag, noLocking, `Keeps the memory of ${owner} from being swapped out.`, "off"),
    realtime: row(
      `${prefix}_rt_priority`,
      realtimePriority,
      realtime,
      `Schedules ${owner} in real time, with this priority.`,
      prefix === "vrrp" ? own : "off",
    ),
    affinity: row(`${prefix}_cpu_affinity`, cpuSet, others, `The processors that ${owner} runs on.`, "all"),
    limit,
    limitOld: alias(`${prefix}_rlimit_rtime`, limit, `write ${prefix}_rlimit_rttime`, { tolerated: true }),
  } as const;
};

export const vrrpProcess = settingsOf("vrrp", {
  service: "election",
  owner: "the process of VRRP (here: election, and dataplane, which stays one priority below)",
  realtime: "works",
  others: "works",
});
export const checkerProcess = settingsOf("checker", {
  service: "balancer",
  owner: "the process of the checkers (here: of the balancer)",
  realtime: "the balancer runs so; health is in real time as bfd_rt_priority says",
  others: checksWithScripts,
});
export const bfdProcess = settingsOf("bfd", {
  service: "health",
  owner: "the process of BFD (here: health)",
  realtime: "works",
  others: withScripts,
});

const scheduling = {
  maxAutoPriority: noted("max_auto_priority", optional(integer({ min: -1, max: 99 }), 99), noMoreRealTime, {
    meaning: "Up to which real-time priority a process may raise itself when it runs late; -1: never.",
    service: "election",
    default: "0; 99 without a number",
  }),
  minAutoPriorityDelay: noted(
    "min_auto_priority_delay",
    lenientlyMissing(integer({ min: 1, max: 10_000_000, syntax: "USECS" })),
    noMoreRealTime,
    { meaning: "How late a process has to run before it raises itself.", service: "election", default: "1000000" },
  ),
  vrrpPriority: vrrpProcess.priority,
  vrrpNoSwap: vrrpProcess.noSwap,
  vrrpRealtime: vrrpProcess.realtime,
  vrrpAffinity: vrrpProcess.affinity,
  vrrpRlimit: vrrpProcess.limit,
  vrrpRlimitOld: vrrpProcess.limitOld,
  checkerPriority: checkerProcess.priority,
  checkerNoSwap: checkerProcess.noSwap,
  checkerRealtime: checkerProcess.realtime,
  checkerAffinity: checkerProcess.affinity,
  checkerRlimit: checkerProcess.limit,
  checkerRlimitOld: checkerProcess.limitOld,
  bfdPriority: bfdProcess.priority,
  bfdNoSwap: bfdProcess.noSwap,
  bfdRealtime: bfdProcess.realtime,
  bfdAffinity: bfdProcess.affinity,
  bfdRlimit: bfdProcess.limit,
  bfdRlimitOld: bfdProcess.limitOld,
} as const;

/** A buffer of the kernel for one socket, and whether to ask for more than the limit of the system. */
const bufferOf = (prefix: string, socket: string) => ({
  size: noted(`${prefix}_rcv_bufs`, bufferSize, ownBuffers, {
    meaning: `How much the kernel keeps for ${socket}; 0 changes nothing.`,
    service: "supervisor",
    default: "the kernel's",
  }),
  force: noted(`${prefix}_rcv_bufs_force`, bool, ownBuffers, {
    meaning: `Whether the buffer of ${socket} may be beyond the limit of the system.`,
    service: "supervisor",
    default: "off",
  }),
});

export const vrrpCommandBuffer = bufferOf("vrrp_netlink_cmd", "netlink commands of VRRP");
export const vrrpMonitorBuffer = bufferOf("vrrp_netlink_monitor", "what netlink tells VRRP");
export const lvsCommandBuffer = bufferOf("lvs_netlink_cmd", "netlink commands of the checkers");
export const lvsMonitorBuffer = bufferOf("lvs_netlink_monitor", "what netlink tells the checkers");
export const processMonitorBuffer = bufferOf("process_monitor", "events of processes");

const buffers = {
  vrrpCommandBuffers: vrrpCommandBuffer.size,
  vrrpCommandBuffersForce: vrrpCommandBuffer.force,
  vrrpMonitorBuffers: vrrpMonitorBuffer.size,
  vrrpMonitorBuffersForce: vrrpMonitorBuffer.force,
  lvsCommandBuffers: lvsCommandBuffer.size,
  lvsCommandBuffersForce: lvsCommandBuffer.force,
  lvsMonitorBuffers: lvsMonitorBuffer.size,
  lvsMonitorBuffersForce: lvsMonitorBuffer.force,
  processMonitorBuffers: processMonitorBuffer.size,
  processMonitorBuffersForce: processMonitorBuffer.force,
  receiveBufferPolicy: noted("vrrp_rx_bufs_policy", receiveBuffers, ownBuffers, {
    meaning: "By what the buffers for adverts are sized: the interface's MTU, the size of an advert, or a number.",
    service: "election",
    repeat: "all",
    default: "the kernel's",
  }),
  receiveBufferMultiplier: noted(
    "vrrp_rx_bufs_multiplier",
    exactly(1, integer({ min: 1, max: uint32Max, strict: true })),
    ownBuffers,
    { meaning: "How many adverts the policy's size is for.", service: "election", default: "3" },
  ),
} as const;

export const processes = { ...names, ...scheduling, ...buffers } as const;
