// What keepalived understood and what we did, label by label: counted, and told where it differs.
import type { Facts } from "./dump-objects.ts";

/** One thing that both told of. */
export interface Subject {
  /** Of what kind, to be counted by: `instances`. */
  readonly kind: string;
  /** `FILE NAME`. */
  readonly what: string;
  readonly theirs: Facts;
  readonly ours: Facts;
}

export interface Difference {
  readonly file: string;
  readonly text: string;
}

export interface Comparison {
  /** Values by the kind of their subject. */
  readonly compared: Readonly<Record<string, number>>;
  readonly differences: readonly Difference[];
}

export function compareSubjects(subjects: readonly Subject[]): Comparison {
  const compared: Record<string, number> = {};
  const differences: Difference[] = [];
  for (const { kind, what, theirs, ours } of subjects) {
    for (const label of new Set([...theirs.keys(), ...ours.keys()])) {
      compared[kind] = (compared[kind] ?? 0) + 1;
      const [their, our] = [theirs.get(label), ours.get(label)];
      if (their === our) continue;
      const text = `${what}: ${label}: keepalived ${inWords(their)}, we ${inWords(our)}`;
      differences.push({ file: what.split(" ")[0] ?? "", text });
    }
  }
  return { compared, differences };
}

const inWords = (value: string | undefined): string =>
  value === undefined ? "nothing" : value.includes("\n") ? `\n  ${value.replaceAll("\n", "\n  ")}\n` : `'${value}'`;

export const without = (facts: Facts, labels: readonly string[]): Facts =>
  new Map([...facts].filter(([label]) => !labels.includes(label)));
