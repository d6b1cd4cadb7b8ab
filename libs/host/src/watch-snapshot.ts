// One snapshot of a service, asked for now. Followers are told what has an event; a lease that was confirmed, runs that
// were counted or a state without an event of its own (leaving, listening) are in the next snapshot only.
import { type AggregateState, type Counter, WatchServiceClient, type WatchUpdate } from "@baton/contracts";
import type { AggregateKind } from "@baton/domain";
import { credentials } from "@grpc/grpc-js";
import { clientOptions } from "./grpc.ts";

export interface SnapshotQuestion {
  /** <runDir>/<service>.sock. */
  readonly socket: string;
  /** Who asks, for the log of who is asked. */
  readonly consumer: string;
  readonly timeoutMs: number;
  /** Only these kinds of aggregates; all when absent. */
  readonly kinds?: readonly AggregateKind[] | undefined;
}

/** How a service is, and what it has counted, at one moment. */
export interface SnapshotAnswer {
  readonly states: readonly AggregateState[];
  readonly counters: readonly Counter[];
}

/** Undefined when the service does not answer in time: it is stopped, or starting. */
export function askSnapshot(question: SnapshotQuestion): Promise<SnapshotAnswer | undefined> {
  const { socket, consumer, timeoutMs, kinds = [] } = question;
  const client = new WatchServiceClient(`unix:${socket}`, credentials.createInsecure(), clientOptions);
  const call = client.watch({ consumer, kinds: [...kinds], counters: false }, { deadline: Date.now() + timeoutMs });
  return new Promise((resolve) => {
    const updates: WatchUpdate["update"][] = [];
    const finish = (answer: SnapshotAnswer | undefined): void => {
      resolve(answer);
      call.cancel();
      client.close();
    };
    // A snapshot, and at once a pulse with the counters.
    call.on("data", ({ update }: WatchUpdate) => {
      updates.push(update);
      const [first, second] = updates;
      if (first?.$case !== "snapshot") finish(undefined);
      else if (second?.$case === "pulse") {
        finish({ states: first.value.aggregates, counters: second.value.counters });
      }
    });
    // A cancelled call ends with an error as well: the promise is settled by then.
    call.on("error", () => finish(undefined));
    call.on("end", () => finish(undefined));
  });
}
