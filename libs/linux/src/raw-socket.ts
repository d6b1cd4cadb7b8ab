// The raw-socket package as far as Baton uses it: it opens raw sockets, wakes us, and closes them. It reads one packet a
// wake into one shared buffer, sends through a queue that starves while receiving is saturated, and knows nothing of what
// comes beside an IPv6 packet: so reading, sending and options are system calls on its descriptor, which it does not tell.
import { readdirSync, readlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { assert, messageOf } from "@baton/domain";
import { VrrpSocketError } from "./error.ts";
import { checked, errnoNameOfText, int32, libc } from "./libc.ts";

const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_PROTOCOL = 38;
const SOCK_RAW = 3;
const FD_CLOEXEC = 1;
const F_SETFD = 2;

interface RawSocketObject {
  readonly wrap: {
    on(event: "recvReady", listener: () => void): void;
    removeAllListeners(event: "recvReady"): void;
  };
  on(event: "error", listener: (error?: Error) => void): void;
  close(): void;
}

interface RawSocketModule {
  readonly AddressFamily: { readonly IPv4: number; readonly IPv6: number };
  createSocket(options: { addressFamily: number; protocol: number; bufferSize: number }): RawSocketObject;
}

export interface RawSocket {
  readonly fd: number;
  close(): void;
}

export interface RawSocketHandlers {
  /** Something waits on the descriptor. */
  onReadable(): void;
  /** The socket is of no use any more, and closed. */
  onError(error: Error): void;
}

const require = createRequire(import.meta.url);
/** raw-socket closes a socket that nobody references. */
const liveSockets = new Set<RawSocketObject>();

/** Loaded by the first socket and not at import: its native part can be loaded by one thread only. Throws VrrpSocketError. */
export function openRawSocket(family: 4 | 6, protocol: number, handlers: RawSocketHandlers): RawSocket {
  const before = new Set(socketDescriptors());
  const socket = create(family, protocol);
  liveSockets.add(socket);
  const close = (): boolean => {
    const live = liveSockets.delete(socket);
    if (live) socket.close();
    return live;
  };
  socket.wrap.removeAllListeners("recvReady");
  socket.wrap.on("recvReady", () => handlers.onReadable());
  // A poll error closes the socket by itself, without our close().
  socket.on("error", (error) => {
    if (close()) handlers.onError(error ?? new Error(`the raw socket of protocol ${protocol} failed`));
  });
  const created = socketDescriptors().filter((entry) => !before.has(entry));
  const candidates = created.map((entry) => Number(entry.split(" ")[0])).filter((fd) => isRaw(fd, protocol));
  const fd = candidates[0];
  assert(
    fd !== undefined && candidates.length === 1,
    `one new socket of protocol ${protocol}, not ${candidates.length}`,
  );
  // Unlike Node's, its descriptor would be inherited by child processes.
  checked(libc.setDescriptorFlags(fd, F_SETFD, "int", FD_CLOEXEC), "fcntl FD_CLOEXEC");
  return { fd, close: () => void close() };
}

function create(family: 4 | 6, protocol: number): RawSocketObject {
  const { AddressFamily, createSocket } = require("raw-socket") as RawSocketModule;
  const addressFamily = family === 4 ? AddressFamily.IPv4 : AddressFamily.IPv6;
  try {
    // Its own buffer is never used: 16 bytes instead of the default 4096.
    return createSocket({ addressFamily, protocol, bufferSize: 16 });
  } catch (error) {
    const text = messageOf(error);
    throw new VrrpSocketError(errnoNameOfText(text), `open a raw socket of protocol ${protocol}`, text, {
      cause: error,
    });
  }
}

/** "<fd> socket:[<inode>]": with the inode a number that is used again counts as new. */
function socketDescriptors(): string[] {
  const entries: string[] = [];
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (target.startsWith("socket:")) entries.push(`${fd} ${target}`);
    } catch {
      // Closed by another thread since the directory was read, or the directory itself.
    }
  }
  return entries;
}

function isRaw(fd: number, protocol: number): boolean {
  const option = (name: number): number => {
    const value = new Uint8Array(4);
    return libc.getsockopt(fd, SOL_SOCKET, name, value, int32(4)) < 0 ? -1 : (value[0] ?? -1);
  };
  return option(SO_TYPE) === SOCK_RAW && option(SO_PROTOCOL) === protocol;
}
