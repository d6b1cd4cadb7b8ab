import { describe, expect, test } from "vitest";
import { lintFindings } from "../../testing/lint.ts";
import { instance } from "../../testing/parse.ts";

/** Priorities apart, so that nothing else is told. */
const own = (lines = "") => instance(`priority 110\n${lines}`);
const peer = (lines = "") => instance(lines);

const [one, two] = ["a".repeat(32), "b".repeat(32)];
const hmac = (keys: string, active: number, more = "") => `auth_hmac {\n${keys}\nactive_key ${active}\n${more}\n}`;
const onlyFirst = hmac(`key 1 ${one}`, 1);
const both = (active: number, more = "") => hmac(`key 1 ${one}\nkey 2 ${two}`, active, more);
const told = (here: string, there: string) =>
  lintFindings(own(here), [peer(there)]).map(({ code, message }) => `${code} ${message}`);
const dropped = (reason: string) => [`lint/different-signatures ${reason}: both would be master`];

describe.each<[string, string, string, string[]]>([
  ["alike", onlyFirst, onlyFirst, []],
  ["signed with a key that the other one has too", both(1), onlyFirst, []],
  [
    "signed with a key that the other one lacks",
    both(2),
    onlyFirst,
    dropped("VI_1 signs with key 2, which VI_1 of peer1.conf does not have"),
  ],
  [
    "another key of the same number",
    onlyFirst,
    hmac(`key 1 ${two}`, 1),
    dropped("key 1 of VI_1 is not that of VI_1 of peer1.conf"),
  ],
  ["one key in two forms", onlyFirst, hmac(`key 1 hex:${"61".repeat(32)}`, 1), []],
  ["a key in a file", onlyFirst, hmac("key 1 file:/etc/key", 1), []],
  ["none on one side", "", onlyFirst, dropped("VI_1 of peer1.conf signs its adverts, VI_1 has no auth_hmac")],
  ["first step: both only listen", both(1, "mode receive-only"), "", []],
  ["second step: one signs", both(1, "mode permissive"), both(1, "mode receive-only"), []],
  [
    "third step too early",
    onlyFirst,
    both(1, "mode receive-only"),
    dropped("VI_1 wants signatures, VI_1 of peer1.conf sends none"),
  ],
  [
    "different protection from replays",
    hmac(`key 1 ${one}`, 1, "anti_replay monotonic"),
    onlyFirst,
    dropped("VI_1 has anti_replay monotonic, VI_1 of peer1.conf time"),
  ],
])("%s", (_what, here, there, expected) => {
  test("is judged so", () => expect(told(here, there)).toEqual(expected));
});

test("keys are not repeated", () => {
  expect(JSON.stringify(lintFindings(own(onlyFirst), [peer(hmac(`key 1 ${two}`, 1))]))).not.toMatch(/aaaa|bbbb/);
});
