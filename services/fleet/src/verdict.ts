// Is there exactly one master? Judged from what the members say, and from when the hub heard it: their messages take
// different ways, so for a moment of every takeover the hub has heard one side only. That moment is no alarm.
import type { MemberView, Verdict } from "./view.ts";

export interface MemberRecord {
  readonly view: MemberView;
  /** Address of the master that this member follows; "" when none. */
  readonly master: string;
  /** Hub times: since when it is known to claim mastership, and when a heartbeat last said so. */
  readonly claim: { readonly claimedAt: number; readonly confirmedAt: number } | undefined;
}

export interface JudgeContext {
  readonly now: number;
  /** Since when the group has had no undisputed master; `now` when that begins only now. */
  readonly masterlessSince: number;
  /** The fleet's router with this primary address. */
  nodeAt(address: string): { readonly node: string; readonly reachable: boolean } | undefined;
}

/** A takeover may last this long on the hub's clock before "no master" is an alarm. */
export const movingMillis = 1_000;
/** How long a heartbeat may have been on its way when another router's claim came in. */
export const confirmMarginMillis = 250;

export function judgeGroup(
  members: readonly MemberRecord[],
  context: JudgeContext,
): { readonly verdict: Verdict; readonly master: string } {
  const reachable = members.filter((member) => member.view.reachable);
  if (reachable.length === 0) return { verdict: "unreachable", master: "" };
  const masters = reachable.filter((member) => member.claim !== undefined);
  const [first] = masters;
  if (first !== undefined && masters.length === 1) return { verdict: "one-master", master: first.view.node };
  if (masters.length > 1) return { verdict: areAllConfirmed(masters) ? "two-masters" : "moving", master: "" };
  const elsewhere = masterElsewhere(reachable, members, context);
  if (elsewhere !== undefined) return { verdict: "one-master", master: elsewhere };
  return { verdict: context.now - context.masterlessSince < movingMillis ? "moving" : "no-master", master: "" };
}

/** Each of them said that it is master after the last of them became it. */
function areAllConfirmed(masters: readonly MemberRecord[]): boolean {
  const lastClaim = Math.max(...masters.map((member) => member.claim?.claimedAt ?? 0));
  return masters.every(
    (member) => (member.claim?.confirmedAt ?? Number.NEGATIVE_INFINITY) > lastClaim + confirmMarginMillis,
  );
}

/**
 * A backup that follows a router which is no member: a keepalived beside Baton, or a node that names the instance
 * differently. A member of the group does not count: it has just said itself that it is not master.
 */
function masterElsewhere(
  reachable: readonly MemberRecord[],
  members: readonly MemberRecord[],
  context: JudgeContext,
): string | undefined {
  for (const member of reachable) {
    if (member.view.state !== "backup" || member.master === "") continue;
    if (members.some((other) => other.view.primaryAddress === member.master)) continue;
    const owner = context.nodeAt(member.master);
    if (owner === undefined) return member.master;
    if (owner.reachable) return owner.node;
  }
  return undefined;
}
