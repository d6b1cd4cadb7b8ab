// Changes in words, one sentence each: for logs, events and people who read line by line.
import type { Change, FieldChange } from "./change.ts";

/** Like `instance VI_1: address 10.0.0.2/24 added`; in the order of the changes. */
export const changeSentences = (changes: readonly Change[]): string[] =>
  changes.flatMap((change) => sentencesOf(change, ""));

function sentencesOf(change: Change, around: string): string[] {
  const { action, identity, fields, parts } = change;
  const subject = `${around}${subjectOf(change)}`;
  const told = identity === "" ? "" : ` (${identity})`;
  if (action === "added" || action === "removed") return [`${subject} ${action}${told}`];
  return [
    ...(action === "restarted" ? [`${subject} starts anew: ${change.why ?? ""}`] : []),
    ...parts.flatMap((part) => sentencesOf(part, `${subject}: `)),
    ...fields.map((field) => `${subject}: ${fieldSentence(field)}`),
  ];
}

/** `instance VI_1`; `global` where there is only one. */
export const subjectOf = ({ kind, name }: Pick<Change, "kind" | "name">): string =>
  name === "" ? kind : `${kind} ${name}`;

/** `priority 100 → 90`; `auth_pass changed`. */
export function fieldSentence({ label, before, after, secret, effect }: FieldChange): string {
  const later = effect === "start" ? "; takes effect at the next start of the node" : "";
  // Texts that are shortened, or leave something out, may be the same for two values that are not.
  const untold = secret || before === after;
  return `${label} ${untold ? verbOf(before, after) : `${before ?? "none"} → ${after ?? "none"}`}${later}`;
}

const verbOf = (before: string | undefined, after: string | undefined): string =>
  before === after ? "changed" : before === undefined ? "added" : "removed";
