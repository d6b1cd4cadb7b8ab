// What is asked of the machine inside about a running Baton, and what it answers: plain data, by way of files.
import type { Difference, ParityTask, SeenTables } from "../parity/task.ts";

export interface RunningTask extends Omit<ParityTask, "configurations"> {
  readonly configurations: readonly Pick<ParityTask["configurations"][number], "name" | "text" | "answering">[];
  /** keepalived's tables, to which Baton's have to be equal. */
  readonly seen: SeenTables;
}

export interface RunningAnswer {
  /** None: everything is the same. */
  readonly differences: readonly Difference[];
  /** What else is not as it has to be: of processes that were killed, and of what somebody else did. */
  readonly faults: readonly string[];
  /** Tables compared. */
  readonly compared: number;
  /** Since the start of the process, emulated, by what was done then. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** Tables of both after a start and in the end. */
export interface End {
  readonly name: string;
  readonly start: Readonly<Record<"baton" | "keepalived", readonly string[]>>;
  readonly end: Readonly<Record<"baton" | "keepalived", readonly string[]>>;
}
