// What one attempt of a checker came to. Whoever probes fills it in and decides nothing: how often a check may fail, and
// when it is tried again, is the check machine's business.
import type { Micros } from "@baton/domain";

/** Why an attempt failed. Closed: events, metrics and sentences name every one of them. */
export const probeFailures = [
  /** ECONNREFUSED: a reset to our SYN, or ICMP's port unreachable. */
  "refused",
  /** No way there: network, host or protocol unreachable, prohibited. */
  "unreachable",
  /** The time for the connection, or for a step after it, is over. */
  "timeout",
  /** The connection was reset after it was made. */
  "reset",
  /** The server closed before it had answered, or answered nothing. */
  "closed",
  /** HTTP: a status that is not among those wanted; `status` is it. */
  "wrong-status",
  /** HTTP: the MD5 of the body is another one. */
  "wrong-digest",
  /** HTTP: the body does not match, or matches although it must not. */
  "no-match",
  /** An answer that is none, or not the wanted one (SMTP's code, DNS's rcode, UDP's pattern, HTTP without a status). */
  "wrong-reply",
  /** The TLS handshake failed, or TLS ended against its rules. */
  "tls",
  /** MISC: the program ended with `status`. */
  "exit-status",
  /** MISC: the program was ended by a signal, which `detail` names. */
  "signal",
  /** Any other error of a system call; `errno` is it. */
  "error",
] as const;
export type ProbeFailure = (typeof probeFailures)[number];

/** Why there was no attempt at all: faults of this machine, which say nothing of the server. */
export const probeObstacles = ["socket", "bind", "spawn", "aborted"] as const;
export type ProbeObstacle = (typeof probeObstacles)[number];

/** Characters of an excerpt or a detail, at most. */
export const excerptMax = 200;

export type ProbeOutcome =
  | {
      readonly ok: true;
      readonly durationMicros: Micros;
      /** MISC with `misc_dynamic`: the server's weight from its exit status; undefined: the configured one. */
      readonly weight?: number;
      readonly detail?: string;
    }
  | {
      readonly ok: false;
      readonly durationMicros: Micros;
      readonly reason: ProbeFailure;
      /** Its name, as `ECONNREFUSED`. */
      readonly errno?: string;
      /** Of HTTP, of SMTP, DNS's rcode, or of a program. */
      readonly status?: number;
      /** What the server sent, or the program printed: printable, one line, at most `excerptMax` characters. */
      readonly excerpt?: string;
      readonly detail?: string;
    }
  | {
      /** No verdict. */
      readonly ok: undefined;
      readonly reason: ProbeObstacle;
      readonly errno?: string;
      readonly detail?: string;
    };
