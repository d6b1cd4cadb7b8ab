import fc from "fast-check";
import { expect, test } from "vitest";
import { lineMax, readReplies, replyStatus } from "./smtp-reply.ts";

test.each([
  ["220 hello", 220],
  ["250", 250],
  ["250 ", 250],
  ["250-more", undefined],
  ["2500", undefined],
  ["25", undefined],
  [" 250", undefined],
  ["", undefined],
  ["250\r", undefined],
])("%j says %s", (line, status) => expect(replyStatus(line)).toBe(status));

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.uint8Array({ minLength: 400, maxLength: 700 }),
  fc.constantFrom("220 hello\r\n", "\n", "\r", "250-").map((text) => Buffer.from(text)),
);

test("whatever comes is a line, half a line or too long, and never more is kept than twice a line", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const reader = readReplies();
      let open = Buffer.alloc(0);
      for (const each of pieces) {
        const chunk = Buffer.from(each);
        const seen = reader.push(chunk);
        if (seen === "too-long") {
          expect(open.length + chunk.length).toBeGreaterThanOrEqual(lineMax);
          expect(reader.partial().length).toBeLessThan(2 * lineMax);
          return;
        }
        const whole = Buffer.concat([open, chunk]);
        const end = whole.indexOf(10);
        open = seen === undefined ? whole : Buffer.alloc(0);
        if (seen === undefined) expect([end, reader.partial()]).toEqual([-1, whole.toString("latin1")]);
        else expect(seen.line).toBe(whole.toString("latin1", 0, end));
      }
    }),
  );
});
