// What election is told: for each claim, where it stands by what was read back from the kernel (SAFETY S3, S9).
import type { IpAddress } from "@baton/domain";
import type { DesiredInstance } from "./desired.ts";
import { isUsable } from "./kernel-view.ts";
import type { Lease, Refusal } from "./lease-book.ts";
import { isOurs, type Parts } from "./parts.ts";
import type { RoutingLevel } from "./routing/level.ts";
import type { Claim, LeaseStanding, Standing } from "./types.ts";

/** The addresses of one instance as the kernel has them. */
export interface InstanceLevel {
  readonly present: readonly IpAddress[];
  readonly missing: readonly IpAddress[];
  readonly errors: readonly string[];
  /** Present, and Baton's to remove: what an ended lease still has to let go. */
  readonly removable: number;
  /** Routes and rules that are not there and whose loss is a fault. */
  readonly lacking: number;
}

/** Addresses, routes and rules together. */
export const withRouting = (level: InstanceLevel, routing: RoutingLevel | undefined): InstanceLevel =>
  routing === undefined
    ? level
    : {
        ...level,
        errors: [...level.errors, ...routing.errors],
        removable: level.removable + routing.present,
        lacking: routing.lacking,
      };

export function levelOf(instance: DesiredInstance, parts: Parts): InstanceLevel {
  const { view, holdings } = parts;
  const present: IpAddress[] = [];
  const missing: IpAddress[] = [];
  const errors: string[] = [];
  let removable = 0;
  for (const address of instance.addresses) {
    const info = view.find(address);
    if (info !== undefined && isOurs(info, address, parts)) removable++;
    if (info !== undefined && isUsable(info)) present.push(address.address);
    else missing.push(address.address);
    const error =
      holdings.failure(address.key) ?? (info?.flags.dadFailed ? "dadfailed: somebody else answers" : undefined);
    if (error !== undefined) errors.push(`${address.address}: ${error}`);
  }
  return { present, missing, errors, removable, lacking: 0 };
}

/** The same in every word: what was made of the one holds for the other. */
export const isSameLevel = (a: InstanceLevel | undefined, b: InstanceLevel): boolean =>
  a !== undefined &&
  a.removable === b.removable &&
  areSame(a.present, b.present) &&
  areSame(a.missing, b.missing) &&
  areSame(a.errors, b.errors);

const areSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index]);

const combine = (levels: readonly InstanceLevel[]): InstanceLevel => ({
  present: levels.flatMap(({ present }) => present),
  missing: levels.flatMap(({ missing }) => missing),
  errors: levels.flatMap(({ errors }) => errors),
  removable: levels.reduce((sum, { removable }) => sum + removable, 0),
  lacking: levels.reduce((sum, { lacking }) => sum + lacking, 0),
});

/** `levels`: of the claimed instances; undefined for one that no configuration here knows yet. */
export function standingOf(
  claim: Claim,
  lease: Lease | undefined,
  refusal: Refusal | undefined,
  levels: readonly (InstanceLevel | undefined)[],
): LeaseStanding {
  const level = combine(levels.filter((each) => each !== undefined));
  const { present, missing } = level;
  const base = { lease: claim.lease, term: claim.term, present, missing };
  if (refusal !== undefined || lease === undefined) {
    return { ...base, standing: "refused", error: refusal?.reason ?? "unknown lease" };
  }
  if (lease.phase !== "ended" && levels.includes(undefined)) {
    return { ...base, standing: "applying", error: "its configuration has not arrived yet" };
  }
  const standing = standingIn(lease, level);
  return { ...base, standing, error: standing === "failed" ? level.errors.join("; ") : "" };
}

function standingIn(lease: Lease, { missing, lacking, errors, removable }: InstanceLevel): Standing {
  switch (lease.phase) {
    case "ended":
      return removable === 0 ? "released" : "applying";
    case "waiting":
    case "suspended":
      return "applying";
    case "active":
      if (missing.length + lacking === 0) return "held";
      // Only a claim to hold can fail: the others add nothing.
      return lease.claim.state === "hold" && errors.length > 0 ? "failed" : "applying";
  }
}
