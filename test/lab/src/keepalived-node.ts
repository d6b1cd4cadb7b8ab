// Debian's keepalived on a router: the peer that Baton is measured against.
import type { LabProcess } from "./lab-process.ts";
import type { Machine } from "./machine.ts";

export interface KeepalivedNode extends LabProcess {
  /** Waits for a transition of an instance since this node was started. */
  waitState(state: "MASTER" | "BACKUP" | "FAULT", instance?: string, deadlineMs?: number): Promise<void>;
  reload(): void;
}

export const keepalivedConfigFile = "/etc/keepalived/keepalived.conf";

/**
 * `program`: another keepalived than the machine's own. `isTalkative`: false where its log, a line for each announcement,
 * would be what is measured.
 */
export async function startKeepalived(
  router: Machine,
  config: string,
  program = "keepalived",
  isTalkative = true,
): Promise<KeepalivedNode> {
  // keepalived takes a file that others may write for unsafe.
  router.writeFile(keepalivedConfigFile, config, 0o644);
  const child = await router.spawn("keepalived", [
    program,
    "--dont-fork",
    "--log-console",
    ...(isTalkative ? ["--log-detail"] : []),
    `--use-file=${keepalivedConfigFile}`,
    "--pid=/run/keepalived.pid",
    "--vrrp_pid=/run/keepalived-vrrp.pid",
    "--checkers_pid=/run/keepalived-checkers.pid",
  ]);
  return Object.defineProperties(child, {
    waitState: {
      value: async (state: string, instance = "VI_1", deadlineMs = 15_000) => {
        await child.waitLog(new RegExp(`\\(${instance}\\) Entering ${state} STATE`), deadlineMs);
      },
    },
    reload: { value: () => child.signal("SIGHUP") },
  }) as KeepalivedNode;
}
