// Adverts that concern nobody here, read at leisure: worth a counter and now and then an event, but never worth the time
// of those that do concern somebody. It has a buffer of its own, which may overflow, and says once that something waits.

import { attachFilter, bindToPlace, countMissed, failure, toAdvertDatagram } from "./advert-place.ts";
import type { StrangerSocket, StrangerSocketOptions, StrangersRead } from "./api.ts";
import { LinuxError } from "./error.ts";
import { libc } from "./libc.ts";
import { limits } from "./limits.ts";
import { openReceiveQueue } from "./receive-queue.ts";
import { AF_INET, AF_INET6 } from "./socket-address.ts";
import { watchFd } from "./watch-fd.ts";

const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;

const nothing: StrangersRead = { datagrams: [], missed: 0, more: false };

/** Throws VrrpSocketError, as `openAdvertSocket` does. */
export function openStrangerSocket(options: StrangerSocketOptions): StrangerSocket {
  const { family, protocol, expected } = options;
  const fd = libc.socket(family === 4 ? AF_INET : AF_INET6, SOCK_RAW_CLOEXEC_NONBLOCK, protocol);
  if (fd < 0) throw failure(`open a raw socket of protocol ${protocol}`);
  try {
    attachFilter(fd, options, expected, "others");
    bindToPlace(fd, options, limits.strangerBufferBytes);
    return listen(fd, options);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function listen(fd: number, options: StrangerSocketOptions): StrangerSocket {
  const queue = openReceiveQueue(fd, limits.datagramBytes);
  const missed = countMissed(fd);
  const purge = (): void => void queue.drain(limits.datagramsPerDrain);
  purge(); // what came before the socket was bound
  missed();
  const wake = (): boolean => {
    watch.pause();
    options.onWaiting();
    return false;
  };
  const watch = watchFd(fd, wake);
  return {
    read: (max) => {
      if (watch.isClosed()) return nothing;
      try {
        const read = queue.drain(max);
        const more = read.length === max;
        if (!more) watch.resume();
        return { datagrams: read.flatMap((each) => toAdvertDatagram(each, options)), missed: missed(), more };
      } catch (error) {
        if (!(error instanceof LinuxError)) throw error;
        watch.close();
        options.onError(error);
        return nothing;
      }
    },
    expect: (expected) => {
      if (watch.isClosed()) return;
      attachFilter(fd, options, expected, "others");
      purge();
    },
    close: watch.close,
  };
}
