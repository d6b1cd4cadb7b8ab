// FILE_CHECK and BFD_CHECK with real files and real sessions, in every state that makes sense for them, all at one time. A
// row is one line. What a check that probes makes of its server is told in libs/probes.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeProbeWorld, type ProbeWorld } from "@baton/probes/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { makeCheckedNodes, realServer, service } from "../testing/checked-node.ts";

const nodes = makeCheckedNodes();
const others = makeCheckedNodes();
const folder = mkdtempSync(join(tmpdir(), "baton-followed-"));
let world: ProbeWorld;
let leave: () => void;
beforeAll(() => {
  world = makeProbeWorld("btfo");
});
beforeEach(() => {
  leave = world.ours.enter();
});
afterEach(async () => {
  await nodes.clear();
  await others.clear();
  leave();
  await world.clear();
});
afterAll(() => {
  world.remove();
  rmSync(folder, { recursive: true });
});

const missing = "(no file)";
const directory = "(a directory)";
const weight = 10;
/** What is in the file, how it counts, and the weight of a server of 10; undefined: it is out. */
const files: readonly (readonly [content: string, counts: string, expected: number | undefined])[] = [
  ["0\n", "1", 10],
  ["5\n", "1", 15],
  ["-3\n", "1", 7],
  ["-30\n", "1", 0],
  ["5\n", "-1", 5],
  ["5\n", "2 reverse", 0],
  ["-5\n", "2 reverse", 20],
  ["0x10\n", "1", 26],
  ["  7 and words", "1", 17],
  ["words", "1", 10],
  ["", "1", 10],
  [missing, "1", 10],
  [directory, "1", 10],
  ["99999999999999999999\n", "1", 10],
  ["-2147483648\n", "1", undefined],
  ["-1073741824\n", "2", undefined],
  ["1073741824\n", "-2", undefined],
  ["2147483647\n", "1", 2_147_483_647],
  ["0\n", "0", 10],
  ["1\n", "0", undefined],
  ["-1\n", "0", undefined],
  ["0\n", "0 reverse", undefined],
  ["1\n", "0 reverse", 10],
  [missing, "0 reverse", undefined],
  ["\0\x01\x7f".repeat(5_000), "0", 10],
];

test("FILE_CHECK: each kind of file, from the start and when it becomes so", async () => {
  const path = (row: number): string => join(folder, `file${row}`);
  const write = (content: string, row: number): void => {
    rmSync(path(row), { recursive: true, force: true });
    if (content === directory) mkdirSync(path(row));
    else if (content !== missing) writeFileSync(path(row), content);
  };
  const tracks = files.map((_, row) => `track_file f${row} {\n file ${path(row)}\n}\n`).join("");
  const servers = files.map(([, counts], row) =>
    realServer("10.99.0.2", 1_000 + row, `FILE_CHECK { track_file f${row}; weight ${counts} }`, `weight ${weight}`),
  );
  const wanted = Object.fromEntries(
    files.flatMap(([, , expected], row) => (expected === undefined ? [] : [[`10.99.0.2:${1_000 + row}`, expected]])),
  );
  for (const [row, [content]] of files.entries()) write(content, row);
  const node = await nodes.start(tracks + service(servers));
  await vi.waitFor(() => expect(node.destinations()).toEqual(wanted), { timeout: 10_000 });
  // Whoever counts nothing that is 0 has the configured weight; a switch is thrown the other way round.
  const even = Object.fromEntries(files.map((_, row) => [`10.99.0.2:${1_000 + row}`, weight]));
  for (const [row, [, counts]] of files.entries()) write(counts === "0 reverse" ? "1\n" : "0\n", row);
  await vi.waitFor(() => expect(node.destinations()).toEqual(even), { timeout: 10_000 });
  for (const [row, [content]] of files.entries()) write(content, row);
  await vi.waitFor(() => expect(node.destinations()).toEqual(wanted), { timeout: 10_000 });
});

/** Ends of addresses: of the neighbor in the other namespace, and of ours. */
const sessions = { up: 11, "silent later": 12, "gone later": 13, "never there": 14, "never there, alpha": 15 } as const;
const networks = { 4: "10.99.0.", 6: "2001:db8::" } as const;

test.each([4, 6] as const)("BFD_CHECK over IPv%i: up, silent, gone, never there", async (family) => {
  const [length, more] = family === 4 ? ["24", []] : ["64", ["nodad"]];
  const address = (end: number): string => `${networks[family]}${end}`;
  for (const end of Object.values(sessions)) {
    world.ours.ip("address", "replace", `${address(end + 100)}/${length}`, "dev", "eth0", ...more);
    world.theirs.ip("address", "replace", `${address(end)}/${length}`, "dev", "eth0", ...more);
  }
  const session = (name: string, neighbor: number, source: number): string =>
    `bfd_instance ${name} {\nneighbor_ip ${address(neighbor)}\nsource_ip ${address(source)}\nmin_rx 50\nmin_tx 50\nmultiplier 6\n}\n`;
  const rows = Object.entries(sessions);
  const ours = rows.map(([, end]) => session(`s${end}`, end, end + 100)).join("");
  const theirs = (ends: readonly number[]): string =>
    ends.map((end) => session(`s${end}`, end + 100, end)).join("") + service([realServer("127.0.0.1", 9)]);
  const servers = rows.map(([state, end]) =>
    realServer(`10.0.0.${end}`, 80, `BFD_CHECK { name s${end}; ${state.endsWith("alpha") ? "alpha" : "alpha no"} }`),
  );
  const leaveOurs = world.theirs.enter();
  const peer = await others.start(theirs([11, 12, 13]));
  leaveOurs();
  const node = await nodes.start(ours + service(servers));
  const up = (...ends: readonly number[]) =>
    vi.waitFor(
      () => expect(node.destinations()).toEqual(Object.fromEntries(ends.map((end) => [`10.0.0.${end}:80`, 1]))),
      {
        timeout: 12_000,
      },
    );
  const told = () =>
    node.events("checker").flatMap(({ event }) => (event.type === "check-failed" ? [event.data.check] : []));
  await vi.waitFor(() => expect(peer.events("virtual-server").length).toBeGreaterThan(0));
  await up(11, 12, 13);
  const before = told().length;
  world.drop(`${family === 4 ? "ip" : "ip6"} daddr ${address(12)} drop`);
  await up(11, 13);
  // The others' end is told, and no silence that has to be waited for.
  const away = world.theirs.enter();
  peer.reload(theirs([11, 12]));
  away();
  await up(11);
  expect(told().slice(before)).toEqual(["BFD_CHECK s12", "BFD_CHECK s13"]);
  await world.clear();
  await up(11, 12);
});
