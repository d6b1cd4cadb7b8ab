import type { AggregateState, InstanceState } from "@baton/contracts";
import { describe, expect, test } from "vitest";
import { areLeasesKnown } from "./lease-view.ts";

const bare: InstanceState = {
  name: "",
  state: "backup",
  vrid: 51,
  interface: "eth0",
  basePriority: 100,
  effectivePriority: 100,
  term: 0,
  master: "",
  masterPriority: 0,
  since: 0,
  reason: "",
  addresses: [],
  faultCauses: [],
  primaryAddress: "",
  lastEventId: "",
  correlationId: "",
  traceparent: "",
  leaseConfirmed: true,
  masterAdvertMicros: 0,
  degraded: false,
  preemptHeldUntil: 0,
  staleTrackers: [],
};
const instance = (name: string, state: string, term: number): AggregateState => ({
  kind: "vrrp",
  id: name,
  version: 1,
  state: { $case: "instance", value: { ...bare, name, state, term } },
});
const lease = (name: string, text: string, term: number): AggregateState => ({
  kind: "address",
  id: name,
  version: 1,
  state: { $case: "addresses", value: { instance: name, term, lease: text, addresses: [], routing: [] } },
});

describe("the leases are known", () => {
  test.each<[string, boolean, AggregateState[] | undefined, AggregateState[] | undefined]>([
    ["when a master's is held", true, [instance("A", "master", 3)], [lease("A", "held", 3)]],
    ["when a listener's is silent", true, [instance("A", "listening", 3)], [lease("A", "silent", 3)]],
    ["not when there is none", false, [instance("A", "master", 3)], [lease("A", "none", 0)]],
    ["not when dataplane has never heard of it", false, [instance("A", "master", 3)], []],
    ["not when it is that of a former term", false, [instance("A", "master", 3)], [lease("A", "held", 2)]],
    ["not when it has expired", false, [instance("A", "master", 3)], [lease("A", "expired", 3)]],
    [
      "not when that of another is missing",
      false,
      [instance("A", "master", 3), instance("B", "master", 1)],
      [lease("A", "held", 3), lease("B", "none", 0)],
    ],
    ["where nobody is master", true, [instance("A", "backup", 2), instance("B", "fault", 0)], [lease("A", "none", 2)]],
    ["whatever becomes of one that leaves", true, [instance("A", "leaving", 3)], [lease("A", "none", 0)]],
    ["where there are no instances", true, [], []],
    ["not while election does not answer", false, undefined, [lease("A", "held", 3)]],
    ["not while dataplane does not answer", false, [instance("A", "backup", 0)], undefined],
  ])("%s", (_name, known, election, dataplane) => {
    expect(areLeasesKnown(election, dataplane)).toBe(known);
  });
});
