// Reads datagrams with the time at which the kernel received them, and what else it says beside them. A process that was
// stopped for a second finds its datagrams waiting: what decides is when they came, not when they are read (SAFETY S2).
import { type Instant, type IpAddress, instant } from "@baton/domain";
import { bootNow, wallMicros } from "./clock.ts";
import { ipFromBytes } from "./ip-bytes.ts";
import { addressOf, checked, errnos, errorOf, int32, lastErrno, libc } from "./libc.ts";

const SOL_SOCKET = 1;
const SO_TIMESTAMPNS = 35; // <asm-generic/socket.h>, also the type of the control message
const MSG_DONTWAIT = 0x40;
const SOL_IP = 0;
const IP_TTL = 2;
const IP_PKTINFO = 8;
const SOL_IPV6 = 41;
const IPV6_PKTINFO = 50;
const IPV6_HOPLIMIT = 52;
const MSG_TRUNC = 0x20;
// Where struct msghdr has them; the lengths say what a buffer holds before the call, and what was used of it after. They and
// what control messages say of themselves have 8 octets, of which the lower 4 say it all: a BigInt for each packet is dear.
const NAME_LENGTH = 8;
const CONTROL_LENGTH = 40;
const FLAGS = 48;
const CMSG_DATA = 16; // after struct cmsghdr: length (8), level (4), type (4)
const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly receivedAt: Instant;
  /** It was longer than the buffer. */
  readonly truncated: boolean;
  /** The sender, without its zone. */
  readonly source: IpAddress | undefined;
  /** Where the socket asks for it (IP_PKTINFO, IPV6_RECVPKTINFO). */
  readonly destination: IpAddress | undefined;
  /** Where the socket asks for it (IP_RECVTTL, IPV6_RECVHOPLIMIT). */
  readonly hopLimit: number | undefined;
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
        memory.header.setUint32(NAME_LENGTH, SOCKADDR_IN6_BYTES, true);
        memory.header.setUint32(CONTROL_LENGTH, memory.control.byteLength, true);
        const length = libc.recvmsg(fd, memory.headerBytes, MSG_DONTWAIT);
        if (length < 0) {
          const errno = lastErrno();
          if (errno !== errnos.eagain) throw errorOf(errno, "recvmsg");
          emptyAt = now;
          break;
        }
        const { stamp, destination, hopLimit } = readControl(memory);
        const at = stamp === undefined ? now : Math.min(Math.max(stamp + bootMinusWall, emptyAt), now);
        datagrams.push({
          bytes: memory.data.slice(0, length),
          receivedAt: instant(Math.floor(at)),
          truncated: (memory.header.getInt32(FLAGS, true) & MSG_TRUNC) !== 0,
          source: senderOf(memory),
          destination,
          hopLimit,
        });
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
  readonly name: Uint8Array;
  readonly control: DataView;
}

/** struct msghdr of 64-bit machines, pointing to the sender's address, one iovec and the control buffer. */
function layOut(bufferBytes: number): ReceiveMemory {
  const data = new Uint8Array(bufferBytes);
  const name = new Uint8Array(SOCKADDR_IN6_BYTES);
  const control = new Uint8Array(128);
  const iovec = new Uint8Array(16);
  const iovecView = new DataView(iovec.buffer);
  iovecView.setBigUint64(0, addressOf(data), true);
  iovecView.setBigUint64(8, BigInt(data.length), true);
  const headerBytes = new Uint8Array(56);
  const header = new DataView(headerBytes.buffer);
  header.setBigUint64(0, addressOf(name), true);
  header.setBigUint64(16, addressOf(iovec), true);
  header.setBigUint64(24, 1n, true);
  header.setBigUint64(32, addressOf(control), true);
  return { header, headerBytes, iovec, data, name, control: new DataView(control.buffer) };
}

/** struct sockaddr_in6, unless the kernel wrote the shorter one of IPv4. */
function senderOf({ header, name }: ReceiveMemory): IpAddress | undefined {
  const length = header.getUint32(NAME_LENGTH, true);
  if (length === SOCKADDR_IN6_BYTES) return ipFromBytes(name, 8, 16);
  return length === SOCKADDR_IN_BYTES ? ipFromBytes(name, 4, 4) : undefined;
}

interface Control {
  /** Wall-clock microseconds. */
  stamp: number | undefined;
  destination: IpAddress | undefined;
  hopLimit: number | undefined;
}

/** The control messages that were asked for; each begins on the next multiple of eight. */
function readControl({ header, control }: ReceiveMemory): Control {
  const found: Control = { stamp: undefined, destination: undefined, hopLimit: undefined };
  const used = header.getUint32(CONTROL_LENGTH, true);
  for (let at = 0; at + CMSG_DATA <= used; ) {
    const length = control.getUint32(at, true);
    const [level, type] = [control.getInt32(at + 8, true), control.getInt32(at + 12, true)];
    const data = at + CMSG_DATA;
    if (level === SOL_SOCKET && type === SO_TIMESTAMPNS && length >= CMSG_DATA + 16) {
      const seconds = control.getUint32(data, true) + control.getInt32(data + 4, true) * 2 ** 32;
      found.stamp = seconds * 1_000_000 + control.getUint32(data + 8, true) / 1_000;
    } else if (level === SOL_IPV6 && type === IPV6_PKTINFO && length >= CMSG_DATA + 16) {
      found.destination = ipFromBytes(new Uint8Array(control.buffer), data, 16);
    } else if (level === SOL_IP && type === IP_PKTINFO && length >= CMSG_DATA + 12) {
      // struct in_pktinfo: interface, our address, the packet's destination.
      found.destination = ipFromBytes(new Uint8Array(control.buffer), data + 8, 4);
    } else if (level === SOL_IP && type === IP_TTL && length >= CMSG_DATA + 4) {
      found.hopLimit = control.getInt32(data, true);
    } else if (level === SOL_IPV6 && type === IPV6_HOPLIMIT && length >= CMSG_DATA + 4) {
      found.hopLimit = control.getInt32(data, true);
    }
    at += Math.max(Math.ceil(length / 8) * 8, CMSG_DATA);
  }
  return found;
}
