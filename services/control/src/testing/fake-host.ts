// As much of a Host as control's parts need, in memory: appended events are kept and handed to listeners.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventEnvelope } from "@baton/domain";
import { instant } from "@baton/domain";
import type { Host } from "@baton/host";

export interface FakeHost extends Pick<Host, "env" | "tracer" | "log" | "now" | "events"> {
  readonly appended: EventEnvelope[];
  readonly lines: string[];
}

export function fakeHost(): FakeHost {
  const directory = mkdtempSync(join(tmpdir(), "baton-control-"));
  const appended: EventEnvelope[] = [];
  const lines: string[] = [];
  const log = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const ofAggregate = (kind: string, id: string): number =>
    appended.filter((each) => each.aggregate.kind === kind && each.aggregate.id === id).length;
  return {
    appended,
    lines,
    env: { node: "r1", runDir: directory, stateDir: directory, version: "0.1.0", restarts: 0 },
    now: () => instant(1_000_000),
    log: { info: log("info"), warn: log("warn"), error: log("error") },
    tracer: { span: () => ({ traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", end() {} }) },
    events: {
      append(aggregate, event, cause, traceparent) {
        const version = ofAggregate(aggregate.kind, aggregate.id) + 1;
        const id = `00000000-0000-7000-8000-${String(appended.length).padStart(12, "0")}`;
        const envelope: EventEnvelope = {
          id,
          time: "2026-01-01T00:00:00.000000Z",
          at: 1_000_000,
          node: "r1",
          service: "control",
          aggregate,
          epoch: 1,
          version,
          correlationId: cause?.correlationId ?? id,
          causationId: cause?.id ?? id,
          traceparent,
          event,
        };
        appended.push(envelope);
        return envelope;
      },
      version: ({ kind, id }) => ofAggregate(kind, id),
      follow: () => ({ close() {} }),
      subscribe: () => ({ close() {} }),
    },
  };
}
