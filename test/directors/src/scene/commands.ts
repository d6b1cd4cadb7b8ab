// Inside the machine: every command that changes ip_vs, counted by the kernel itself.
import { readFileSync } from "node:fs";
import { command } from "./network.ts";

export interface CommandCount {
  /** So many since the start, by whomever, in any namespace. */
  count(): number;
}

const traced = "/sys/kernel/tracing";
const name = "baton_ipvs_commands";

/** All commands of generic netlink that are not questions go through this one function. */
const probed = "ip_vs:ip_vs_genl_set_cmd";

export async function countCommands(): Promise<CommandCount> {
  await command(
    `mountpoint -q ${traced} || mount -t tracefs tracefs ${traced}; ` +
      `echo 'p:${name} ${probed}' >>${traced}/kprobe_events && echo 1 >${traced}/events/kprobes/${name}/enable`,
  );
  return {
    count() {
      const line = readFileSync(`${traced}/kprobe_profile`, "utf8")
        .split("\n")
        .find((each) => each.trim().startsWith(name));
      return Number(line?.trim().split(/\s+/)[1] ?? 0);
    },
  };
}
