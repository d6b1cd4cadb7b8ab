// Reads datagrams with the time at which the kernel received them. A process that was stopped for a second finds its
// datagrams waiting: what decides is when they came, not when they are read (SAFETY S2).
import { type Instant, instant } from "@baton/domain";
import { bootNow, wallMicros } from "./clock.ts";
import { addressOf, checked, errnos, errorOf, int32, lastErrno, libc } from "./libc.ts";

const SOL_SOCKET = 1;
const SO_TIMESTAMPNS = 35; // <asm-generic/socket.h>, also the type of the control message
const MSG_DONTWAIT = 0x40;
/** Where msg_controllen is: what the buffer holds before the call, what the kernel used of it after. */
const CONTROL_LENGTH = 40;
const CMSG_DATA = 16; // after struct cmsghdr: length (8), level (4), type (4)

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly receivedAt: Instant;
}

export interface ReceiveQueue {
  /** Everything that waits, oldest first, at most `max`. */
  drain(max: number): Datagram[];
}

/** `fd` stays the caller's. `bufferBytes`: what is longer comes truncated. */
export function openReceiveQueue(fd: number, bufferBytes: number): ReceiveQueue {
  checked(libc.setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, int32(1), 4), "setsockopt SO_TIMESTAMPNS");
  const memory = layOut(bufferBytes);
  // The queue was empty then, so whatever is read later came later: a bound that no step of the wall clock can move.
  let emptyAt = bootNow();

  return {
    drain(max) {
      const datagrams: Datagram[] = [];
      const now = bootNow();
      const bootMinusWall = now - wallMicros();
      while (datagrams.length < max) {
        memory.header.setBigUint64(CONTROL_LENGTH, BigInt(memory.control.byteLength), true);
        const length = libc.recvmsg(fd, memory.headerBytes, MSG_DONTWAIT);
        if (length < 0) {
          const errno = lastErrno();
          if (errno !== errnos.eagain) throw errorOf(errno, "recvmsg");
          emptyAt = now;
          break;
        }
        const stamp = kernelStamp(memory);
        const at = stamp === undefined ? now : Math.min(Math.max(stamp + bootMinusWall, emptyAt), now);
        datagrams.push({ bytes: memory.data.slice(0, length), receivedAt: instant(Math.floor(at)) });
      }
      return datagrams;
    },
  };
}

/** One object, so that what the kernel reaches through pointers lives as long as what points to it. */
interface ReceiveMemory {
  readonly header: DataView;
  readonly headerBytes: Uint8Array;
  readonly iovec: Uint8Array;
  readonly data: Uint8Array;
  readonly control: DataView;
}

/** struct msghdr of 64-bit machines, pointing to one iovec and the control buffer. */
function layOut(bufferBytes: number): ReceiveMemory {
  const data = new Uint8Array(bufferBytes);
  const control = new Uint8Array(64);
  const iovec = new Uint8Array(16);
  const iovecView = new DataView(iovec.buffer);
  iovecView.setBigUint64(0, addressOf(data), true);
  iovecView.setBigUint64(8, BigInt(data.length), true);
  const headerBytes = new Uint8Array(56);
  const header = new DataView(headerBytes.buffer);
  header.setBigUint64(16, addressOf(iovec), true);
  header.setBigUint64(24, 1n, true);
  header.setBigUint64(32, addressOf(control), true);
  return { header, headerBytes, iovec, data, control: new DataView(control.buffer) };
}

/** Wall-clock microseconds of the stamp, the only control message that was asked for. */
function kernelStamp({ header, control }: ReceiveMemory): number | undefined {
  const used = Number(header.getBigUint64(CONTROL_LENGTH, true));
  if (used < CMSG_DATA + 16 || control.getInt32(12, true) !== SO_TIMESTAMPNS) return undefined;
  const seconds = Number(control.getBigInt64(CMSG_DATA, true));
  return seconds * 1_000_000 + Number(control.getBigInt64(CMSG_DATA + 8, true)) / 1_000;
}
