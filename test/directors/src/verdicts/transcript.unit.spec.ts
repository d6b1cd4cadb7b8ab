import { expect, test } from "vitest";
import type { VerdictCase } from "./cases.ts";
import { type Sighting, type Transcript, transcriptOf, type Verdict, verdictFaults } from "./transcript.ts";

const one = { script: ["good", "refused", "good"] } as unknown as VerdictCase;
const attempts = (...at: number[]): Sighting[] => at.map((each) => ({ what: "attempt", at: each }));
const said = (text: string, at: number): Sighting => ({ what: "said", text, at });
const table = (text: string, at: number): Sighting => ({ what: "table", text, at });

test("what is said belongs to the attempt that began before it; a start, to none", () => {
  const seen = [
    ...attempts(10, 20, 30, 40),
    said("VS UP", 11),
    said("RS DOWN", 21),
    said("RS UP", 32),
    said("RS DOWN", 45),
    said("VS DOWN", 60),
  ];
  const { said: lines, waits } = transcriptOf(one, seen, 50);
  // The fourth attempt is beyond the script.
  expect(lines).toEqual(["0 VS UP", "2 RS DOWN", "3 RS UP", "end VS DOWN"]);
  expect(waits).toEqual([10, 10]);
});

test("the table is that of before the next attempt", () => {
  const seen = [...attempts(10, 20, 30), table("1", 5), table("out", 20), table("1", 28)];
  expect(transcriptOf(one, seen, 50).table).toEqual(["1", "1"]);
  const late = [...attempts(10, 20, 30), table("1", 5), table("out", 21), table("out", 28)];
  expect(transcriptOf(one, late, 50).table).toEqual(["1", "out"]);
});

const transcript: Transcript = { said: ["2 RS DOWN"], table: ["1", "out"], waits: [9, 4] };
const verdict = (over: Partial<Transcript> = {}, both: Partial<Transcript> = {}): Verdict => ({
  name: "tcp: refused",
  family: 4,
  script: "good refused good",
  sameWaits: true,
  transcripts: { baton: { ...transcript, ...both, ...over }, keepalived: { ...transcript, ...both } },
});

test.each<[string, Verdict, RegExp | undefined]>([
  ["the same", verdict(), undefined],
  ["nearly the same wait", verdict({ waits: [9.9, 4.5] }), undefined],
  ["another wait", verdict({ waits: [9, 9] }), /after attempt 2 Baton waits 9 s, keepalived 4 s/],
  ["another wait where that is known", { ...verdict({ waits: [9, 9] }), sameWaits: false }, undefined],
  ["another wait at first", verdict({ waits: [20, 4] }), undefined],
  ["another wait of who is down", verdict({ waits: [9, 9] }, { table: ["out", "out"] }), undefined],
  ["another line", verdict({ said: ["3 RS DOWN"] }), /Baton says 3 RS DOWN; keepalived 2 RS DOWN/],
  ["another table", verdict({ table: ["1", "1"] }), /Baton's table 1, 1; keepalived's 1, out/],
  ["too few attempts", verdict({ waits: [9] }), /2 and 3 of 3 attempts/],
  ["nothing at all", verdict({}, { said: [] }), /nothing was said/],
])("%s", (_, given, expected) => {
  const faults = verdictFaults([given]);
  expect(faults).toHaveLength(expected === undefined ? 0 : 1);
  if (expected !== undefined) expect(faults[0]).toMatch(expected);
});
