// Dataplane as a process of its own for tests that stop, kill and measure it: the real kernel of the namespace it is
// started in, a real lease socket, and a host in memory. Talks to its parent over IPC.
import { join } from "node:path";
import type { Counter } from "@baton/contracts";
import type { BatonEvent, CauseRef, EventEnvelope } from "@baton/domain";
import { type ConfigSnapshot, serveGrpc } from "@baton/host";
import { createTestHost } from "@baton/host/testing";
import { bootNow, setRealtime, wallMicros } from "@baton/linux";
import { runDataplane } from "../run-dataplane.ts";

export type ToStandalone =
  | { readonly type: "config"; readonly snapshot: ConfigSnapshot; readonly runDir: string }
  /** An event of election, as the bus would bring it. */
  | {
      readonly type: "event";
      readonly instance: string;
      readonly event: BatonEvent;
      readonly cause?: CauseRef;
      readonly traceparent?: string;
    }
  | { readonly type: "ask" }
  /** Keeps the loop busy, as a process that is not scheduled. */
  | { readonly type: "stop"; readonly reason: string };

export type FromStandalone =
  | { readonly type: "ready" }
  | { readonly type: "event"; readonly envelope: EventEnvelope }
  | {
      readonly type: "told";
      readonly states: readonly unknown[];
      readonly counters: readonly Counter[];
      readonly spans: readonly unknown[];
      readonly lines: readonly unknown[];
    }
  | { readonly type: "stopped" };

const tell = (message: FromStandalone): void => void process.send?.(message);

async function start(snapshot: ConfigSnapshot, runDir: string): Promise<void> {
  // As main.ts: what is measured here is what runs there.
  setRealtime(39);
  const clock = { now: bootNow, wall: wallMicros, set: () => undefined, advance: () => undefined };
  const host = createTestHost({ service: "dataplane", clock, env: { runDir }, config: snapshot });
  const election = host.play("election");
  election.states([]);
  host.events.subscribe({ kind: "address" }, (envelope) => tell({ type: "event", envelope }));
  const dataplane = await runDataplane(host);
  const server = await serveGrpc(join(runDir, "dataplane.sock"), [dataplane.leaseService]);
  process.on("message", (message: ToStandalone) => {
    switch (message.type) {
      case "config":
        return host.applyConfig(message.snapshot);
      case "event":
        return void election.append(
          { kind: "vrrp", id: message.instance },
          message.event,
          message.cause,
          message.traceparent,
        );
      case "ask":
        return tell({
          type: "told",
          states: dataplane.states(),
          counters: dataplane.counters(),
          spans: host.spans,
          lines: host.lines,
        });
      case "stop":
        dataplane.release(message.reason);
        return void server
          .close()
          .then(() => host.stop(message.reason))
          .then(() => {
            tell({ type: "stopped" });
            process.disconnect();
          });
    }
  });
  tell({ type: "ready" });
}

process.once("message", (message: ToStandalone) => {
  if (message.type === "config") void start(message.snapshot, message.runDir);
});
