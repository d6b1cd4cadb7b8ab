import { type Micros, secondsToMicros } from "@baton/domain";
import type { SyncDaemonConfig } from "@baton/keepalived-conf";
import { describe, expect, test } from "vitest";
import { daemonOptions, planDaemons, planTimeouts, wantedDaemons } from "./daemon.ts";
import type { SyncDaemon } from "./model.ts";
import { ip } from "./testing/mod.ts";

const config: SyncDaemonConfig = {
  interface: "eth1",
  instance: "VI_1",
  id: 51,
  maxLength: undefined,
  port: undefined,
  ttl: undefined,
  group: undefined,
};

const own = { options: daemonOptions(config) };

/** As the kernel tells of it: nothing is left open. */
const running = (role: SyncDaemon["role"], changes: Partial<SyncDaemon> = {}): SyncDaemon => ({
  role,
  interface: "eth1",
  id: 51,
  maxLength: 1460,
  group: ip("224.0.0.81"),
  port: 8848,
  ttl: 1,
  ...changes,
});

describe("the sync daemon", () => {
  test("follows its instance, and has both roles without one", () => {
    const roles = (instance: string | undefined, master: boolean) =>
      wantedDaemons({ ...config, instance }, master).map(({ role }) => role);
    expect([roles("VI_1", true), roles("VI_1", false)]).toEqual([["master"], ["backup"]]);
    expect([roles(undefined, true), roles(undefined, false)]).toEqual([
      ["master", "backup"],
      ["master", "backup"],
    ]);
    expect(wantedDaemons(undefined, true)).toEqual([]);
  });

  test("stops one role before it starts the other", () => {
    expect(planDaemons(config, true, [running("backup")], own)).toEqual([
      { kind: "stop-daemon", role: "backup" },
      { kind: "start-daemon", daemon: wantedDaemons(config, true)[0] },
    ]);
  });

  test("what the file leaves open is as the kernel has it, whoever told it so", () => {
    const other = running("master", { port: 9_000, ttl: 7 });
    for (const before of [own, undefined, { options: undefined }]) {
      expect(planDaemons(config, true, [other], before)).toEqual([]);
    }
  });

  test.each<[string, Partial<SyncDaemonConfig>, Partial<SyncDaemon>]>([
    ["maximum length", { maxLength: 500 }, { maxLength: 500 }],
    ["port", { port: 8849 }, { port: 8849 }],
    ["ttl", { ttl: 2 }, { ttl: 2 }],
    ["group", { group: ip("224.0.0.82") }, { group: ip("224.0.0.82") }],
  ])("a %s that the file does not say any more is taken back where we had told it", (_, changes, there) => {
    const before = { options: daemonOptions({ ...config, ...changes }) };
    const planned = planDaemons(config, true, [running("master", there)], before);
    expect(planned.map(({ kind }) => kind)).toEqual(["stop-daemon", "start-daemon"]);
    expect(planDaemons(config, true, [], before).map(({ kind }) => kind)).toEqual(["start-daemon"]);
  });

  test("a backup of short messages takes in longer ones, and is as it was told", () => {
    const short = { ...config, maxLength: 500 };
    expect(planDaemons(short, false, [running("backup", { maxLength: 1_024 })], undefined)).toEqual([]);
    expect(planDaemons(short, true, [running("master", { maxLength: 1_024 })], undefined)).toHaveLength(2);
    const long = { ...config, maxLength: 2_000 };
    expect(planDaemons(long, false, [running("backup", { maxLength: 1_024 })], undefined)).toHaveLength(2);
  });

  test("what does not go into one packet with its headers is shorter, and right", () => {
    const group = ip("ff02::81");
    const six = { ...config, group, maxLength: 65_507 };
    expect(planDaemons(six, true, [running("master", { group, maxLength: 65_487 })], undefined)).toEqual([]);
    const four = { ...config, maxLength: 65_507 };
    expect(planDaemons(four, true, [running("master", { maxLength: 65_507 })], undefined)).toEqual([]);
    expect(planDaemons(four, true, [running("master", { maxLength: 65_487 })], undefined)).toHaveLength(2);
  });

  test.each<[string, Partial<SyncDaemonConfig>]>([
    ["interface", { interface: "eth2" }],
    ["id", { id: 52 }],
    ["maximum length", { maxLength: 500 }],
    ["port", { port: 8849 }],
    ["ttl", { ttl: 2 }],
    ["group", { group: ip("224.0.0.82") }],
  ])("another %s: it is stopped and started", (_, changes) => {
    const planned = planDaemons({ ...config, ...changes }, true, [running("master")], undefined);
    expect(planned.map(({ kind }) => kind)).toEqual(["stop-daemon", "start-daemon"]);
  });

  test("of another's daemon nothing is wanted, and nothing done", () => {
    expect(planDaemons(undefined, true, [running("master"), running("backup")], undefined)).toEqual([]);
    expect(planDaemons(undefined, true, [running("master")], own)).toEqual([{ kind: "stop-daemon", role: "master" }]);
  });
});

describe("timeouts", () => {
  const current = { tcp: 900, tcpFin: 120, udp: 300 };
  const seconds = (tcp?: number, tcpFin?: number, udp?: number) => {
    const micros = (value: number | undefined): Micros | undefined =>
      value === undefined ? value : secondsToMicros(value);
    return { tcp: micros(tcp), tcpFin: micros(tcpFin), udp: micros(udp) };
  };

  test("what is said and is not so is set, and nothing else", () => {
    expect(planTimeouts(seconds(900, 30), current)).toEqual({ tcp: 0, tcpFin: 30, udp: 0 });
    expect(planTimeouts(seconds(1, 2, 3), current)).toEqual({ tcp: 1, tcpFin: 2, udp: 3 });
  });

  test("nothing is set where nothing is said, or all is so", () => {
    expect(planTimeouts(seconds(), current)).toBeUndefined();
    expect(planTimeouts(seconds(900, 120, 300), current)).toBeUndefined();
  });
});
