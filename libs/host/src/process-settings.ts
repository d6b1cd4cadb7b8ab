// `vrrp_rt_priority`, `vrrp_priority`, `vrrp_cpu_affinity`, `vrrp_process_name`, and BFD's: how a process of ours runs that
// does what one of keepalived's does. What the machine does not permit is told, and keeps nobody from the work (SAFETY S7).
import type { ProcessConfig, ProcessesConfig } from "@baton/keepalived-conf";
import {
  allowedProcessors,
  processName,
  setAffinity,
  setNiceness,
  setOrdinary,
  setProcessName,
  setRealtime,
} from "@baton/linux";
import type { Host } from "./api.ts";

export interface ProcessRole {
  /** What is configured for it; a member that is undefined is none of its business. */
  readonly settings: (processes: ProcessesConfig) => Partial<ProcessConfig>;
  /** SCHED_RR priority where the configuration says none; undefined: not in real time. */
  readonly realtimePriority: number | undefined;
  /** How far it stays below a configured one: of two processes that stand for one of keepalived's, one goes first. */
  readonly below: number;
}

/** Puts what is applied into effect, and what every later configuration says. */
export async function keepProcessSettings(host: Pick<Host, "config" | "log">, role: ProcessRole): Promise<void> {
  const before = { cpus: allowedProcessors(), name: processName() };
  const changed = { realtime: false, niceness: false, cpus: false, name: false };
  const apply = (processes: ProcessesConfig): void => {
    const { realtimePriority: asked, niceness = 0, cpus, name } = role.settings(processes);
    const realtimePriority = asked === undefined ? role.realtimePriority : Math.max(1, asked - role.below);
    const refused: string[] = [];
    const attempt = (what: string, isPermitted: boolean): void => void (isPermitted || refused.push(what));
    // What was never asked for stays as whoever started the node has it.
    changed.realtime ||= realtimePriority !== undefined;
    if (realtimePriority !== undefined) attempt("real time", setRealtime(realtimePriority));
    else if (changed.realtime) setOrdinary();
    changed.niceness ||= niceness !== 0;
    changed.cpus ||= cpus !== undefined;
    changed.name ||= name !== undefined;
    if (changed.niceness) attempt("niceness", setNiceness(niceness));
    if (changed.cpus) attempt("processors", setAffinity(cpus ?? before.cpus));
    if (changed.name) setProcessName(name ?? before.name);
    if (refused.length > 0) host.log.warn("not permitted to run as configured", { refused });
  };
  host.config.onChange(({ config }) => apply(config.global.processes));
  apply((await host.config.current()).config.global.processes);
}
