// What a reload would do, for people: each subject with a sign, what is inside of it below it. Pure.
import { type Change, type FieldChange, fieldSentence, printable, subjectOf } from "@baton/keepalived-conf";
import type { Screen } from "./screen.ts";

const signs: Readonly<Record<Change["action"], string>> = { added: "+", removed: "-", changed: "~", restarted: "!" };

const paintOf = (action: Change["action"], { green, red, yellow }: Screen): Screen["red"] =>
  action === "added" ? green : action === "changed" ? yellow : red;

/** `+` comes, `-` goes, `~` changes in place, `!` begins again. */
export function changeLines(changes: readonly Change[], screen: Screen): string[] {
  return changes.flatMap((change) => linesOf(change, "", screen));
}

function linesOf(change: Change, indent: string, screen: Screen): string[] {
  const { action, identity, why, fields, parts } = change;
  const paint = paintOf(action, screen);
  const told = identity === "" ? "" : ` ${screen.dim(`(${printable(identity)})`)}`;
  const reason = why === undefined ? "" : `: starts anew: ${printable(why)}`;
  return [
    `${indent}${paint(`${signs[action]} ${printable(subjectOf(change))}`)}${told}${reason}`,
    ...fields.map((field) => `${indent}    ${fieldLine(field)}`),
    ...parts.flatMap((part) => linesOf(part, `${indent}    `, screen)),
  ];
}

const fieldLine = (field: FieldChange): string => printable(fieldSentence(field));

/** `1 added, 2 changed`; what is inside of a subject is the subject's. */
export function countChanges(changes: readonly Change[]): string {
  const count = (action: Change["action"]): number => changes.filter((change) => change.action === action).length;
  const verbs = {
    added: "added",
    removed: "removed",
    changed: "changed in place",
    restarted: "starting anew",
  } as const;
  return (["added", "removed", "changed", "restarted"] as const)
    .filter((action) => count(action) > 0)
    .map((action) => `${count(action)} ${verbs[action]}`)
    .join(", ");
}
