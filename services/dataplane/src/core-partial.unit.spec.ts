// Frames that say only what is new: what they do not name stands, is renewed, and is told only when it changes.
import { term } from "@baton/domain";
import { expect, test } from "vitest";
import {
  causeOf,
  desired,
  holdOf,
  instanceConfig,
  lastStanding,
  ofType,
  Rig,
  second,
  typesOf,
  vip,
} from "./testing/rig.ts";

const names = ["A", "B", "C"];
const addressOf = (name: string): string => `192.0.2.${names.indexOf(name) + 1}`;
const claimOf = (name: string, more: Parameters<typeof holdOf>[0] = {}) =>
  holdOf({ lease: name, instances: [name], cause: causeOf(`event of ${name}`), ...more });

function three(): Rig {
  const rig = new Rig({ desired: desired(1, ...names.map((name) => instanceConfig(name, [vip(addressOf(name))]))) });
  rig.connect();
  rig.frame(names.map((name) => claimOf(name)));
  return rig;
}

test("what a partial frame does not name is renewed with it", () => {
  const rig = three();
  for (let beat = 0; beat < 30; beat++) {
    rig.pass(0.4 * second);
    rig.frame(beat % 2 === 0 ? [] : [claimOf("B")], { partial: true });
  }
  expect(rig.addresses().sort()).toEqual(names.map((name) => `${addressOf(name)}/32`));
  // Nothing comes for a lease: all of them end.
  rig.pass(2.1 * second);
  expect(rig.addresses()).toEqual([]);
});

test("the answer names what was named, and what stands otherwise than was told", () => {
  const rig = three();
  rig.stall(1_000);
  expect(ofType(rig.frame([claimOf("B")], { partial: true }), "answer")).toMatchObject([
    { partial: true, leases: [{ lease: "B", standing: "held" }] },
  ]);
  expect(ofType(rig.frame([], { partial: true }), "answer")).toMatchObject([{ sequence: 3, leases: [] }]);
  // A full frame asks for everything.
  expect(ofType(rig.frame(names.map((name) => claimOf(name))), "answer")).toMatchObject([
    { partial: false, leases: names.map((lease) => ({ lease, standing: "held" })) },
  ]);
  const ended = ofType(rig.see("entered-fault", { instance: "C" }), "answer");
  expect(ended).toMatchObject([{ sequence: 0, partial: true, leases: [{ lease: "C", standing: "released" }] }]);
  // Still claimed: the claim is refused, which is told once.
  const refused = ofType(rig.frame([], { partial: true }), "answer");
  expect(refused).toMatchObject([{ leases: [{ lease: "C", standing: "refused" }] }]);
  expect(ofType(rig.frame([], { partial: true }), "answer")).toMatchObject([{ leases: [] }]);
});

test("what is forgotten goes, and nothing else does", () => {
  const rig = three();
  const effects = rig.frame([claimOf("C", { announce: 1 })], { partial: true, forgotten: ["A"] });
  expect(typesOf(effects)).toContain("change-addresses");
  rig.pass(1.5 * second);
  expect(rig.addresses().sort()).toEqual(["B", "C"].map((name) => `${addressOf(name)}/32`));
  // Claimed anew, under a term of its own.
  const again = rig.frame([claimOf("A", { term: term(2) })], { partial: true });
  expect(lastStanding(again)).toMatchObject({ lease: "A", standing: "held", term: 2 });
});

test("an advert of a claim that stands renews the kernel's lease, is kept for a resume, and is not answered for", () => {
  const rig = three();
  rig.pass(0.9 * second);
  const memory = { priority: 90, lastAdvertAt: rig.now, peerHeardAt: 7, authCounter: 3 };
  const adverts = [
    { lease: "B", memory },
    { lease: "of nobody", memory },
  ];
  const effects = rig.frame([], { partial: true, adverts });
  expect(ofType(effects, "answer")).toMatchObject([{ partial: true, leases: [] }]);
  const renewed = ofType(effects, "renew-addresses").flatMap(({ specs }) => specs.map(({ address }) => address));
  expect(renewed).toEqual([addressOf("B")]);
  const [greeting] = ofType(rig.connect(2), "greet");
  const remembered = new Map(greeting?.leases.map(({ lease, lastClaim }) => [lease, lastClaim.memory]));
  expect([...remembered.keys()].sort()).toEqual(names);
  expect(remembered.get("B")).toEqual(memory);
  expect(remembered.get("C")).not.toEqual(memory);
});

test("another stream knows nothing of what the one before claimed", () => {
  const rig = three();
  rig.connect(2);
  const answer = ofType(rig.frame([], { stream: 2, partial: true }), "answer");
  expect(answer).toMatchObject([{ leases: [] }]);
  rig.pass(2.1 * second);
  expect(rig.addresses()).toEqual([]);
});
