// Two uses of a netlink socket, kept apart so that events never come between a request and its answer:
// a client that asks and waits (the kernel answers within the send, so the wait is none), and a watch on groups.
import type { ChangeResult, Closable } from "./api.ts";
import { LinuxError } from "./error.ts";
import { checked, checkedOrClose, errnoName, errnos, errorOf, int32, lastErrno, libc } from "./libc.ts";
import { limits } from "./limits.ts";
import {
  encodeRequests,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  readError,
  splitMessages,
} from "./netlink-message.ts";
import { attachProgram } from "./packet-program.ts";
import { watchFd } from "./watch-fd.ts";

export const NETLINK_ROUTE = 0;
export const NETLINK_CONNECTOR = 11;
export const NETLINK_NETFILTER = 12;

const AF_NETLINK = 16;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_DONTWAIT = 0x40;

/** The kernel fills at most 32 KiB a message of a dump; several fit. Shared: a receive is decoded before the next. */
const received = new Uint8Array(256 * 1024);

export interface NetlinkReply {
  /** 0: done. */
  readonly errno: number;
  readonly text: string | undefined;
}

export interface NetlinkClient extends Closable {
  /** A result for each, in order; in sends of `limits.changesPerSend`. Throws LinuxError when the answers were lost. */
  change(requests: readonly NetlinkRequest[]): ChangeResult[];
  /**
   * One transaction of nfnetlink: all or nothing. The first error, or errno 0. Throws LinuxError when the answer was lost.
   */
  transactBatch(subsystem: number, requests: readonly NetlinkRequest[]): NetlinkReply;
  /** One question; what its answer decodes to, or undefined. Throws LinuxError when the kernel refuses. */
  ask<T>(request: NetlinkRequest, decode: (message: NetlinkMessage) => T | undefined): T | undefined;
  /** One consistent dump, decoded message by message; what decodes to undefined is left out. */
  dump<T>(type: number, body: Uint8Array, decode: (message: NetlinkMessage) => T | undefined): T[];
  /** As `dump`, but only once, and as the kernel hands it out: until the last part nothing else may be asked. */
  dumpInParts<T>(type: number, body: Uint8Array, decode: (message: NetlinkMessage) => T | undefined): Iterable<T[]>;
}

/** `strict`: what the body of a dump says is a filter (NETLINK_GET_STRICT_CHK). */
export function openNetlinkClient(protocol: number, options: { readonly strict?: boolean } = {}): NetlinkClient {
  const fd = openSocket(protocol, 0);
  if (options.strict === true) {
    checkedOrClose(libc.setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, int32(1), 4), "setsockopt strict", fd);
  }
  // A second is for ever here; without it a lost answer would stop the process.
  const second = new Uint8Array(16);
  second[0] = 1;
  checkedOrClose(libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, second, 16), "setsockopt SO_RCVTIMEO", fd);
  let nextSequence = 1;
  let closed = false;

  const sendRequests = (requests: readonly NetlinkRequest[]): number => {
    if (closed) throw new LinuxError("EBADF", "netlink request", "the socket is closed");
    const first = nextSequence;
    nextSequence = first + requests.length > 0x7fffffff ? 1 : first + requests.length;
    const bytes = encodeRequests(requests, first);
    checked(libc.send(fd, bytes, bytes.length, 0), "netlink send");
    return first;
  };
  return {
    change: (requests) => {
      const results: ChangeResult[] = [];
      for (let start = 0; start < requests.length; start += limits.changesPerSend) {
        const sent = requests.slice(start, start + limits.changesPerSend);
        const last = sent.length - 1;
        // Errors always come; the ack of the last one says that all before it are through (SAFETY S17).
        const acked = sent.map((item, index) => (index === last ? { ...item, flags: item.flags | NLM_F_ACK } : item));
        for (const reply of receiveReplies(fd, sendRequests(acked), sent.length, last)) results.push(resultOf(reply));
      }
      return results;
    },
    transactBatch: (subsystem, requests) => {
      const last = requests.length;
      // The end of a batch is not acknowledged before kernel 6.10, so the ack is asked of the last request in it.
      const acked = requests.map((item, index) =>
        index === last - 1 ? { ...item, flags: item.flags | NLM_F_ACK } : item,
      );
      const batch = [batchMark(NFNL_MSG_BATCH_BEGIN, subsystem), ...acked, batchMark(NFNL_MSG_BATCH_END, subsystem)];
      const replies = receiveReplies(fd, sendRequests(batch), batch.length, last);
      return replies.find((reply) => reply.errno !== 0) ?? { errno: 0, text: undefined };
    },
    ask: (request, decode) => {
      const sequence = sendRequests([{ ...request, flags: request.flags | NLM_F_ACK }]);
      return receiveItems(fd, sequence, decode).items.at(0);
    },
    dump: (type, body, decode) => {
      for (let attempt = 1; ; attempt++) {
        const sequence = sendRequests([{ type, flags: NLM_F_DUMP, body }]);
        const { items, interrupted } = receiveItems(fd, sequence, decode);
        // The table changed meanwhile: entries may be missing. A table that never rests is believed at last: its
        // watchers will be told of the changes.
        if (!interrupted || attempt === limits.dumpAttempts) return items;
      }
    },
    *dumpInParts(type, body, decode) {
      const sequence = sendRequests([{ type, flags: NLM_F_DUMP, body }]);
      for (let isOver = false; !isOver; ) {
        const part = receivePart(fd, sequence, decode);
        isOver = part.isOver;
        yield part.items;
      }
    },
    close: () => {
      if (!closed) libc.close(fd);
      closed = true;
    },
  };
}

