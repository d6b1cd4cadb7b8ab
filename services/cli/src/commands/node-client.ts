// Asks a node over its unix socket. What can go wrong is said in one sentence.
import { statSync } from "node:fs";
import {
  type DrainRequest,
  type DrainResult,
  type Envelope,
  fromWire,
  NodeServiceClient,
  type NodeStatus,
  type PlanResult,
} from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { clientOptions, paths } from "@baton/host";
import { credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { NodeError } from "./node-error.ts";

const answerMs = 5_000;
/** A configuration with tens of thousands of servers takes seconds to read on a slow machine. */
const planMs = 60_000;

export interface NodeQuery {
  readonly follow: boolean;
  readonly limit: number;
  readonly eventType: string;
}

export interface NodeClient {
  status(): Promise<NodeStatus>;
  /** Resolves when the stream has ended. */
  events(query: NodeQuery, onEvent: (envelope: EventEnvelope) => void): Promise<void>;
  /** What a reload with the file at this absolute path would do. */
  plan(file: string): Promise<PlanResult>;
  /** Names as in `NodeStatus`. Rejects where nothing matches, or health is not there. */
  drain(request: DrainRequest): Promise<DrainResult>;
  close(): void;
}

/** gRPC itself would try for seconds, and tell of neither. */
function checkSocket(runDir: string, socket: string): void {
  try {
    statSync(socket);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES") throw new NodeError(`the node on ${runDir} answers to root alone`, { cause: error });
    throw new NodeError(`no node runs on ${runDir} (there is no ${socket})`, { cause: error });
  }
}

export function openNode(runDir: string): NodeClient {
  const socket = paths.nodeSocket(runDir);
  checkSocket(runDir, socket);
  const client = new NodeServiceClient(`unix:${socket}`, credentials.createInsecure(), clientOptions);
  const explain = (error: ServiceError): NodeError => {
    if (error.code === status.UNAVAILABLE)
      return new NodeError(`the node on ${runDir} does not answer`, { cause: error });
    if (error.code === status.UNIMPLEMENTED)
      return new NodeError(`the node on ${runDir} is of a version that does not know this`, { cause: error });
    if (error.code === status.DEADLINE_EXCEEDED) return new NodeError(`the node on ${runDir} is too slow to answer`);
    return new NodeError(error.details === "" ? error.message : error.details, { cause: error });
  };
  return {
    status: () =>
      new Promise((resolve, reject) => {
        client.getStatus({ summary: false }, new Metadata(), { deadline: Date.now() + answerMs }, (error, answer) =>
          error === null ? resolve(answer) : reject(explain(error)),
        );
      }),
    events: ({ follow, limit, eventType }, onEvent) =>
      new Promise((resolve, reject) => {
        const filter = { sinceId: "", aggregateKind: "", aggregateId: "" };
        const call = client.streamEvents({ follow, limit, type: eventType, ...filter });
        call.on("data", (wire: Envelope) => {
          // An event of a newer version than ours is left out rather than shown wrongly.
          const envelope = fromWire(wire);
          if (envelope !== undefined) onEvent(envelope);
        });
        call.on("end", resolve);
        call.on("error", (error: ServiceError) => reject(explain(error)));
      }),
    plan: (file) =>
      new Promise((resolve, reject) => {
        client.plan({ file }, new Metadata(), { deadline: Date.now() + planMs }, (error, answer) =>
          error === null ? resolve(answer) : reject(explain(error)),
        );
      }),
    drain: (request) =>
      new Promise((resolve, reject) => {
        client.drain(request, new Metadata(), { deadline: Date.now() + answerMs }, (error, answer) =>
          error === null ? resolve(answer) : reject(explain(error)),
        );
      }),
    close: () => client.close(),
  };
}
