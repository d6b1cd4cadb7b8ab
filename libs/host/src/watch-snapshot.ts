// One snapshot of a service, asked for now. Followers are told what has an event; a lease that was confirmed, runs that
// were counted or a state without an event of its own (leaving, listening) are in the next snapshot only.
import { type AggregateState, WatchServiceClient } from "@baton/contracts";
import { credentials } from "@grpc/grpc-js";
import { clientOptions } from "./grpc.ts";

export interface SnapshotQuestion {
  /** <runDir>/<service>.sock. */
  readonly socket: string;
  /** Who asks, for the log of who is asked. */
  readonly consumer: string;
  readonly timeoutMs: number;
}

/** Undefined when the service does not answer in time: it is stopped, or starting. */
export function askSnapshot(question: SnapshotQuestion): Promise<readonly AggregateState[] | undefined> {
  const { socket, consumer, timeoutMs } = question;
  const client = new WatchServiceClient(`unix:${socket}`, credentials.createInsecure(), clientOptions);
  const call = client.watch({ consumer }, { deadline: Date.now() + timeoutMs });
  return new Promise((resolve) => {
    const finish = (states: readonly AggregateState[] | undefined): void => {
      resolve(states);
      call.cancel();
      client.close();
    };
    call.on("data", ({ update }) => finish(update?.$case === "snapshot" ? update.value.aggregates : undefined));
    // A cancelled call ends with an error as well: the promise is settled by then.
    call.on("error", () => finish(undefined));
    call.on("end", () => finish(undefined));
  });
}
