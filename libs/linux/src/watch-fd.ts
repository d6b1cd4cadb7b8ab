// Any descriptor in the main loop of this thread (a worker's too), by koffi.node.poll: uv_poll, which koffi does not
// document. The three things that go wrong with it are handled here and nowhere else:
// - a handle that nobody references is collected and falls silent: live ones are kept in a set;
// - an error condition (ENOBUFS, ENETDOWN) comes as a negative status, after which libuv has stopped watching: start again;
// - its callback gets (status, events), whatever its type declaration says.
import koffi from "koffi";
import type { Closable } from "./api.ts";
import { libc } from "./libc.ts";

type PollCallback = (status: number, events: unknown) => void;
interface PollHandle {
  start(options: { readable: true }, callback: PollCallback): void;
  stop(): void;
  close(): void;
}
const poll = koffi.node.poll as unknown as (
  fd: number,
  options: { readable: true },
  callback: PollCallback,
) => PollHandle;

const liveHandles = new Set<PollHandle>();

export interface WatchedFd extends Closable {
  isClosed(): boolean;
  /** What there is to read may wait, without a call in each turn of the loop. */
  pause(): void;
  resume(): void;
}

/**
 * Calls `drain` when there is something to read: it reads until EAGAIN and returns true if the kernel said that events
 * were lost. `onGap` follows then, or when the descriptor had an error: dump again before anything is believed.
 * Closing closes the descriptor too, once, by `close`; nothing is called any more then.
 */
export function watchFd(
  fd: number,
  drain: () => boolean,
  onGap: () => void = () => undefined,
  close: (fd: number) => void = libc.close,
): WatchedFd {
  let paused = false;
  const onReadable: PollCallback = (status) => {
    const lost = drain();
    // drain may have closed us: then there is nothing to start again and nobody to tell.
    if (!liveHandles.has(handle)) return;
    if (status < 0 && !paused) handle.start({ readable: true }, onReadable);
    if (status < 0 || lost) onGap();
  };
  const handle = poll(fd, { readable: true }, onReadable);
  liveHandles.add(handle);
  return {
    isClosed: () => !liveHandles.has(handle),
    pause: () => {
      if (paused || !liveHandles.has(handle)) return;
      paused = true;
      handle.stop();
    },
    resume: () => {
      if (!paused || !liveHandles.has(handle)) return;
      paused = false;
      handle.start({ readable: true }, onReadable);
    },
    close: () => {
      if (!liveHandles.delete(handle)) return;
      handle.stop();
      handle.close();
      close(fd);
    },
  };
}
