// A deadline by timerfd in the main loop. Node's own timers round to milliseconds, fire up to 0.9 ms early and count
// CLOCK_MONOTONIC; centisecond advert intervals and S11's lateness need better: the kernel wakes us at the absolute time.
import type { Instant } from "@baton/domain";
import type { DeadlineTimer } from "./api.ts";
import { checked, libc } from "./libc.ts";
import { watchFd } from "./watch-fd.ts";

const CLOCK_BOOTTIME = 7;
const TFD_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
const TFD_TIMER_ABSTIME = 1;

/** `onDeadline` runs once for each armed deadline that came; never for one that was replaced or disarmed before. */
export function openDeadlineTimer(onDeadline: () => void): DeadlineTimer {
  const fd = checked(libc.timerfdCreate(CLOCK_BOOTTIME, TFD_NONBLOCK_CLOEXEC), "timerfd_create");
  const expirations = new Uint8Array(8);
  const setting = new DataView(new ArrayBuffer(32)); // struct itimerspec: interval (none), then value
  let armedAt: Instant | undefined;

  const settingBytes = new Uint8Array(setting.buffer);
  const set = (at: Instant | undefined): void => {
    armedAt = at;
    // A value of zero disarms, so a deadline at or before the start of the machine is its first microsecond.
    const micros = at === undefined ? 0 : Math.max(at, 1);
    setting.setBigInt64(16, BigInt(Math.floor(micros / 1_000_000)), true);
    setting.setBigInt64(24, BigInt((micros % 1_000_000) * 1_000), true);
    checked(libc.timerfdSettime(fd, TFD_TIMER_ABSTIME, settingBytes, null), "timerfd_settime");
  };
  const drain = (): boolean => {
    // The read fails with EAGAIN when the deadline was replaced between its expiry and this turn: then it never was.
    if (libc.read(fd, expirations, 8) === 8) {
      armedAt = undefined;
      onDeadline();
    }
    return false;
  };
  const watch = watchFd(fd, drain);
  return {
    arm: (at) => {
      // Most steps leave the deadline where it was: no system call then.
      if (!watch.isClosed() && at !== armedAt) set(at);
    },
    close: () => watch.close(),
  };
}
