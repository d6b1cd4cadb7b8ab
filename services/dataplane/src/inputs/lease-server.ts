// Dataplane's end of the mastership lease (proto/baton/v1/lease.proto): one gRPC stream of frames in, answers out.
// Which stream counts is the core's decision; this only carries.
import { type LeaseFrame, type LeaseReply, LeaseServiceService } from "@baton/contracts";
import type { GrpcService } from "@baton/host";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import { frameFromWire, recordToWire, statusToWire } from "../lease-wire.ts";
import type { Effect, Frame } from "../types.ts";

export interface LeaseServerOptions {
  onOpened(stream: number): void;
  onFrame(stream: number, frame: Frame): void;
  onClosed(stream: number): void;
  onMalformed(reason: string): void;
}

export interface LeaseServer {
  readonly grpc: GrpcService;
  greet(effect: Extract<Effect, { type: "greet" }>): void;
  answer(effect: Extract<Effect, { type: "answer" }>): void;
  end(stream: number, reason: string): void;
  close(): void;
}

type Call = ServerDuplexStream<LeaseFrame, LeaseReply>;

/** Answers that an election has not read: it is stopped, and would find this many of the past when it wakes. */
const unreadMax = 1_000;

export function createLeaseServer(options: LeaseServerOptions): LeaseServer {
  const calls = new Map<number, { readonly call: Call; unread: number }>();
  let opened = 0;

  const forget = (stream: number): void => {
    if (calls.delete(stream)) options.onClosed(stream);
  };
  const fail = (stream: number, code: status, details: string): void => {
    const entry = calls.get(stream);
    forget(stream);
    entry?.call.emit("error", { code, details });
  };
  const write = (stream: number, reply: LeaseReply): void => {
    const entry = calls.get(stream);
    if (entry === undefined) return;
    if (entry.call.write(reply)) entry.unread = 0;
    else if (++entry.unread > unreadMax) fail(stream, status.RESOURCE_EXHAUSTED, "the answers are not read");
  };

  const hold = (call: Call): void => {
    const stream = ++opened;
    calls.set(stream, { call, unread: 0 });
    call.on("data", (wire: LeaseFrame) => {
      if (!calls.has(stream)) return;
      const decoded = frameFromWire(wire);
      if (decoded.ok) return options.onFrame(stream, decoded.frame);
      options.onMalformed(decoded.reason);
      fail(stream, status.INVALID_ARGUMENT, decoded.reason);
    });
    call.on("drain", () => {
      const entry = calls.get(stream);
      if (entry !== undefined) entry.unread = 0;
    });
    for (const event of ["cancelled", "close", "error"]) call.on(event, () => forget(stream));
    call.on("end", () => {
      forget(stream);
      call.end();
    });
    options.onOpened(stream);
  };

  return {
    grpc: { definition: LeaseServiceService, implementation: { hold } },
    greet: ({ stream, leases }) =>
      write(stream, { reply: { $case: "hello", value: { records: leases.map(recordToWire) } } }),
    answer: ({ stream, sequence, sentAt, leases, partial }) =>
      write(stream, {
        reply: { $case: "confirm", value: { sequence, sentAt, leases: leases.map(statusToWire), partial } },
      }),
    end: (stream, reason) => fail(stream, status.ABORTED, reason),
    close: () => {
      for (const { call } of calls.values()) call.end();
      calls.clear();
    },
  };
}
