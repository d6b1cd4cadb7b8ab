import { configOf } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { serverFifoLine } from "./fifo-line.ts";
import { judgeServer, recordOf, type TellingRecord } from "./ledger.ts";
import { serverChangesOfSnapshot, serverKey } from "./server-change.ts";
import { serverSubjects } from "./server-subjects.ts";
import { service, serviceState, web1 } from "./testing/server-events.ts";

const lines = (text: string) =>
  [...serverSubjects(configOf(text)).values()].map((subject) => serverFifoLine(subject, "UP").trim());

test.each([
  [
    "virtual_server 192.0.2.1 80 {\nprotocol TCP\nREAL}",
    ["VS [192.0.2.1]:tcp:80 UP", "RS [198.51.100.1]:tcp:80 [192.0.2.1]:tcp:80 UP"],
  ],
  [
    "virtual_server 192.0.2.1 53 {\nprotocol UDP\nREAL}",
    ["VS [192.0.2.1]:udp:53 UP", "RS [198.51.100.1]:udp:80 [192.0.2.1]:udp:53 UP"],
  ],
  ["virtual_server fwmark 5 {\nREAL}", ["VS FWM 5 UP", "RS [198.51.100.1]:none:80 FWM 5 UP"]],
  [
    "virtual_server_group g {\n192.0.2.1 80\n}\nvirtual_server group g {\nprotocol TCP\nREAL}",
    ["VS [g]:0 UP", "RS [198.51.100.1]:tcp:80 [g]:0 UP"],
  ],
  [
    "virtual_server 2001:db8::9 80 {\nprotocol TCP\nlvs_method NAT\nreal_server 2001:db8::1 80 {\n}\n}",
    ["VS [2001:db8::9]:tcp:80 UP", "RS [2001:db8::1]:tcp:80 [2001:db8::9]:tcp:80 UP"],
  ],
])("keepalived's names in lines and subjects: %s", (text, expected) => {
  expect(lines(text.replace("REAL", "lvs_method NAT\nreal_server 198.51.100.1 80 {\n}\n"))).toEqual(expected);
});

test("IPv6 marks have keepalived's name, and a key of their own", () => {
  const subjects = serverSubjects(
    configOf("virtual_server fwmark 5 {\nlvs_method NAT\nip_family inet6\nreal_server 2001:db8::1 0 {\n}\n}"),
  );
  expect([...subjects].map(([key, { virtualServer }]) => [key.split("\n")[1], virtualServer])).toEqual([
    ["FWM 5 inet6", "FWM 5"],
    ["FWM 5 inet6", "FWM 5"],
  ]);
});

const view = (over: { known?: string[]; tellsServersUp?: boolean; alpha?: boolean } = {}) => ({
  isKnown: (key: string) => over.known?.includes(key) === true,
  begins: { tellsServersUp: over.tellsServersUp === true, isAlpha: () => over.alpha === true },
  time: "2026-01-01T00:00:00.000000Z",
  replayed: false,
});
const server = serverKey({ virtualServer: service, server: web1 });
const quorum = serverKey({ virtualServer: service, server: undefined });

test.each([
  ["up at the beginning", {}, {}, ["UP false", "UP true"]],
  ["up at the beginning, rs_init_notifies", {}, { tellsServersUp: true }, ["UP true", "UP true"]],
  ["failed before anybody listened", { alive: false }, {}, ["DOWN true"]],
  ["alpha, not checked yet", { alive: false }, { alpha: true }, []],
  ["out by its file", { alive: false, failing: ["FILE_CHECK f"] }, {}, []],
  ["out by its file, and failed", { alive: false, failing: ["FILE_CHECK f", "TCP_CHECK x"] }, {}, ["DOWN true"]],
  ["out by its file, heard of before", { alive: false, failing: ["FILE_CHECK f"] }, { known: [server] }, ["DOWN true"]],
  ["alpha, with a sorry server", { alive: false, sorry: true }, { alpha: true }, ["DOWN true"]],
  ["heard of before", { alive: false }, { known: [server, quorum], alpha: true }, ["DOWN true", "DOWN true"]],
] as const)("a snapshot: %s", (_name, state, over, expected) => {
  const changes = serverChangesOfSnapshot(
    serviceState(state),
    view({ ...over, known: [...("known" in over ? over.known : [])] }),
  );
  expect(changes.map(({ state, isTold }) => `${state} ${isTold}`)).toEqual(expected);
});

const record = (over: Partial<TellingRecord> = {}): TellingRecord => ({
  state: "DOWN",
  epoch: 2,
  version: 5,
  at: 1_000,
  mailed: undefined,
  ...over,
});
type Judged = Parameters<typeof judgeServer>[1];
const event = (state: "UP" | "DOWN", epoch: number, version: number, at = 2_000, reason = "check"): Judged => ({
  state,
  order: { epoch, version },
  at,
  reason,
});
const level = (state: "UP" | "DOWN"): Judged => ({ state, order: undefined, at: 0, reason: "snapshot" });

test.each([
  ["nothing known", undefined, event("UP", 1, 1), "tell"],
  ["a change", record(), event("UP", 2, 6), "tell"],
  ["the same again, meant so", record(), event("DOWN", 2, 6), "tell"],
  ["the same of another process", record(), event("DOWN", 3, 1), "unchanged"],
  ["its end, of another process", record(), event("DOWN", 3, 1, 2_000, "stop"), "tell"],
  ["an older one", record(), event("UP", 2, 5), "old"],
  ["a snapshot of the same", record(), level("DOWN"), "unchanged"],
  ["a snapshot of something else", record(), level("UP"), "tell"],
  ["an event after a snapshot", recordOf(undefined, level("DOWN"), false), event("UP", 1, 1, 1), "tell"],
] as const)("judged: %s", (_name, before, change, verdict) => expect(judgeServer(before, change)).toBe(verdict));
