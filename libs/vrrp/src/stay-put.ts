// A virtual server's quorum as an input of the election: when a change of it counts. Every router checks the same servers,
// each at moments of its own: when all of them die, one finds out after the other, and whoever lowered its priority first
// would lose its addresses to one that is as badly off. So what keeps the mastership where it is counts at once (a master
// that is better, a backup that is worse), and what may move it only when it has lasted for so long that everybody else must
// have found the same (the hold). Where one router alone has lost its servers it gives way after the hold. Pure.
import { addMicros, type Instant, type Micros } from "@baton/domain";

export type Verdict = "up" | "down";

/** One tracked quorum of one instance. */
export interface StayPut {
  /** What its priority counts. Undefined: nothing yet, and what was known before a crash stands. */
  readonly counted: Verdict | undefined;
  /** Another verdict, not counted yet, and since when it has lasted. */
  readonly pending: { readonly verdict: Verdict; readonly since: Instant } | undefined;
}

export interface QuorumFacts {
  /** What health said last; undefined: nothing yet. */
  readonly reported: Verdict | undefined;
  /** The instance is master, or listens as one (SAFETY S5). */
  readonly inOffice: boolean;
  /** Nobody confirms what was reported (SAFETY S15): it stands, and nothing moves by it. */
  readonly stale: boolean;
  readonly hold: Micros;
}

/**
 * Before anything was reported. Whoever starts may have come into a bad time that its checks do not know of yet: it counts
 * as worse until it has been well for a hold, or is master. Whoever resumes goes on as it was. Whoever runs and tracks
 * something new loses nothing by it: it is as well as it was.
 */
export const startStayPut = (as: "starting" | "resuming" | "running", weight: number): StayPut => ({
  counted: as === "resuming" ? undefined : as === "starting" || weight > 0 ? "down" : "up",
  pending: undefined,
});

/** The same object where nothing has changed. */
export function weighQuorum(before: StayPut, facts: QuorumFacts, now: Instant): StayPut {
  const { reported, inOffice, stale, hold } = facts;
  if (reported === undefined || reported === before.counted)
    return before.pending === undefined ? before : { ...before, pending: undefined };
  if (reported === (inOffice ? "up" : "down")) return { counted: reported, pending: undefined };
  // What came unheard of while nobody confirmed it is not known: the hold begins anew.
  const since = stale || before.pending?.verdict !== reported ? now : before.pending.since;
  if (!stale && now >= addMicros(since, hold)) return { counted: reported, pending: undefined };
  const isSame = before.pending?.verdict === reported && before.pending.since === since;
  return isSame ? before : { ...before, pending: { verdict: reported, since } };
}

/** This process did not run for so long, and may not have heard what others said (SAFETY S2). */
export const excuseStayPut = (before: StayPut, duration: Micros): StayPut =>
  before.pending === undefined
    ? before
    : { ...before, pending: { ...before.pending, since: addMicros(before.pending.since, duration) } };
