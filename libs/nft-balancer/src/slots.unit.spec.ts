import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blocks, type Slots, turns } from "./slots.ts";

const owners = ({ slots }: Slots): number[] =>
  slots.flatMap(({ first, last, owner }) => Array.from({ length: last - first + 1 }, () => owner));

describe("slots", () => {
  test("as few as keep the proportions", () => {
    expect(blocks([100, 200, 300])).toEqual({
      count: 6,
      mixed: false,
      slots: [
        { first: 0, last: 0, owner: 0 },
        { first: 1, last: 2, owner: 1 },
        { first: 3, last: 5, owner: 2 },
      ],
    });
  });

  test("turns are mixed, so that nobody gets a row of connections for his weight", () => {
    expect(owners(turns([5, 1, 1]))).toEqual([0, 0, 1, 0, 2, 0, 0]);
    expect(owners(turns([1, 1, 1]))).toEqual([0, 1, 2]);
    expect(turns([1000, 999])).toMatchObject({ count: 1999, mixed: false });
    expect(turns(Array.from({ length: 1000 }, () => 7))).toMatchObject({ count: 1000, mixed: true });
  });

  const weights = fc.array(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 40 });

  test("slots follow each other, none is left out, and everybody has some in proportion", () => {
    fc.assert(
      fc.property(weights, fc.boolean(), (list, inTurn) => {
        const { count, slots } = inTurn ? turns(list) : blocks(list);
        const sum = list.reduce((total, weight) => total + weight, 0);
        const held = list.map(() => 0);
        let next = 0;
        for (const { first, last, owner } of slots) {
          expect(first).toBe(next);
          expect(last).toBeGreaterThanOrEqual(first);
          held[owner] = (held[owner] ?? 0) + last - first + 1;
          next = last + 1;
        }
        expect(next).toBe(count);
        expect(count).toBeLessThanOrEqual(2 ** 31);
        for (const [at, weight] of list.entries()) {
          expect(held[at]).toBeGreaterThan(0);
          expect(Math.abs((held[at] ?? 0) / count - weight / sum)).toBeLessThan(1e-6);
        }
      }),
    );
  });

  test("many servers of unequal weights are linear work and lose nobody", () => {
    const list = Array.from({ length: 65_536 }, (_, at) => (at === 0 ? 2 ** 31 - 1 : 1));
    const { count, slots } = turns(list);
    expect(slots.length).toBe(65_536);
    expect(count).toBeLessThanOrEqual(2 ** 31);
  });
});
