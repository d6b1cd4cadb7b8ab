// The specification of the election as a table: every state and every input, the exact effects in order, the state
// that follows and when it wakes next. The rows are in table/, one file per state; a missing row fails here.
import { vrid } from "@baton/domain";
import { expect, test } from "vitest";
import { initialState, nextDeadline, step } from "./election.ts";
import { backupRows } from "./table/backup.ts";
import { degradedRows } from "./table/degraded.ts";
import { faultRows } from "./table/fault.ts";
import { flappingRows } from "./table/flapping.ts";
import { groupRows } from "./table/group.ts";
import { initializeRows } from "./table/initialize.ts";
import { leavingRows, stoppedRows } from "./table/leaving.ts";
import { listeningRows } from "./table/listening.ts";
import { masterRows } from "./table/master.ts";
import { ownerRows } from "./table/owner-conflict.ts";
import { regroupedRows } from "./table/regrouped.ts";
import { staleRows } from "./table/stale-trackers.ts";
import { stalledRows } from "./table/stalled.ts";
import { witnessRows } from "./table/witness.ts";
import { atPriority, config, now, oneOfEach, owner, type Row, script } from "./table/world.ts";
import type { ElectionConfig, ElectionState, Input } from "./types.ts";

const rows: readonly Row[] = [
  ...initializeRows,
  ...backupRows,
  ...masterRows,
  ...listeningRows,
  ...leavingRows,
  ...faultRows,
  ...stoppedRows,
  ...groupRows,
  ...regroupedRows,
  ...stalledRows,
  ...witnessRows,
  ...degradedRows,
  ...flappingRows,
  ...staleRows,
  ...ownerRows,
];

for (const row of rows) test(`${row.name} (${row.rule})`, () => assertRow(row));

function assertRow(row: Row): void {
  const before = structuredClone(row.given);
  const { state, effects } = step(row.given, row.when, now);
  expect(effects).toEqual(row.effects);
  expect(state.kind).toBe(row.becomes);
  expect(nextDeadline(state)).toBe(row.deadline);
  if (row.state === "unchanged") expect(state).toEqual(row.given);
  else if (row.state !== undefined) expect(state).toMatchObject(row.state);
  expect(row.given).toEqual(before); // the machine never changes what it was given
}

/** Exhaustive by type: a new state or input is a compile error here until it has a place in the table. */
const kinds: Readonly<Record<ElectionState["kind"], true>> = {
  initialize: true,
  backup: true,
  master: true,
  listening: true,
  leaving: true,
  fault: true,
  stopped: true,
};

const pair = (kind: string, type: string): string => `${kind}/${type}`;

test("every state has a row for every input", () => {
  const covered = new Set(rows.map(({ given, when }) => pair(given.kind, when.type)));
  const types = Object.keys(oneOfEach) as Input["type"][];
  const missing = Object.keys(kinds).flatMap((kind) =>
    types.map((type) => pair(kind, type)).filter((each) => !covered.has(each)),
  );
  expect(missing).toEqual([]);
});

test("rows are named state/input/case, and no name is used twice", () => {
  for (const { name, given, when } of rows) {
    expect(name.startsWith(`${pair(given.kind, when.type)}/`), name).toBe(true);
  }
  const names = rows.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test("every row names the section that asks for it, or says why nothing happens", () => {
  const cites = /RFC \d{4}|behaviour (section |§)\d|SAFETY S\d|DESIGN rule \d/;
  const active = rows.filter(({ state, effects }) => state !== "unchanged" || effects.length > 0);
  expect(active.filter(({ rule }) => !cites.test(rule)).map(({ name, rule }) => `${name} (${rule})`)).toEqual([]);
});

test("each state holds only its own fields", () => {
  // What a transition carries over by accident would decide something later.
  const fields = new Map<string, Set<string>>();
  for (const { given } of rows) fields.set(given.kind, new Set(Object.keys(given)));
  for (const { name, given, when } of rows) {
    const { state } = step(given, when, now);
    expect(new Set(Object.keys(state)), name).toEqual(fields.get(state.kind));
  }
});

test("before the first input nothing is known, and the priority is the base priority", () => {
  const weighted = { ...config, trackers: [script(10)] };
  expect(initialState(weighted)).toMatchObject({ kind: "initialize", started: false, effectivePriority: 100 });
  expect(initialState(owner).effectivePriority).toBe(255);
  expect(nextDeadline(initialState(config))).toBeUndefined();
});

test.each<Partial<ElectionConfig>>([{ name: "VI_2" }, { interface: "eth1" }, { vrid: vrid(52) }, { family: 6 }])(
  "another virtual router is another instance, not a configuration of this one: %j",
  (change) => {
    const input: Input = { type: "configure", config: { ...config, ...change, priority: atPriority(90) } };
    expect(() => step(initialState(config), input, now)).toThrow("another instance");
  },
);
