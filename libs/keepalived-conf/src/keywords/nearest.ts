// How near one word is to another, for whoever mistypes.

/** The nearest of the known ones. A file may be wrong on every line: what is farther than the best is not measured. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const limit = Math.min(distanceMax(name, candidate), (best?.distance ?? Number.POSITIVE_INFINITY) - 1);
    const distance = editDistance(lower, candidate.toLowerCase(), limit);
    if (distance !== undefined) best = { name: candidate, distance };
  }
  return best?.name;
}

/** All of the known ones that somebody may have meant, the nearest first. */
export function nearestNames(name: string, known: readonly string[]): string[] {
  const lower = name.toLowerCase();
  return known
    .flatMap((candidate) => {
      const distance = editDistance(lower, candidate.toLowerCase(), distanceMax(name, candidate));
      return distance === undefined ? [] : [{ candidate, distance }];
    })
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

/** A third of the word may be wrong: more is another word. */
const distanceMax = (name: string, candidate: string): number =>
  Math.floor(Math.max(name.length, candidate.length) / 3);

/** Insertions, deletions, replacements and swaps of neighbours; undefined when there are more than `limit`. */
export function editDistance(a: string, b: string, limit: number): number | undefined {
  if (limit < 0 || Math.abs(a.length - b.length) > limit) return undefined;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      current.push(cost);
    }
    if (Math.min(...current) > limit) return undefined;
    [beforeLast, last] = [last, current];
  }
  const distance = last[b.length] ?? 0;
  return distance <= limit ? distance : undefined;
}
