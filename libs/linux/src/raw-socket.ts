// The raw-socket package as far as Baton uses it, typed. It is loaded by the first VRRP socket and not at import:
// its native part can be loaded by one thread only, and every worker imports this package for its clock.
import { createRequire } from "node:module";

/** The native half: calls that act at once. */
export interface RawSocketWrap {
  /** A direct sendto(2); the callback runs before it returns. Throws an Error with the C library's sentence only. */
  send(data: Uint8Array, offset: number, length: number, address: string, done: () => void): void;
  on(event: "recvReady", listener: () => void): void;
  removeAllListeners(event: "recvReady"): void;
}

export interface RawSocket {
  readonly wrap: RawSocketWrap;
  setOption(level: number, option: number, value: Uint8Array, length: number): void;
  on(event: "error" | "close", listener: (error?: Error) => void): void;
  close(): void;
}

interface RawSocketModule {
  createSocket(options: { protocol: number; bufferSize: number }): RawSocket;
}

const require = createRequire(import.meta.url);

export const createRawSocket = (options: { protocol: number; bufferSize: number }): RawSocket =>
  (require("raw-socket") as RawSocketModule).createSocket(options);
