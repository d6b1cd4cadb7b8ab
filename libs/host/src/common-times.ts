// What recurs and need not be exact happens at points in time that all processes of the machine have in common: whoever
// tells and whoever is told wake up together, once. A sleeping Node process costs half a millisecond to wake, whatever it
// wakes for, and eight of them tell each other that they are well.

/** CLOCK_MONOTONIC, which all processes read alike, in milliseconds. */
const monotonicMillis = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

/** Milliseconds until the next common point, `every` so many milliseconds; one that is nearly there counts as passed. */
export function untilCommon(every: number): number {
  const now = monotonicMillis();
  const wait = every - (now % every);
  // Node's timers fire up to a millisecond early.
  return wait < 5 ? wait + every : wait;
}

/** Like `setInterval`, at the common points; keeps no process alive. */
export function atCommonTimes(every: number, act: () => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    timer = setTimeout(() => {
      wait();
      act();
    }, untilCommon(every));
    timer.unref();
  };
  wait();
  return { close: () => clearTimeout(timer) };
}
