// The lines of keepalived's FIFOs: `INSTANCE "VI_1" MASTER 100`, `VS [192.0.2.1]:tcp:80 UP`. Names stay as they are, those
// of instances in quotes. No NUL behind a line of a server, as no release of keepalived writes one. Pure.
import type { ServerState, ToldState } from "./ledger.ts";
import type { ServerSubject } from "./server-subjects.ts";

/** What an instance tells beside its states: its priority has changed, or a lower master speaks. */
export type FifoState = ToldState | "MASTER_PRIORITY" | "BACKUP_PRIORITY" | "MASTER_RX_LOWER_PRI";

/** keepalived tells 0 as the priority of a group. */
export const fifoLine = (subject: "instance" | "group", name: string, state: FifoState, priority: number): string =>
  `${subject.toUpperCase()} "${name}" ${state} ${subject === "group" ? 0 : priority}\n`;

type Names = Pick<ServerSubject, "virtualServer" | "server">;

export const serverFifoLine = ({ virtualServer, server }: Names, state: ServerState): string =>
  server === undefined ? `VS ${virtualServer} ${state}\n` : `RS ${server} ${virtualServer} ${state}\n`;
