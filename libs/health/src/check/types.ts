// The check machine's vocabulary: what a checker is told (CheckInput), what it knows (Checker), what it asks for
// (CheckEffect). Time and chance are arguments, and the deadline is part of the state.
import type { BatonEventOf, Instant, Micros } from "@baton/domain";
import type { ProbeOutcome } from "./outcome.ts";

/** Checkers that try something again and again. */
export const probedTypes = [
  "TCP_CHECK",
  "UDP_CHECK",
  "PING_CHECK",
  "SMTP_CHECK",
  "DNS_CHECK",
  "MISC_CHECK",
  "HTTP_GET",
  "SSL_GET",
] as const;
export type ProbedType = (typeof probedTypes)[number];

/** What the machine needs of a checker's configuration, whatever it is that it tries. */
export interface CheckConfig {
  readonly type: ProbedType;
  /** For events. */
  readonly name: string;
  /** What it tries, and nothing of when: of equal identity is the same check (checkIdentity). */
  readonly identity: string;
  /** Counts as failed until it has succeeded once. */
  readonly alpha: boolean;
  readonly delayLoop: Micros;
  /** The first run comes a second after the start, and a random part of this. */
  readonly warmup: Micros;
  /** Attempts after a failed one before the check has failed. */
  readonly retry: number;
  readonly delayBeforeRetry: Micros;
  readonly logAllFailures: boolean;
  /** HTTP_GET and SSL_GET: how many urls there are, at least one. All others: 1. */
  readonly urls: number;
  /** HTTP_GET and SSL_GET: no waits between successes on the way up. */
  readonly fastRecovery: boolean;
  /** Waits are up to this share shorter, by chance, so that checks do not fall in step: 0 (as keepalived) to below 1. */
  readonly jitter: number;
}

/** A check's part in the weight of its server. */
export type WeightPart =
  /** In place of the configured weight (MISC_CHECK with `misc_dynamic`). */
  | { readonly kind: "instead"; readonly weight: number }
  /** On top of it (FILE_CHECK); may be below zero. */
  | { readonly kind: "added"; readonly weight: number };

/** What decides; the same for all types, so that a reload can carry it over. */
export interface CheckMemory {
  readonly up: boolean;
  /** It has had a result that counts. */
  readonly hasRun: boolean;
  /** Failed attempts in a row that did not decide; at the start already `retry`: the first failure decides at once. */
  readonly attempts: number;
  /** The url that is tried next. */
  readonly url: number;
  /** The url that took the check down, until it has succeeded again. */
  readonly failedUrl: number | undefined;
  readonly weight: WeightPart | undefined;
}

export interface Checker extends CheckMemory {
  readonly config: CheckConfig;
  readonly phase: CheckPhase;
  /** `ha_suspend`: nothing is tried; what is known stands. */
  readonly suspended: boolean;
  /** Number of the last run; 0: none yet. */
  readonly run: number;
  readonly last: LastProbe | undefined;
  /** Failed attempts in a row. */
  readonly failures: number;
  readonly counts: CheckCounts;
}

export type CheckPhase =
  | { readonly kind: "waiting"; readonly dueAt: Instant }
  | { readonly kind: "running"; readonly dueAt: Instant; readonly askedAt: Instant }
  | { readonly kind: "stopped" };

/** The last probe that is over: its age is now less `endedAt`. */
export interface LastProbe {
  readonly outcome: ProbeOutcome;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  /** From when it was due until it began, whoever made it wait. */
  readonly lateness: Micros;
}

export interface CheckCounts {
  /** Finished, those without a verdict included. */
  readonly runs: number;
  readonly failures: number;
  /** Runs without a verdict. */
  readonly obstacles: number;
}

/** `random`: from 0 to below 1, drawn anew for each step. */
export interface CheckMoment {
  readonly now: Instant;
  readonly random: number;
}

export type CheckInput =
  | { readonly type: "deadline-reached" }
  /** Run number `run` is over. */
  | { readonly type: "probed"; readonly run: number; readonly outcome: ProbeOutcome }
  /** The address of its virtual server has left this machine, or has come (`ha_suspend`). */
  | { readonly type: "suspend" }
  | { readonly type: "resume" }
  | { readonly type: "stop" };

/** In the order in which they are to be carried out. */
export type CheckEffect =
  /** `url`: which of them, from 0; 0 where there are none. */
  | { readonly type: "run-probe"; readonly run: number; readonly url: number }
  | { readonly type: "cancel-probe"; readonly run: number }
  /** For the pools that the check decides about. */
  | {
      readonly type: "report";
      readonly up: boolean;
      readonly weight: WeightPart | undefined;
      readonly news: CheckNews;
    }
  | { readonly type: "append-event"; readonly event: CheckEvent };

/**
 * `changed`: it is up now, or down. `confirmed`: its first result is what was supposed before, which is told again where
 * it was a pessimistic supposition or the result is bad. `weight`: its part in the weight alone is another.
 */
export type CheckNews = "changed" | "confirmed" | "weight";

export type CheckEvent = BatonEventOf<"check-failed" | "check-attempt-failed" | "check-succeeded">;

export interface CheckStep {
  readonly state: Checker;
  readonly effects: readonly CheckEffect[];
}
