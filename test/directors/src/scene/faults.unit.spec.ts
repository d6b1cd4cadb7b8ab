import { expect, test } from "vitest";
import { type FaultsResult, faultsOfKills, type Round } from "./faults.ts";

const rules = ["-A -t 172.16.100.1:80 -s rr", "-a -t 172.16.100.1:80 -r 172.16.100.11:80 -g -w 1"];
const killed: Round = {
  ...{ name: "SIGKILL of health", seconds: { toRestart: 30, toRight: 0 }, touched: undefined, failed: "", commands: 0 },
  ...{ before: rules, after: rules, answered: { s1: 10, s2: 11 }, disappointed: [] },
};
const start = [
  "realserver-up 172.16.100.11:80",
  "realserver-up 172.16.100.12:80",
  "quorum-gained [172.16.100.1]:tcp:80",
];
const unseen = ["realserver-down 172.16.100.11:80", "destinations-changed x", "realserver-up 172.16.100.11:80"];
const well: FaultsResult = {
  ...{ seed: 1, rounds: [killed], answers: { s1: 100 }, rulesInTheEnd: [], log: "" },
  events: [...start, ...unseen, "realserver-up 172.16.100.13:80"],
};
const sad = { at: 2, since: 1, customer: "coming", server: "s2", error: "reset" } as const;

test("nothing is wrong where nobody notices", () => {
  expect(faultsOfKills(well)).toEqual([]);
});

test.each<[string, Partial<Round>, RegExp]>([
  ["a command to ip_vs", { commands: 1 }, /asked for 1 changes/],
  ["another table", { after: rules.slice(0, 1) }, /the table is/],
  ["a customer without an answer", { disappointed: [sad] }, /reset/],
  ["a wait in vain", { failed: "waited" }, /waited/],
  ["a server that is out too late", { touched: "s1", seconds: { toRestart: 30, toRight: 91 } }, /91 s after/],
])("%s is wrong", (_, change, message) => {
  expect(faultsOfKills({ ...well, rounds: [{ ...killed, ...change }] })).toEqual([expect.stringMatching(message)]);
});

test("a server that flaps, one that is never missed, and what is left are wrong", () => {
  expect(faultsOfKills({ ...well, events: [...well.events, ...unseen] })).toHaveLength(1);
  expect(faultsOfKills({ ...well, events: start })).toHaveLength(1);
  expect(faultsOfKills({ ...well, rulesInTheEnd: rules })).toEqual(["something is left in the table"]);
});