export interface NetlinkWatch extends Closable {
  /** For what does not begin by itself with the membership of a group. Throws LinuxError. */
  send(request: NetlinkRequest): void;
  /** Takes in what waits, now. */
  drain(): void;
}

/**
 * `onMessages` gets what one drain brought, decoded, in order; `onGap` follows when some were lost.
 * Neither is called by the other: a gap's handler may dump and compare. `filter`: a program that passes what is to come.
 */
export function openNetlinkWatch<T>(
  protocol: number,
  groups: number,
  decode: (message: NetlinkMessage) => T | undefined,
  onMessages: (messages: T[]) => void,
  onGap: () => void,
  filter?: Uint8Array,
): NetlinkWatch {
  const fd = openSocket(protocol, groups);
  if (filter !== undefined) checkedOrClose(attachProgram(fd, filter), "setsockopt SO_ATTACH_FILTER", fd);
  const drain = (): boolean => {
    const messages: T[] = [];
    const lost = !watch.isClosed() && receiveEvents(fd, decode, messages);
    if (messages.length > 0) onMessages(messages);
    return lost;
  };
  const watch = watchFd(fd, drain, onGap);
  return {
    send: (request) => {
      const bytes = encodeRequests([request], 1);
      checked(libc.send(fd, bytes, bytes.length, 0), "netlink send");
    },
    drain: () => {
      if (drain() && !watch.isClosed()) onGap();
    },
    close: () => watch.close(),
  };
}

/** `groups`: bits of the first 32 groups. */
function openSocket(protocol: number, groups: number): number {
  const fd = checked(libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol), "socket AF_NETLINK");
  const set = (level: number, option: number, value: number): void =>
    void checkedOrClose(libc.setsockopt(fd, level, option, int32(value), 4), `setsockopt ${level}/${option}`, fd);
  set(SOL_NETLINK, NETLINK_EXT_ACK, 1);
  set(SOL_NETLINK, NETLINK_CAP_ACK, 1);
  set(SOL_SOCKET, SO_RCVBUFFORCE, limits.netlinkBufferBytes);
  const address = new Uint8Array(12); // struct sockaddr_nl; port 0: the kernel chooses
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, groups, true);
  checkedOrClose(libc.bind(fd, address, address.length), "bind AF_NETLINK", fd);
  return fd;
}

function receive(fd: number, flags: number): NetlinkMessage[] {
  const length = libc.recv(fd, received, received.length, flags);
  if (length < 0) throw errorOf(lastErrno() === errnos.eagain ? errnos.etimedout : lastErrno(), "netlink receive");
  return splitMessages(received.subarray(0, length));
}

/**
 * Reads until request `last` is answered. An error of the first ends it too when others follow it: then the kernel
 * refused the batch as a whole (no permission, or its commit failed), and nothing else is said of it for certain.
 */
function receiveReplies(fd: number, first: number, count: number, last: number): NetlinkReply[] {
  const replies: NetlinkReply[] = Array.from({ length: count }, () => ({ errno: 0, text: undefined }));
  for (;;) {
    for (const message of receive(fd, 0)) {
      const index = message.sequence - first;
      // Answers to an earlier request, given up on, may still come.
      if (message.type !== NLMSG_ERROR || index < 0 || index >= count) continue;
      replies[index] = readError(message);
      if (index === last || (index === 0 && last < count - 1)) return replies;
    }
  }
}

/** struct nfgenmsg of no family; the subsystem is in network order. */
const batchMark = (type: number, subsystem: number): NetlinkRequest => ({
  type,
  flags: 0,
  body: Uint8Array.of(0, 0, subsystem >> 8, subsystem & 0xff),
});

/** Reads what a dump or a question brings, up to its end or acknowledgement. */
function receiveItems<T>(fd: number, sequence: number, decode: (message: NetlinkMessage) => T | undefined) {
  const items: T[] = [];
  for (let interrupted = false; ; ) {
    const part = receivePart(fd, sequence, decode);
    for (const item of part.items) items.push(item);
    interrupted ||= part.interrupted;
    if (part.isOver) return { items, interrupted };
  }
}

/** What one receive brings of it. */
function receivePart<T>(fd: number, sequence: number, decode: (message: NetlinkMessage) => T | undefined) {
  const items: T[] = [];
  let interrupted = false;
  for (const message of receive(fd, 0)) {
    if (message.sequence !== sequence) continue;
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
    if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
      const { errno, text } = readError(message);
      if (errno !== 0) throw errorOf(errno, "netlink request", text);
      return { items, interrupted, isOver: true };
    }
    const item = decode(message);
    if (item !== undefined) items.push(item);
  }
  return { items, interrupted, isOver: false };
}

/** Reads until nothing waits; true when the kernel dropped events. The surviving ones come after that error. */
function receiveEvents<T>(fd: number, decode: (message: NetlinkMessage) => T | undefined, into: T[]): boolean {
  let lost = false;
  for (;;) {
    const length = libc.recv(fd, received, received.length, MSG_DONTWAIT);
    if (length < 0) {
      const errno = lastErrno();
      if (errno === errnos.eagain) return lost;
      if (errno !== errnos.enobufs) throw errorOf(errno, "netlink receive");
      lost = true;
      continue;
    }
    for (const message of splitMessages(received.subarray(0, length))) {
      const item = decode(message);
      if (item !== undefined) into.push(item);
    }
  }
}

const resultOf = ({ errno, text }: NetlinkReply): ChangeResult =>
  errno === 0 ? { ok: true } : { ok: false, code: errnoName(errno), message: text ?? libc.strerror(errno) };
