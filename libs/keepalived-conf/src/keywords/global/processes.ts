// How keepalived's processes run: names, priorities, limits and buffers.
import { bool, flag, integer, lenientlyMissing, optional, uint32Max } from "../arguments.ts";
import { cpuSet, realtimeLimit, realtimePriority, receiveBuffers } from "../global-arguments.ts";
import { cutName, exactly } from "../line-arguments.ts";
import { alias, type Keyword, noted } from "../table.ts";
import { noBfd, ownBuffers, ownProcesses } from "./reasons.ts";

/** TASK_COMM_LEN of linux/sched.h, without its terminating zero. */
const processName = cutName(15);
const nice = lenientlyMissing(integer({ min: -20, max: 19, instead: 0 }));
const bufferSize = lenientlyMissing(integer({ min: 0, max: uint32Max, strict: true, syntax: "BYTES" }));

const checkerProcessName = noted("checker_process_name", processName, ownProcesses, {
  meaning: "What the process of the checkers is called.",
  service: "supervisor",
  default: "process_name",
});

const names = {
  processNames: noted("process_names", flag, ownProcesses, {
    meaning: "Calls the processes keepalived_vrrp, keepalived_lvs and keepalived_bfd.",
    service: "supervisor",
    default: "off",
  }),
  processName: noted("process_name", processName, ownProcesses, {
    meaning: "What the first process is called.",
    service: "supervisor",
    default: "the name of the program",
  }),
  vrrpProcessName: noted("vrrp_process_name", processName, ownProcesses, {
    meaning: "What the process of VRRP is called.",
    service: "supervisor",
    default: "process_name",
  }),
  checkerProcessName,
  lvsProcessName: alias("lvs_process_name", checkerProcessName, "write checker_process_name", { tolerated: true }),
  bfdProcessName: noted("bfd_process_name", processName, ownProcesses, {
    meaning: "What the process of BFD is called.",
    service: "supervisor",
    default: "process_name",
  }),
} as const;

/** The five settings of one process. `owner` as in "the process of VRRP". */
const settingsOf = (prefix: string, owner: string, differs: string) => {
  const limit: Keyword<ReturnType<typeof realtimeLimit.parse>> = noted(
    `${prefix}_rlimit_rttime`,
    realtimeLimit,
    differs,
    {
      meaning: `How long ${owner} may run in real time without a pause.`,
      service: "supervisor",
      default: "10000",
    },
  );
  return {
    priority: noted(`${prefix}_priority`, nice, differs, {
      meaning: `The niceness of ${owner}.`,
      service: "supervisor",
      default: "0",
    }),
    noSwap: noted(`${prefix}_no_swap`, flag, differs, {
      meaning: `Keeps the memory of ${owner} from being swapped out.`,
      service: "supervisor",
      default: "off",
    }),
    realtime: noted(`${prefix}_rt_priority`, realtimePriority, differs, {
      meaning: `Schedules ${owner} in real time, with this priority.`,
      service: "supervisor",
      default: "off",
    }),
    affinity: noted(`${prefix}_cpu_affinity`, cpuSet, differs, {
      meaning: `The processors that ${owner} runs on.`,
      service: "supervisor",
      default: "all",
    }),
    limit,
    limitOld: alias(`${prefix}_rlimit_rtime`, limit, `write ${prefix}_rlimit_rttime`, { tolerated: true }),
  } as const;
};

export const vrrpProcess = settingsOf("vrrp", "the process of VRRP", ownProcesses);
export const checkerProcess = settingsOf("checker", "the process of the checkers", ownProcesses);
export const bfdProcess = settingsOf("bfd", "the process of BFD", noBfd);

const scheduling = {
  maxAutoPriority: noted("max_auto_priority", optional(integer({ min: -1, max: 99 }), 99), ownProcesses, {
    meaning: "Up to which real-time priority a process may raise itself when it runs late; -1: never.",
    service: "supervisor",
    default: "0; 99 without a number",
  }),
  minAutoPriorityDelay: noted(
    "min_auto_priority_delay",
    lenientlyMissing(integer({ min: 1, max: 10_000_000, syntax: "USECS" })),
    ownProcesses,
    { meaning: "How late a process has to run before it raises itself.", service: "supervisor", default: "1000000" },
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
