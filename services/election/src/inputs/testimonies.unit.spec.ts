// Who asks, who answers, and what never reaches the machine (SAFETY S13).
import { Testimony, TestimonyKind } from "@baton/contracts";
import { type IpAddress, parseIp, vrid } from "@baton/domain";
import type { Input } from "@baton/vrrp";
import { expect, test } from "vitest";
import { type Concerned, createTestimonies, type Subject } from "./testimonies.ts";

const ip = (text: string): IpAddress => {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};
const [mine, theirs] = [ip("10.0.0.2"), ip("10.0.0.1")];
const subject: Subject = { name: "VI_1", interface: "eth0", family: 4, vrid: vrid(51) };

function stage(over: Partial<Concerned> = {}, segments: Record<string, string> = { eth0: "rack1" }) {
  const fed: Input[] = [];
  const told: Testimony[] = [];
  const one: Concerned = {
    subject,
    addresses: [mine],
    deniesMastership: true,
    feed: (input) => void fed.push(input),
    ...over,
  };
  const testimonies = createTestimonies({
    segments: () => segments,
    concerned: (device, id) => (device === "eth0" && id === 51 ? [one] : []),
  });
  const listeners = new Map<string, (value: Testimony) => void>();
  const call = {
    writableLength: 0,
    write: (said: Testimony) => told.push(said),
    on: (event: string, listener: (value: Testimony) => void) => listeners.set(event, listener),
    end: () => undefined,
  };
  const exchange = testimonies.grpc.implementation.exchange as unknown as (call: unknown) => void;
  exchange(call);
  const settle = (): Promise<void> => Promise.resolve();
  const hear = (said: Partial<Testimony>): void =>
    listeners.get("data")?.(
      Testimony.fromPartial({ segment: "rack1", family: 4, vrid: 51, address: theirs, nonce: "", ...said }),
    );
  return { testimonies, fed, told, hear, settle };
}

test("a denial of somebody's mastership is told to the machine, which decides whether to ask", () => {
  const { hear, fed } = stage();
  hear({ kind: TestimonyKind.DENIAL });
  expect(fed).toEqual([{ type: "mastership-denied", source: theirs }]);
});

test.each<[string, Partial<Testimony>]>([
  ["of another segment", { segment: "rack2" }],
  ["of another family", { family: 6 }],
  ["of another VRID", { vrid: 52 }],
  ["of no address", { address: "nobody" }],
])("one %s is not", (_name, said) => {
  const { hear, fed } = stage();
  hear({ kind: TestimonyKind.DENIAL, ...said });
  expect(fed).toEqual([]);
});

test("without a name for the segment nothing is told, asked or believed", async () => {
  const { testimonies, hear, fed, told, settle } = stage({}, {});
  testimonies.deny(subject, mine);
  testimonies.ask(subject, theirs);
  hear({ kind: TestimonyKind.DENIAL });
  await settle();
  expect([fed, told]).toEqual([[], []]);
});

test("a question is asked with a nonce of its own, and only its answer counts, once", async () => {
  const { testimonies, hear, fed, told, settle } = stage();
  testimonies.ask(subject, theirs);
  await settle();
  const [first] = told;
  expect(first).toMatchObject({ kind: TestimonyKind.QUESTION, segment: "rack1", family: 4, vrid: 51, address: theirs });
  testimonies.ask(subject, theirs);
  await settle();
  const nonce = told[1]?.nonce ?? "";
  expect(nonce).toMatch(/^[0-9a-f]{32}$/);
  expect(first?.nonce).not.toBe(nonce);
  hear({ kind: TestimonyKind.ANSWER, nonce: "guessed" });
  hear({ kind: TestimonyKind.ANSWER, nonce: first?.nonce ?? "" });
  hear({ kind: TestimonyKind.ANSWER, nonce, address: mine });
  expect(fed).toEqual([]);
  hear({ kind: TestimonyKind.ANSWER, nonce });
  hear({ kind: TestimonyKind.ANSWER, nonce });
  expect(fed).toEqual([{ type: "witness-answered", source: theirs }]);
});

test("an answer that nobody asked for is no answer", () => {
  const { hear, fed } = stage();
  hear({ kind: TestimonyKind.ANSWER, nonce: "" });
  expect(fed).toEqual([]);
});

test("who is not master any more says so when asked, with the nonce of the question", async () => {
  const { hear, told, settle } = stage();
  hear({ kind: TestimonyKind.QUESTION, address: mine, nonce: "abc" });
  await settle();
  expect(told).toEqual([
    { kind: TestimonyKind.ANSWER, segment: "rack1", family: 4, vrid: 51, address: mine, nonce: "abc" },
  ]);
});

test.each<[string, Partial<Concerned>, Partial<Testimony>]>([
  ["a master", { deniesMastership: false }, { address: mine }],
  ["another router", {}, { address: theirs }],
])("%s answers nothing", async (_name, over, said) => {
  const { hear, told, settle } = stage(over);
  hear({ kind: TestimonyKind.QUESTION, nonce: "abc", ...said });
  await settle();
  expect(told).toEqual([]);
});
