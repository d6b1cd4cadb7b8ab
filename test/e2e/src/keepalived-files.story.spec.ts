// What users' tools have of keepalived they have of Baton: a signal to the pid of a file brings its state and statistics,
// and a FIFO tells of a failover.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Machine, waitFor } from "@baton/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backupConf, discard, labFor, masterConf } from "./pair.ts";

const lab = labFor("files", { beforeAll, afterAll });

/** What `keepalived --signum` says. */
const signals = { json: 36, data: 10, stats: 12 } as const;
type Kind = keyof typeof signals;

interface Dumped {
  readonly data: Readonly<Record<string, unknown>>;
  readonly stats: Readonly<Record<string, number>>;
}

const version3 = { advertInt: 0.2, password: "", instance: "version 3" } as const;
const fifo = (path: string): string => `global_defs {\n  notify_fifo ${path}\n}\n`;

/** Sends the signal, and waits for a file that is newer than the last. */
async function dump(machine: Machine, pid: number, kind: Kind): Promise<string> {
  const path = join(machine.directory, `keepalived.${kind}`);
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  return waitFor(`${machine.name}'s ${kind}`, () => {
    process.kill(pid, signals[kind]);
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    return text === before ? undefined : text;
  });
}

const json = async (machine: Machine, pid: number): Promise<Dumped> => {
  const [first] = JSON.parse(await dump(machine, pid, "json")) as Dumped[];
  if (first === undefined) throw new Error("no instance");
  return first;
};

const typesOf = (object: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, typeof value]));

test("an exporter's signals are answered with keepalived's keys, and a FIFO tells of a failover", async () => {
  const [one, two] = [lab.get().router("r1"), lab.get().router("r2")];
  const pipe = join(two.directory, "notify");
  const [r1, r2] = await Promise.all([
    one.startBaton(masterConf(version3), { env: { TMPDIR: one.directory } }),
    two.startBaton(backupConf({ ...version3, before: fifo(pipe) }), { env: { TMPDIR: two.directory } }),
  ]);
  try {
    await Promise.all([r1.waitReady(), r2.waitReady()]);
    await waitFor("the pipe", () => existsSync(pipe));
    const lines = join(two.directory, "lines");
    writeFileSync(lines, "");
    const reader = await two.spawn("reader", ["sh", "-c", `exec cat ${pipe} >> ${lines}`]);
    await r1.waitState("master");
    await r2.waitState("backup");

    const first = await json(one, r1.pid);
    expect(first.data).toMatchObject({ iname: "VI_1", ifp_ifname: "eth0", vrid: 51, state: 2, wantstate: 2 });
    expect(first.stats).toMatchObject({ become_master: expect.any(Number), packet_len_err: 0 });
    await waitFor("statistics that rise", async () => {
      const { stats } = await json(one, r1.pid);
      return Number(stats.advert_sent) > Number(first.stats.advert_sent);
    });
    expect(await dump(one, r1.pid, "stats")).toMatch(/^VRRP Instance: VI_1\n {2}Advertisements:\n/);
    expect(await dump(two, r2.pid, "data")).toContain("   State = BACKUP\n");

    await r1.stop();
    await r2.waitState("master");
    const taken = 'INSTANCE "VI_1" MASTER 100\n';
    await waitFor("the line", () => readFileSync(lines, "utf8").endsWith(taken));
    await r2.stop();
    await waitFor("the last line", () => readFileSync(lines, "utf8").endsWith(`${taken}INSTANCE "VI_1" STOP 100\n`));
    expect(existsSync(pipe)).toBe(false);
    await reader.stop();
  } finally {
    await Promise.all([r1, r2].map(discard));
  }
});

test("keepalived's own JSON of the same configuration has the same keys, of the same types", async () => {
  const [one, two] = [lab.get().router("r1"), lab.get().router("r2")];
  const program = join(two.directory, "keepalived-here");
  writeFileSync(program, `#!/bin/sh\nTMPDIR=${two.directory} exec keepalived "$@"\n`, { mode: 0o755 });
  const baton = await one.startBaton(masterConf(version3), { env: { TMPDIR: one.directory } });
  const keepalived = await two.startKeepalived(backupConf(version3), program);
  try {
    await Promise.all([baton.waitReady(), keepalived.waitState("BACKUP")]);
    const [ours, theirs] = [await json(one, baton.pid), await json(two, keepalived.pid)];
    expect(typesOf(ours.data)).toMatchObject(typesOf(theirs.data));
    expect(typesOf(ours.stats)).toMatchObject(typesOf(theirs.stats));
  } finally {
    await keepalived.stop();
    await discard(baton);
  }
});
