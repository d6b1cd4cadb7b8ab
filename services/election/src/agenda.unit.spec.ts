import { instant } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Agenda } from "./agenda.ts";

const change = fc.record({
  holder: fc.integer({ min: 0, max: 20 }),
  due: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
});

test("says what a plain list says, whatever came before", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), fc.integer({ min: 0, max: 60 }), (changes, now) => {
      const agenda = new Agenda<number>();
      const plain = new Map<number, number>();
      for (const { holder, due } of changes) {
        agenda.set(holder, due === undefined ? undefined : instant(due));
        if (due === undefined) plain.delete(holder);
        else plain.set(holder, due);
        expect(agenda.first()?.due).toBe(plain.size === 0 ? undefined : Math.min(...plain.values()));
      }
      const due = [...plain].filter(([, at]) => at <= now).map(([holder]) => holder);
      const found = agenda.due(instant(now));
      for (let holder = 0; holder <= 20; holder++)
        expect(agenda.isDue(holder, instant(now))).toBe(found.includes(holder));
      const times = found.map((holder) => plain.get(holder) ?? 0);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(found.sort((a, b) => a - b)).toEqual(due.sort((a, b) => a - b));
    }),
  );
});
