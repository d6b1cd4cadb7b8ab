// Do the braces of a file balance, and on which node? Lines that count on some nodes only may bring braces with them, as
// in two `@ID vrrp_instance … {` that share a `}`: the file is laid out as the first node sees it on which they balance.
import { type Brace, type Condition, isBrace, type ScannedLine } from "./scan.ts";

export interface Imbalance {
  /** Of the brace that closes nothing, or is never closed; 0-based. */
  readonly line: number;
  readonly brace: Brace;
}

/** Which lines count. */
export type Counts = (condition: Condition | undefined) => boolean;

export type Balance = { readonly ok: true; readonly counts: Counts } | { readonly ok: false; readonly at: Imbalance };

/** More names than these are not tried. */
const idsMax = 32;

export function balanceOf(lines: readonly ScannedLine[]): Balance {
  const ids = new Set<string | undefined>();
  for (const line of lines) {
    if (ids.size === idsMax) break;
    if (line.kind === "opaque" && line.condition !== undefined && line.pieces.some(isBrace)) ids.add(line.condition.id);
  }
  let first: Imbalance | undefined;
  for (const id of [...ids, undefined]) {
    const counts: Counts = (condition) => condition === undefined || (condition.id === id) !== condition.negated;
    const at = imbalanceOf(lines, counts);
    if (at === undefined) return { ok: true, counts };
    first ??= at;
  }
  return { ok: false, at: first ?? { line: 0, brace: "{" } };
}

function imbalanceOf(lines: readonly ScannedLine[], counts: Counts): Imbalance | undefined {
  const open: number[] = [];
  for (const [line, scanned] of lines.entries()) {
    for (const brace of bracesOf(scanned, counts)) {
      if (brace === "{") open.push(line);
      else if (open.pop() === undefined) return { line, brace };
    }
  }
  const line = open.at(-1);
  return line === undefined ? undefined : { line, brace: "{" };
}

export function bracesOf(line: ScannedLine, counts: Counts): readonly Brace[] {
  if (line.kind === "code") return line.pieces.filter(isBrace);
  return line.kind === "opaque" && counts(line.condition) ? line.pieces.filter(isBrace) : [];
}
