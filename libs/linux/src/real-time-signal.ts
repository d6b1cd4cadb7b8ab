// Signals that Node has no name for. `process.on` refuses real-time signals, and one that nobody handles ends the process.
// They cannot be blocked for a signalfd either: Node empties the signal mask when it starts, and its threads are there
// before any of our code. What remains is what `process.on` itself uses: libuv's handler, which takes any number.
import type { Closable } from "./api.ts";

/** SIGRTMIN of the GNU C library, which keeps the first two for itself; and SIGRTMAX. */
export const realTimeSignals = { first: 34, last: 64 } as const;

/** What `process.binding("signal_wrap")` hands out. */
interface SignalWrap {
  onsignal: (signal: number) => void;
  start(signal: number): number;
  unref(): void;
  close(): void;
}

/** A handle that is collected ends its handler. */
const liveWraps = new Set<SignalWrap>();

/**
 * Calls `handler` in the main loop for each such signal; several that come at once may be one call. Main thread only.
 * Undefined: this Node does not let us, and the signal still ends the process.
 */
export function onRealTimeSignal(signal: number, handler: () => void): Closable | undefined {
  const wrap = createWrap();
  if (wrap === undefined) return undefined;
  wrap.onsignal = () => handler();
  if (wrap.start(signal) !== 0) {
    wrap.close();
    return undefined;
  }
  // As with process.on: a handler keeps no process alive.
  wrap.unref();
  liveWraps.add(wrap);
  return {
    close: () => {
      if (liveWraps.delete(wrap)) wrap.close();
    },
  };
}

function createWrap(): SignalWrap | undefined {
  const inner = process as unknown as { binding?: (name: string) => { Signal?: new () => SignalWrap } };
  const quiet = process.noDeprecation;
  try {
    // DEP0111 is what the comment above is about; it is no news to whoever runs us.
    process.noDeprecation = true;
    const Signal = inner.binding?.("signal_wrap").Signal;
    return Signal === undefined ? undefined : new Signal();
  } catch {
    return undefined;
  } finally {
    process.noDeprecation = quiet ?? false;
  }
}
