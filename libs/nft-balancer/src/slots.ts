// Weights as slots: a number below `count` is drawn for each connection, and each slot belongs to one server.

export interface Slot {
  readonly first: number;
  readonly last: number;
  /** Place in the list of weights. */
  readonly owner: number;
}

export interface Slots {
  readonly count: number;
  readonly slots: readonly Slot[];
  /** Neighbours are of different servers where that can be: whoever takes slots in turn spreads evenly. */
  readonly mixed: boolean;
}

/** More slots than this are not mixed: each of them is an element of a map. */
const mixedMax = 256;
/** A modulus of the kernel has 32 bits. */
const countMax = 2 ** 31;

/** One block for each weight, with as few slots as keep the proportions. Weights are positive. */
export function blocks(weights: readonly number[]): Slots {
  const parts = reduced(weights);
  const slots: Slot[] = [];
  let count = 0;
  for (const [owner, part] of parts.entries()) {
    slots.push({ first: count, last: count + part - 1, owner });
    count += part;
  }
  return { count, slots, mixed: parts.every((part) => part === 1) };
}

/** As `blocks`, and mixed where there are few enough slots. */
export function turns(weights: readonly number[]): Slots {
  const plain = blocks(weights);
  if (plain.mixed || plain.count > mixedMax) return plain;
  const parts = plain.slots.map(({ first, last }) => last - first + 1);
  const owners = smoothly(parts, plain.count);
  return { count: plain.count, mixed: true, slots: owners.map((owner, at) => ({ first: at, last: at, owner })) };
}

/** Each step everybody earns its part, and the richest pays the whole for its turn. */
function smoothly(parts: readonly number[], count: number): number[] {
  const earned = parts.map(() => 0);
  return Array.from({ length: count }, () => {
    let richest = 0;
    for (const [at, part] of parts.entries()) {
      earned[at] = (earned[at] ?? 0) + part;
      if ((earned[at] ?? 0) > (earned[richest] ?? 0)) richest = at;
    }
    earned[richest] = (earned[richest] ?? 0) - count;
    return richest;
  });
}

function reduced(weights: readonly number[]): number[] {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  const parts = weights.map((weight) => weight / divisor);
  const sum = parts.reduce((total, part) => total + part, 0);
  // Nobody is rounded away: 65,536 servers have a slot each beside what the others have.
  return sum <= countMax ? parts : parts.map((part) => Math.max(1, Math.floor((part / sum) * (countMax / 2))));
}

function greatestCommonDivisor(a: number, b: number): number {
  let [greater, less] = [a, b];
  while (less !== 0) [greater, less] = [less, greater % less];
  return greater;
}
