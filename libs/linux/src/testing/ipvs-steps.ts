// What a test does to the table of a kernel that is not this one's: steps as data, carried out one after the other by
// ipvs-steps-main.ts in there.
import type { ConnectionTimeouts, Operation, ServiceKey, SyncDaemon } from "@baton/ipvs";
import type { IpvsTable } from "../ipvs-table.ts";

export type IpvsStep =
  | { readonly call: "info" | "list" | "listServices" | "timeouts" | "listDaemons" }
  | { readonly call: "listDestinations"; readonly service: ServiceKey }
  | { readonly call: "change"; readonly operations: readonly Operation[] }
  | { readonly call: "setTimeouts"; readonly timeouts: ConnectionTimeouts }
  | { readonly call: "startDaemon"; readonly daemon: SyncDaemon }
  | { readonly call: "stopDaemon"; readonly role: SyncDaemon["role"] }
  | { readonly call: "zero"; readonly service?: ServiceKey }
  /** A command of the shell; its output. */
  | { readonly call: "shell"; readonly command: string };

export interface IpvsStepResult {
  /** What the table's function returned, by way of JSON. */
  readonly value?: unknown;
  /** What it threw instead. */
  readonly error?: string;
  readonly milliseconds: number;
}

/** `shell` runs a command and gives what it printed. */
export function carryOut(table: IpvsTable, step: IpvsStep, shell: (command: string) => string): unknown {
  switch (step.call) {
    case "listDestinations":
      return table.listDestinations(step.service);
    case "change":
      return table.change(step.operations);
    case "setTimeouts":
      return table.setTimeouts(step.timeouts);
    case "startDaemon":
      return table.startDaemon(step.daemon);
    case "stopDaemon":
      return table.stopDaemon(step.role);
    case "zero":
      return table.zero(step.service);
    case "shell":
      return shell(step.command);
    default:
      return table[step.call]();
  }
}
