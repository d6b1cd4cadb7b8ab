// The lines of keepalived's FIFOs: `INSTANCE "VI_1" MASTER 100`. The name is in quotes and stays as it is. Pure.
import type { NotifyState } from "./state-change.ts";

/** What an instance tells beside its states: its priority has changed, or a lower master speaks. */
export type FifoState = NotifyState | "MASTER_PRIORITY" | "BACKUP_PRIORITY" | "MASTER_RX_LOWER_PRI";

/** keepalived tells 0 as the priority of a group. */
export const fifoLine = (subject: "instance" | "group", name: string, state: FifoState, priority: number): string =>
  `${subject.toUpperCase()} "${name}" ${state} ${subject === "group" ? 0 : priority}\n`;
