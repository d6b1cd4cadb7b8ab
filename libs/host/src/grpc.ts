// gRPC on unix sockets: who may open the file may call, so it is 0600 from its first moment.
import { unlinkSync } from "node:fs";
import { type ChannelOptions, Server, ServerCredentials } from "@grpc/grpc-js";
import type { GrpcService } from "./api.ts";

export interface GrpcServer {
  readonly path: string;
  /** Ends the streams that are open and unlinks the socket. */
  close(): Promise<void>;
}

const shutdownMs = 200;

const serverOptions: ChannelOptions = {
  "grpc.max_receive_message_length": 4 * 1024 * 1024,
};

/** For clients on unix sockets: no shared subchannels, no second-long first backoff, no proxy of the environment. */
export const clientOptions: ChannelOptions = {
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 20,
  "grpc.min_reconnect_backoff_ms": 20,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc.enable_http_proxy": 0,
  // A snapshot of thousands of instances is larger than the default of 4 MiB.
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
};

export async function serveGrpc(path: string, services: readonly GrpcService[]): Promise<GrpcServer> {
  const server = new Server(serverOptions);
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  unlinkStale(path);
  // The mode is decided by bind(2): a chmod afterwards would leave a moment in which anybody could connect.
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(new Error(`cannot serve on ${path}: ${error.message}`, { cause: error })),
      );
    });
  } finally {
    process.umask(umask);
  }
  return {
    path,
    close: async () => {
      // What was written last still arrives; a stream that stays open is ended after a moment.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, shutdownMs);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      server.forceShutdown();
      unlinkStale(path);
    },
  };
}

/** A socket file outlives a killed process, and bind(2) refuses a name that exists. */
function unlinkStale(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
