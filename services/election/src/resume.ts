// What dataplane remembers of the leases of an election that crashed (SAFETY S4, S5).
import type { LeaseRecord } from "@baton/contracts";
import { instant, type Term, term } from "@baton/domain";
import type { ResumeRecord } from "@baton/vrrp";

/** The highest term that dataplane has seen for this lease; 0 when none. */
export const highestTerm = (record: LeaseRecord | undefined): Term => term(record?.highestTerm ?? 0);

/** The highest number of an authentication header that it sent or accepted; 0 when nothing is known. */
export const authCounter = (record: LeaseRecord | undefined): number => record?.lastClaim?.authCounter ?? 0;

/** The live lease to go on under; undefined when there is none. */
export function resumeRecord(record: LeaseRecord | undefined): ResumeRecord | undefined {
  if (record?.live !== true || record.lastClaim === undefined) return undefined;
  return {
    term: term(record.highestTerm),
    expiresAt: instant(record.expiresAt),
    lastAdvertAt: instant(record.lastClaim.lastAdvertAt),
    priority: record.lastClaim.priority,
    peerHeardAt: instant(record.lastClaim.peerHeardAt),
  };
}
