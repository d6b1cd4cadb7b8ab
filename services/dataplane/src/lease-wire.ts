// The lease protocol between its messages (proto/baton/v1/lease.proto) and the core's own words: the only place that
// knows both. What makes no sense is a reason, not a guess.
import {
  ClaimState as ClaimStateOnWire,
  type LeaseClaim,
  type LeaseFrame,
  type LeaseRecord,
  type LeaseStatus,
  LeaseStanding as StandingOnWire,
} from "@baton/contracts";
import { type CauseRef, instant, micros, term } from "@baton/domain";
import type { Claim, ClaimState, Frame, KnownLease, LeaseStanding, Standing } from "./types.ts";

export type DecodedFrame =
  | { readonly ok: true; readonly frame: Frame }
  | { readonly ok: false; readonly reason: string };

const claimStates: ReadonlyMap<string, ClaimState> = new Map([
  [ClaimStateOnWire.HOLD, "hold"],
  [ClaimStateOnWire.SILENT, "silent"],
  [ClaimStateOnWire.LEAVING, "leaving"],
  [ClaimStateOnWire.RELEASE, "release"],
]);

const claimStatesOnWire: Record<ClaimState, LeaseClaim["state"]> = {
  hold: ClaimStateOnWire.HOLD,
  silent: ClaimStateOnWire.SILENT,
  leaving: ClaimStateOnWire.LEAVING,
  release: ClaimStateOnWire.RELEASE,
};

const standingsOnWire: Record<Standing, LeaseStatus["standing"]> = {
  applying: StandingOnWire.APPLYING,
  held: StandingOnWire.HELD,
  failed: StandingOnWire.FAILED,
  released: StandingOnWire.RELEASED,
  refused: StandingOnWire.REFUSED,
};

export function frameFromWire(wire: LeaseFrame): DecodedFrame {
  const claims: Claim[] = [];
  const seen = new Set<string>();
  for (const claim of wire.claims) {
    const state = claimStates.get(claim.state);
    if (claim.lease === "") return { ok: false, reason: "a claim names no lease" };
    if (seen.has(claim.lease)) return { ok: false, reason: `lease ${claim.lease} is claimed twice` };
    if (state === undefined) return { ok: false, reason: `lease ${claim.lease} has no known state: ${claim.state}` };
    if (claim.lengthMicros <= 0 && state !== "release")
      return { ok: false, reason: `lease ${claim.lease} has no length` };
    seen.add(claim.lease);
    claims.push(claimFromWire(claim, state));
  }
  const { sequence, configGeneration, partial } = wire;
  const forgotten = [...wire.forgotten];
  const adverts = wire.adverts.map(({ lease, ...memory }) => ({ lease, memory }));
  const sentAt = instant(wire.sentAt);
  return { ok: true, frame: { sequence, sentAt, configGeneration, claims, partial, forgotten, adverts } };
}

const claimFromWire = (wire: LeaseClaim, state: ClaimState): Claim => ({
  lease: wire.lease,
  term: term(wire.term),
  state,
  length: micros(wire.lengthMicros),
  instances: [...wire.instances],
  announce: wire.announce,
  announceReason: wire.announceReason,
  successorHeard: wire.successorHeard,
  cause: causeFromWire(wire),
  memory: {
    priority: wire.priority,
    lastAdvertAt: wire.lastAdvertAt,
    peerHeardAt: wire.peerHeardAt,
    authCounter: wire.authCounter,
  },
});

const causeFromWire = ({ eventId, correlationId, traceparent }: LeaseClaim): CauseRef | undefined =>
  eventId === ""
    ? undefined
    : {
        id: eventId,
        correlationId: correlationId === "" ? eventId : correlationId,
        traceparent: traceparent === "" ? undefined : traceparent,
      };

export const claimToWire = (claim: Claim): LeaseClaim => ({
  lease: claim.lease,
  term: claim.term,
  state: claimStatesOnWire[claim.state],
  lengthMicros: claim.length,
  instances: [...claim.instances],
  announce: claim.announce,
  announceReason: claim.announceReason,
  successorHeard: claim.successorHeard,
  eventId: claim.cause?.id ?? "",
  correlationId: claim.cause?.correlationId ?? "",
  traceparent: claim.cause?.traceparent ?? "",
  ...claim.memory,
});

export const recordToWire = (known: KnownLease): LeaseRecord => ({
  lease: known.lease,
  highestTerm: known.highestTerm,
  live: known.live,
  expiresAt: known.expiresAt,
  lastClaim: claimToWire(known.lastClaim),
});

export const statusToWire = (standing: LeaseStanding): LeaseStatus => ({
  lease: standing.lease,
  term: standing.term,
  standing: standingsOnWire[standing.standing],
  present: [...standing.present],
  missing: [...standing.missing],
  error: standing.error,
});
