// What crosses between the election and the hub, and what does not.
import { Testimony, TestimonyKind } from "@baton/contracts";
import { expect, test } from "vitest";
import { decodeTestimony, relayWitnesses, witnessSubject } from "./witness-relay.ts";

const denial: Testimony = {
  kind: TestimonyKind.DENIAL,
  segment: "rack1",
  family: 4,
  vrid: 51,
  address: "10.0.0.1",
  nonce: "",
};
const text = (testimony: Testimony): string => JSON.stringify(Testimony.toJSON(testimony));

function stage() {
  const toHub: [string, string][] = [];
  const toElection: Testimony[] = [];
  let now = 0;
  let hear = (_subject: string, _text: string): void => undefined;
  let say = (_testimony: Testimony): void => undefined;
  relayWitnesses({
    node: "r1",
    hub: {
      sendSignal: (subject, said) => toHub.push([subject, said]) > 0,
      onSignal: (_filter, handler) => {
        hear = handler;
        return { close: () => undefined };
      },
    },
    openLine: (onTestimony) => {
      say = onTestimony;
      return { send: (testimony) => void toElection.push(testimony), close: () => undefined };
    },
    nowMillis: () => now,
  });
  return {
    toHub,
    toElection,
    hear: (subject: string, said: string) => hear(subject, said),
    say: (testimony: Testimony) => say(testimony),
    pass: (millis: number) => {
      now += millis;
    },
  };
}

test("what the election says goes out under the node's own name, and its echo does not come back", () => {
  const { say, hear, toHub, toElection } = stage();
  say(denial);
  expect(toHub).toEqual([[witnessSubject("r1"), text(denial)]]);
  hear(witnessSubject("r1"), text(denial));
  expect(toElection).toEqual([]);
});

test("what others say comes in, as it was said", () => {
  const { hear, toElection } = stage();
  const answer = { ...denial, kind: TestimonyKind.ANSWER, nonce: "0123" };
  hear(witnessSubject("r2"), text(answer));
  expect(toElection).toEqual([answer]);
});

test("a flood ends here, and the next second is another", () => {
  const { hear, toElection, pass } = stage();
  for (let n = 0; n < 2_000; n++) hear(witnessSubject("r2"), text(denial));
  expect(toElection).toHaveLength(500);
  pass(1_000);
  hear(witnessSubject("r2"), text(denial));
  expect(toElection).toHaveLength(501);
});

test.each([
  ["no JSON", "{"],
  ["a list", "[]"],
  ["nothing", "null"],
  ["a family that is a word", text(denial).replace('"family":4', '"family":"four"')],
  ["a VRID out of range", text(denial).replace('"vrid":51', '"vrid":4000000000')],
  ["an address that is a number", text(denial).replace('"10.0.0.1"', "1")],
  ["a nonce that is an object", text(denial).replace("}", ',"nonce":{}}')],
  ["an unknown kind", text(denial).replace("TESTIMONY_KIND_DENIAL", "TESTIMONY_KIND_BRIBE")],
  ["no segment", JSON.stringify({ address: "10.0.0.1", family: 4, vrid: 51 })],
  ["far too much", text({ ...denial, segment: "x".repeat(2_000) })],
])("%s is no testimony", (_name, said) => {
  expect(decodeTestimony(said)).toBeUndefined();
});
