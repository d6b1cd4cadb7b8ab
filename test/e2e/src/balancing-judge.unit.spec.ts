import type { Disappointment } from "@baton/balancing";
import type { EventEnvelope } from "@baton/domain";
import { expect, test } from "vitest";
import { type Expected, type View, wrongIn } from "./balancing-judge.ts";

const nothing: View = { events: [], notes: [], changes: [], disappointments: [] };
const s2 = { name: "s2", address: "172.16.1.3" };
const onlyKills: Expected = { services: 2, rightAt: 1_000 };
const died: Expected = { ...onlyKills, touched: s2, event: "realserver-down" };
const reloaded: Expected = { ...onlyKills, touched: s2 };

const event = (type: string, server: string): EventEnvelope =>
  ({ event: { type, data: { server } } }) as unknown as EventEnvelope;
const sad = (server: string | undefined, since: number): Disappointment => ({
  ...{ at: since + 10, since, server },
  ...{ customer: "coming", error: "reset" },
});
const seen = (view: Partial<View>): View => ({ ...nothing, ...view });
const death = seen({
  events: [event("realserver-down", "172.16.1.3:80"), event("realserver-down", "172.16.1.3:80")],
  notes: ["s2-down", "s2-down"],
  changes: ["delete element ip baton_lb"],
  disappointments: [sad("s2", 5_000), sad(undefined, 900)],
});

test("of deaths of processes nobody may hear", () => {
  expect(wrongIn(onlyKills, nothing, nothing)).toEqual([]);
  expect(wrongIn(onlyKills, nothing, seen({ events: [event("service-started", "")] }))).toEqual([]);
  for (const view of [
    seen({ events: [event("realserver-down", "172.16.1.3:80")] }),
    seen({ events: [event("quorum-lost", "")] }),
    seen({ notes: ["instance"] }),
    seen({ changes: ["add element ip baton_lb"] }),
    seen({ disappointments: [sad("s1", 900)] }),
    seen({ disappointments: [sad(undefined, 900)] }),
  ])
    expect(wrongIn(onlyKills, nothing, view)).toHaveLength(1);
});

test("what was seen before is not counted again", () => {
  expect(wrongIn(onlyKills, death, death)).toEqual([]);
});

test("a server that has died is told of once for each service, and its customers may notice", () => {
  expect(wrongIn(died, nothing, death)).toEqual([]);
  expect(wrongIn(died, nothing, { ...death, events: death.events.slice(1) })).toEqual(["of s2: realserver-down"]);
  expect(wrongIn(died, nothing, { ...death, notes: ["s2-down"] })).toEqual(["notified: s2-down"]);
  expect(wrongIn(died, nothing, { ...death, notes: [...death.notes, "s2-up"] })).toHaveLength(1);
  expect(wrongIn(died, nothing, { ...death, disappointments: [sad("s1", 900)] })).toHaveLength(1);
  expect(wrongIn(died, nothing, { ...death, disappointments: [sad(undefined, 1_001)] })).toHaveLength(1);
});

test("a reload may speak of whom it brings or takes, and of nobody else", () => {
  const brought = seen({ events: [event("realserver-up", "172.16.1.3:80")], notes: ["s2-up"], changes: ["add"] });
  expect(wrongIn(reloaded, nothing, brought)).toEqual([]);
  expect(wrongIn(reloaded, nothing, { ...brought, notes: ["s1-up"] })).toEqual(["notified: s1-up"]);
});
