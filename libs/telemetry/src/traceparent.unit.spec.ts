import { createHash } from "node:crypto";
import { vrid } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { advertContext, childContext, formatTraceparent, parseTraceparent, rootContext } from "./traceparent.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test("what is formatted is parsed again, whatever the random bytes were", () => {
  fc.assert(
    fc.property(bytes(24), bytes(8), (root, child) => {
      const parent = rootContext(root);
      const span = childContext(parent, child);
      expect(parseTraceparent(formatTraceparent(parent))).toEqual(parent);
      expect(parseTraceparent(formatTraceparent(span))).toEqual(span);
      expect(span.traceId).toBe(parent.traceId);
    }),
  );
});

test("random bytes that are all zero still make a valid context", () => {
  expect(parseTraceparent(formatTraceparent(rootContext(new Uint8Array(24))))).toBeDefined();
});

const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];

test.each([
  ["the example of the specification", `00-${trace}-${span}-01`, true],
  ["not sampled", `00-${trace}-${span}-00`, false],
  ["other flags", `00-${trace}-${span}-ff`, true],
  ["a later version with more in it", `01-${trace}-${span}-01-what-the-future-brings`, true],
])("%s is read", (_what, text, sampled) => {
  expect(parseTraceparent(text)).toEqual({ traceId: trace, spanId: span, sampled });
});

test.each([
  "",
  "nonsense",
  `00-${trace}-${span}`,
  `00-${trace}-${span}-1`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${"0".repeat(32)}-${span}-01`,
  `00-${trace}-${"0".repeat(16)}-01`,
  `00-${trace}-${span}-01-more`,
  `ff-${trace}-${span}-01`,
  `00-${trace}-${span}-01\n`,
])("%j is refused", (text) => expect(parseTraceparent(text)).toBeUndefined());

test("both routers derive the same context from the same advertisement, and another one from another", () => {
  const ipId = 40_000;
  const text = ["baton-advert", "51", "192.0.2.1", "40000"].join("\0");
  const digest = createHash("sha256").update(text).digest("hex");
  const context = advertContext(vrid(51), "192.0.2.1", ipId);
  expect(context).toEqual({ traceId: digest.slice(0, 32), spanId: digest.slice(32, 48), sampled: true });
  expect(advertContext(vrid(51), "192.0.2.1", ipId + 1)).not.toEqual(context);
  expect(advertContext(vrid(52), "192.0.2.1", ipId)).not.toEqual(context);
  expect(advertContext(vrid(51), "192.0.2.2", ipId)).not.toEqual(context);
});
