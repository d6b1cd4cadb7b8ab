import type { Aggregate, BatonEvent, EventEnvelope } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeData, eventTypes } from "./events.ts";
import { decodeMessage, encodeMessage, subjectFilter, subjectToken } from "./nats.ts";

/** An event of the type whose every field is at its default: proto JSON leaves those out and puts them back. */
const emptyEvent = (type: (typeof eventTypes)[number]): BatonEvent => {
  const event = decodeData(type, "{}");
  if (event === undefined) throw new Error(type);
  return event;
};

const name = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", ".", "*", ">", "a.b", "é", "VI_1", "%", "%41", " "),
);
const envelopes = fc.record({
  id: fc.uuid(),
  time: fc.constant("2026-01-01T00:00:00.000001Z"),
  at: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  node: name,
  service: fc.constantFrom("election", "health", "dataplane", "notifier", "control", "uplink", "supervisor"),
  aggregate: fc.record({
    kind: fc.constantFrom<Aggregate["kind"]>(
      "vrrp",
      "tracker",
      "checker",
      "virtual-server",
      "address",
      "notification",
      "config",
      "service",
    ),
    id: name,
  }),
  epoch: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  version: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  correlationId: fc.uuid(),
  causationId: fc.uuid(),
  traceparent: fc.option(fc.constant(`00-${"a".repeat(32)}-${"b".repeat(16)}-01`), { nil: undefined }),
  event: fc.constantFrom(...eventTypes).map(emptyEvent),
}) as fc.Arbitrary<EventEnvelope>;

const decode = ({ subject, headers, body }: ReturnType<typeof encodeMessage>) =>
  decodeMessage(subject, (header) => headers.get(header) ?? "", body);

test("what is encoded is decoded again, whatever names operators give", () => {
  fc.assert(
    fc.property(envelopes, (envelope) => {
      expect(decode(encodeMessage(envelope))).toEqual(envelope);
    }),
  );
});

test("a subject has five tokens, none with a wildcard, a blank or a control character", () => {
  fc.assert(
    fc.property(envelopes, (envelope) => {
      const tokens = encodeMessage(envelope).subject.split(".");
      expect(tokens).toHaveLength(5);
      for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9%_-]+$/);
    }),
  );
});

test("different names are different tokens", () => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(subjectToken(a) === subjectToken(b)).toBe(a === b);
    }),
  );
});

test("headers are fit for NATS: ASCII, no line breaks", () => {
  fc.assert(
    fc.property(envelopes, (envelope) => {
      for (const [header, value] of encodeMessage(envelope).headers)
        expect(`${header}${value}`).toMatch(/^[\x20-\x7e]*$/);
    }),
  );
});

test("sequences compare as text as they do as numbers", () => {
  const sequence = (version: number): string => {
    const [envelope] = fc.sample(envelopes, 1);
    if (envelope === undefined) throw new Error("no sample");
    return encodeMessage({ ...envelope, version }).headers.get("ce-sequence") ?? "";
  };
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 50 }), fc.nat({ max: 2 ** 50 }), (a, b) => {
      expect(sequence(a) < sequence(b)).toBe(a < b);
    }),
    { numRuns: 50 },
  );
});

test("whoever may publish may publish nonsense: it is refused, never thrown", () => {
  fc.assert(
    fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), fc.string(), (subject, headers, body) => {
      expect(decodeMessage(subject, (header) => headers[header] ?? "", body)).toBeUndefined();
    }),
  );
});

const [good] = fc.sample(envelopes, { numRuns: 1, seed: 7 });
const wire = encodeMessage(good ?? ({} as EventEnvelope));

test.each([
  ["an unknown type", { subject: wire.subject.replace(/[^.]+$/, "became-king") }],
  ["a type that is not the subject's", { headers: { "ce-type": "dev.baton.became-king" } }],
  ["no id", { headers: { "ce-id": "" } }],
  ["a version that is no number", { headers: { "ce-sequence": "x" } }],
  ["a version beyond what is exact", { headers: { "ce-sequence": "99999999999999999999" } }],
  ["an epoch that is no number", { headers: { "ce-epoch": "1e400" } }],
  ["a body that is no JSON", { body: "{" }],
  ["a body that is no object", { body: "[]" }],
  ["a subject that is too short", { subject: "baton.r1.vrrp.VI_1" }],
  ["a subject that cannot be a name", { subject: wire.subject.replace(/^baton\.[^.]+/, "baton.%zz") }],
] satisfies [string, { subject?: string; headers?: Record<string, string>; body?: string }][])(
  "%s is refused",
  (_what, change) => {
    const {
      subject = wire.subject,
      headers = {},
      body = wire.body,
    } = change as {
      subject?: string;
      headers?: Record<string, string>;
      body?: string;
    };
    expect(decodeMessage(subject, (header) => headers[header] ?? wire.headers.get(header) ?? "", body)).toBeUndefined();
    expect(decodeMessage(wire.subject, (header) => wire.headers.get(header) ?? "", wire.body)).toBeDefined();
  },
);

test("filters name what they are given and leave the rest open", () => {
  expect(subjectFilter({})).toBe("baton.*.*.*.*");
  expect(subjectFilter({ node: "r.1", kind: "vrrp", id: "VI 1", type: "became-master" })).toBe(
    "baton.r%2E1.vrrp.VI%201.became-master",
  );
});
