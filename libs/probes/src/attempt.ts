// The frame of every attempt: it ends once, by its first verdict, by time or by the caller's abort, and whatever it opened
// is given back before anybody hears of it.
import { type Micros, micros, microsSince, toMillis } from "@baton/domain";
import { excerptMax, type ProbeFailure, type ProbeObstacle, type ProbeOutcome } from "@baton/health";
import { bootNow, LinuxError } from "@baton/linux";

export const limits = {
  /** setTimeout counts in 31 bits. */
  timeoutMillisMax: 2_147_483_647,
  /** However often a server that sends little by little earns a new step: the whole takes as many steps' time at most. */
  stepsMax: 16,
} as const;

type Success = Omit<Extract<ProbeOutcome, { ok: true }>, "ok" | "durationMicros">;
type Failure = Omit<Extract<ProbeOutcome, { ok: false }>, "ok" | "durationMicros" | "reason">;

/** Of several ends the first counts. */
export interface Attempt {
  succeed(more?: Success): void;
  fail(reason: ProbeFailure, more?: Failure): void;
  /** By a system call's error: the server's fault, or this machine's. */
  failBy(error: unknown, more?: Failure): void;
  /** There is no verdict. */
  block(reason: ProbeObstacle, error?: unknown): void;
  /** The next step has this long; the one before is done. `onTimeout`: instead of failing. */
  allow(step: Micros, onTimeout?: () => void): void;
  /** Run at the end, the last one first. */
  release(action: () => void): void;
  isOver(): boolean;
}

/** `begin` starts what is to be done and returns; an exception of it is a local obstacle, never the caller's. */
export function runAttempt(signal: AbortSignal, begin: (attempt: Attempt) => void): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const startedAt = bootNow();
    const releases: (() => void)[] = [];
    const steps = createSteps();
    let over = false;
    const end = (outcome: ProbeOutcome): void => {
      if (over) return;
      over = true;
      steps.stop();
      signal.removeEventListener("abort", onAbort);
      for (const release of releases.reverse()) release();
      resolve(outcome);
    };
    const duration = (): Micros => micros(Math.max(0, microsSince(bootNow(), startedAt)));
    const attempt: Attempt = {
      succeed: (more = {}) => end({ ok: true, durationMicros: duration(), ...more }),
      fail: (reason, more = {}) => end({ ok: false, durationMicros: duration(), reason, ...more }),
      failBy: (error, more = {}) => {
        const reason = reasonOf(error);
        if (reason === undefined) attempt.block(obstacleOf(error), error);
        else attempt.fail(reason, { errno: errnoOf(error), ...more });
      },
      block: (reason, error) => {
        const errno = errnoOf(error);
        end({
          ok: undefined,
          reason,
          ...(errno === "" ? {} : { errno }),
          ...(error === undefined ? {} : { detail: printable(error instanceof Error ? error.message : String(error)) }),
        });
      },
      allow: (step, onTimeout = () => attempt.fail("timeout")) => {
        if (!over) steps.begin(step, onTimeout);
      },
      release: (action) => (over ? action() : void releases.push(action)),
      isOver: () => over,
    };
    const onAbort = (): void => attempt.block("aborted");
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      begin(attempt);
    } catch (error) {
      attempt.failBy(error);
    }
  });
}

/** One timer, set anew with each step; all steps together have an end too. */
function createSteps() {
  let timer: NodeJS.Timeout | undefined;
  let number = 0;
  let endsAt: number | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    number++;
  };
  const begin = (step: Micros, onTimeout: () => void): void => {
    stop();
    const own = number;
    const now = bootNow();
    endsAt ??= now + step * limits.stepsMax;
    const millis = Math.ceil(toMillis(micros(Math.max(0, Math.min(step, endsAt - now)))));
    // Node runs timers before it reads: one turn of the loop lets in what a late process has not read yet (SAFETY S2).
    const late = (): void => void setImmediate(() => own === number && onTimeout());
    // One more: Node counts from when the turn of the loop began, and would be early by as much.
    timer = setTimeout(late, Math.min(millis + 1, limits.timeoutMillisMax));
  };
  return { begin, stop };
}

const reasons: Readonly<Record<string, ProbeFailure>> = {
  ECONNREFUSED: "refused",
  ENETUNREACH: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  EHOSTDOWN: "unreachable",
  ENONET: "unreachable",
  // What ICMP's "protocol unreachable" and "administratively prohibited" (IPv6) become.
  ENOPROTOOPT: "unreachable",
  EACCES: "unreachable",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "timeout",
};

/** Faults of this machine: no port, no memory, no descriptor, an address that is not here, a firewall of its own. */
const ownFaults = new Set(
  "EADDRNOTAVAIL EADDRINUSE EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EAGAIN EPERM ENODEV EBADF".split(" "),
);

/** undefined: it says nothing of the server. */
function reasonOf(error: unknown): ProbeFailure | undefined {
  // What was set up before anything was sent.
  if (error instanceof LinuxError && !["connect", "send", "recv"].includes(error.call)) return undefined;
  const errno = errnoOf(error);
  if (errno === "" || ownFaults.has(errno)) return undefined;
  return reasons[errno] ?? "error";
}

const obstacleOf = (error: unknown): ProbeObstacle =>
  error instanceof LinuxError && (error.call.startsWith("bind") || error.call.startsWith("mark")) ? "bind" : "socket";

/** "" for what is no error of a system call. */
export function errnoOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : "";
}

/** One line of printable characters: what servers send and programs print is hostile. */
export function printable(text: string): string {
  return text
    .slice(0, 4 * excerptMax)
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim()
    .slice(0, excerptMax)
    .replace(/[\ud800-\udbff]$/, "");
}
