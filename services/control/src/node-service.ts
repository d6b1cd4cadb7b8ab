// NodeService on <run-dir>/node.sock: what people and tools ask of a node. Reads, and two commands: reload
// and drain.
import { once } from "node:events";
import { isAbsolute } from "node:path";
import {
  type DrainRequest,
  type DrainResult,
  type GetStatusRequest,
  type NodeServiceServer,
  NodeServiceService,
  type NodeStatus,
  type PlanRequest,
  type PlanResult,
  type ReloadResult,
  type StreamEventsRequest,
  toWire,
} from "@baton/contracts";
import { messageOf } from "@baton/domain";
import type { GrpcService } from "@baton/host";
import { type ServerWritableStream, type sendUnaryData, status } from "@grpc/grpc-js";
import { DrainError } from "./drain.ts";
import { readQuery } from "./event-query.ts";
import { type EventSources, SlowReaderError, streamEvents } from "./stream-events.ts";

export interface NodeServiceDependencies {
  readonly sources: EventSources;
  currentStatus(summary: boolean): Promise<NodeStatus>;
  reload(): Promise<ReloadResult>;
  plan(file: string): Promise<PlanResult>;
  /** Rejects with a DrainError, or whatever health says. */
  drain(request: DrainRequest): Promise<DrainResult>;
}

export function createNodeService(dependencies: NodeServiceDependencies): GrpcService {
  const implementation = {
    getStatus: ({ request }: { request: GetStatusRequest }, done: sendUnaryData<NodeStatus>) =>
      answer(dependencies.currentStatus(request.summary), done),
    streamEvents: (call) => void sendEvents(dependencies.sources, call),
    reload: (_call, done) => answer(dependencies.reload(), done),
    plan: ({ request: { file } }: { request: PlanRequest }, done: sendUnaryData<PlanResult>) =>
      isAbsolute(file)
        ? answer(dependencies.plan(file), done)
        : done({ code: status.INVALID_ARGUMENT, details: "the file to plan with needs an absolute path" }),
    drain: ({ request }: { request: DrainRequest }, done: sendUnaryData<DrainResult>) =>
      answer(dependencies.drain(request), done),
  } satisfies NodeServiceServer;
  return { definition: NodeServiceService, implementation };
}

function answer<T>(promise: Promise<T>, done: sendUnaryData<T>): void {
  promise.then(
    (value) => done(null, value),
    (error: unknown) =>
      done({ code: error instanceof DrainError ? error.code : status.INTERNAL, details: messageOf(error) }),
  );
}

async function sendEvents(
  sources: EventSources,
  call: ServerWritableStream<StreamEventsRequest, ReturnType<typeof toWire>>,
): Promise<void> {
  const query = readQuery(call.request);
  if ("error" in query) return void call.emit("error", { code: status.INVALID_ARGUMENT, details: query.error });
  const stop = new AbortController();
  for (const end of ["cancelled", "close", "error"]) call.on(end, () => stop.abort());
  try {
    for await (const envelope of streamEvents(sources, query, stop.signal)) {
      if (stop.signal.aborted) return;
      if (!call.write(toWire(envelope))) await drained(call, stop.signal);
    }
    call.end();
  } catch (error) {
    if (stop.signal.aborted) return;
    const code = error instanceof SlowReaderError ? status.RESOURCE_EXHAUSTED : status.INTERNAL;
    call.emit("error", { code, details: messageOf(error) });
  }
}

/** An error or the end of the call ends the wait as well; the loop sees it at its next turn. */
const drained = (call: NodeJS.EventEmitter, signal: AbortSignal): Promise<unknown> =>
  once(call, "drain", { signal }).catch(() => undefined);
