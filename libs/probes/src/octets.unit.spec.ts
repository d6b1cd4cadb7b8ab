import fc from "fast-check";
import { expect, test } from "vitest";
import { keepOctets } from "./octets.ts";

test("the first octets of all that came, however they came", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 })), fc.nat(2_000), (chunks, max) => {
      const octets = keepOctets(max);
      for (const chunk of chunks) octets.push(chunk);
      expect(octets.bytes()).toEqual(Buffer.concat([Buffer.alloc(0), ...chunks]).subarray(0, max));
    }),
  );
});
