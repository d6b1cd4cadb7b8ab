// The user's own files: each has to give exactly the Config that it means.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Micros, micros, priority, secondsToMicros, vrid } from "@baton/domain";
import { describe, expect, test } from "vitest";
import type {
  CheckConnection,
  CheckerConfig,
  Command,
  Config,
  InstanceConfig,
  RealServerConfig,
  TrackScriptConfig,
} from "./config.ts";
import { exitCodeOf, isFatal } from "./diagnostics.ts";
import {
  config as exampleConfig,
  globalConfig,
  instanceConfig,
  ip,
  notifyConfig,
  virtualAddress,
} from "./testing/examples.ts";
import { codes, parse } from "./testing/parse.ts";

const folder = join(import.meta.dirname, "../../../../shared/seed-configs");
const present = existsSync(folder);
if (!present) console.warn("SKIPPED: ../shared/seed-configs is not there");

/** The machine on which the expected verdicts were taken: killall is there, the user's own scripts are not. */
const parseSeed = (file: string) =>
  parse(readFileSync(join(folder, file), "utf8"), {
    executable: (name) => name === "killall",
    userExists: (name) => name === "root",
    interfaceExists: (name) => name === "eth0",
  });

const seconds = (count: number): Micros => secondsToMicros(count);

/** Of what these files do not speak of, the examples have the defaults. */
const global = (recipients: string[], from: string, timeout: number): Config["global"] =>
  globalConfig({
    routerId: "LVS_DEVEL",
    notificationEmail: recipients,
    notificationEmailFrom: from,
    smtpServer: { host: "127.0.0.1", port: 25 },
    smtpConnectTimeout: seconds(timeout),
  });
const magedu = ["linuxedu@foxmail.com", "mageedu@126.com"];

const maintenance = (name: string, interval: number, weight: number): TrackScriptConfig => ({
  name,
  command: {
    text: "[[ -f /etc/keepalived/down ]] && exit 1 || exit 0",
    argv: ["[[", "-f", "/etc/keepalived/down", "]]", "&&", "exit", "1", "||", "exit", "0"],
    run: "shell",
    user: undefined,
  },
  interval: seconds(interval),
  timeout: seconds(interval),
  weight,
  reverse: false,
  rise: 1,
  fall: 1,
  initFail: false,
});

const killall = (name: string, text: string, argv: string[], fall = 1): TrackScriptConfig => ({
  name,
  command: { text, argv, run: "exec", user: undefined },
  interval: seconds(1),
  timeout: seconds(1),
  weight: 2,
  reverse: false,
  rise: 1,
  fall,
  initFail: false,
});

const notify = (state: string): Command => ({
  text: `/etc/keepalived/notify.sh ${state}`,
  argv: ["/etc/keepalived/notify.sh", state],
  run: "exec",
  user: undefined,
});
const noNotify = notifyConfig();
const allNotify = notifyConfig({ master: notify("master"), backup: notify("backup"), fault: notify("fault") });

const first = (address: string, trackScripts: InstanceConfig["trackScripts"]): InstanceConfig => {
  const example = instanceConfig();
  return {
    ...example,
    name: "VI_1",
    interface: "eth0",
    family: 4,
    version: 2,
    vrid: vrid(51),
    priority: priority(101),
    initialState: "master",
    advertInterval: seconds(1),
    downTimerAdverts: 3,
    preempt: true,
    preemptDelay: micros(0),
    authentication: { type: "pass", password: "password" },
    trackScripts,
    addresses: [virtualAddress(`${address}/16`, { label: "eth0:0" })],
    garp: { ...example.garp, delay: seconds(1), repeat: 5, lowerPriorityDelay: seconds(5), lowerPriorityRepeat: 5 },
    notify: allNotify,
  };
};

const second = (address: string, trackScripts: InstanceConfig["trackScripts"]): InstanceConfig => {
  const base = first(address, trackScripts);
  const addresses = base.addresses.map((line) => ({ ...line, label: "eth0:1" }));
  const role = { name: "VI_2", vrid: vrid(52), priority: priority(100), initialState: "backup" } as const;
  return { ...base, ...role, addresses, notify: noNotify };
};

const ref = (name: string, weight: number) => ({ name, weight, reverse: false });

describe.skipIf(!present)("seed configurations", () => {
  test("HAProxy, active and backup", () => {
    const { config, diagnostics } = parseSeed("haproxy-active-backup.conf");
    expect(config).toEqual({
      ...exampleConfig(),
      global: global(magedu, "kanotify@magedu.com", 30),
      scripts: [
        killall("chk_haproxy", "killall -0 haproxy", ["killall", "-0", "haproxy"]),
        maintenance("chk_mantaince_down", 1, -2),
      ],
      instances: [first("172.16.100.1", [ref("chk_haproxy", 2), ref("chk_mantaince_down", -2)])],
    });
    expect(exitCodeOf(diagnostics)).toBe(6);
    expect(isFatal(diagnostics)).toBe(false);
  });

  test("HAProxy, each router master of one address", () => {
    const { config, diagnostics } = parseSeed("haproxy-dual-master.conf");
    const tracked = [ref("chk_haproxy", 2), ref("chk_mantaince_down", 2)];
    expect(config).toEqual({
      ...exampleConfig(),
      global: global(magedu, "kanotify@magedu.com", 3),
      scripts: [
        killall("chk_haproxy", "killall -0 haproxy", ["killall", "-0", "haproxy"]),
        maintenance("chk_mantaince_down", 1, 2),
      ],
      instances: [first("172.16.100.1", tracked), second("172.16.100.2", tracked)],
    });
    expect(exitCodeOf(diagnostics)).toBe(6);
    expect(isFatal(diagnostics)).toBe(false);
  });

  test("nginx: cut passwords, a script that nobody defined, Chinese comments", () => {
    const result = parseSeed("nginx-dual-master.conf");
    expect(result.config).toEqual({
      ...exampleConfig(),
      global: global(["root@localhost"], "kaadmin@magedu.com", 30),
      scripts: [
        killall("chk_nginx", "killall -0 nginx ", ["killall", "-0", "nginx"], 2),
        maintenance("chk_mantaince_down", 1, 2),
      ],
      instances: [
        first("172.16.100.100", [ref("chk_nginx", 2), ref("chk_mantaince_down", 2)]),
        second("172.16.100.200", [ref("chk_mantaince_down", 2)]),
      ],
    });
    expect(exitCodeOf(result.diagnostics)).toBe(6);
    expect(codes(result).filter((code) => /auth-pass|script-unknown/.test(code))).toEqual([
      "auth-pass-cut 34:3",
      "auth-pass-cut 62:3",
      "script-unknown 71:3",
    ]);
  });

  const routed = { method: "direct-route" } as const;
  const unchecked = {
    delayLoop: seconds(6),
    connectTimeout: seconds(5),
    retry: undefined,
    delayBeforeRetry: undefined,
    warmup: undefined,
  };
  const director = (realServers: RealServerConfig[], persistence: number, sorry: boolean): Config => ({
    ...exampleConfig(),
    global: global(magedu, "kanotify@magedu.com", 3),
    scripts: [maintenance("chk_schedown", 2, -2)],
    instances: [{ ...first("172.16.100.1", [ref("chk_schedown", -2)]), notify: noNotify }],
    virtualServers: [
      {
        id: { kind: "address", address: ip("172.16.100.1"), port: 80 },
        family: 4,
        protocol: "tcp",
        scheduler: "rr",
        schedulerFlags: [],
        onePacket: false,
        persistence: { timeout: seconds(persistence), granularity: undefined, engine: undefined },
        forwarding: routed,
        quorum: 1,
        hysteresis: 0,
        alpha: false,
        omega: false,
        haSuspend: false,
        smtpAlert: false,
        quorumUp: undefined,
        quorumDown: undefined,
        snmpName: undefined,
        checkDefaults: unchecked,
        realServers,
        sorryServer: sorry ? { address: ip("127.0.0.1"), port: 80, forwarding: routed, inhibit: false } : undefined,
      },
    ],
  });
  const real = (address: string, checker: (connection: CheckConnection) => CheckerConfig): RealServerConfig => ({
    address: ip(address),
    port: 80,
    weight: 1,
    forwarding: routed,
    upperThreshold: 0,
    lowerThreshold: 0,
    inhibitOnFailure: false,
    alpha: false,
    smtpAlert: true,
    notifyUp: undefined,
    notifyDown: undefined,
    snmpName: undefined,
    checkers: [
      checker({
        address: ip(address),
        port: 80,
        bindAddress: undefined,
        bindPort: undefined,
        bindInterface: undefined,
        timeout: seconds(3),
        mark: 0,
      }),
    ],
  });
  const times = { alpha: false, delayLoop: seconds(6), warmup: seconds(6), logAllFailures: false };

  test("LVS by direct routing with HTTP_GET", () => {
    const { config, diagnostics } = parseSeed("lvs-dr-http-get.conf");
    const get = (connection: CheckConnection): CheckerConfig => ({
      type: "HTTP_GET",
      ...times,
      retry: 3,
      delayBeforeRetry: seconds(3),
      connection,
      httpVersion: "1.0",
      closeConnection: false,
      fastRecovery: false,
      urls: [
        {
          path: "/",
          host: undefined,
          statusCodes: [{ min: 200, max: 200 }],
          digest: undefined,
          regex: undefined,
        },
      ],
    });
    expect(config).toEqual(director([real("172.16.100.11", get), real("172.16.100.12", get)], 50, false));
    expect(exitCodeOf(diagnostics)).toBe(5);
  });

  test("LVS with TCP_CHECK and a sorry server: tcp_port is no keyword", () => {
    const result = parseSeed("lvs-dr-tcp-check-sorry.conf");
    const check = (connection: CheckConnection): CheckerConfig => ({
      type: "TCP_CHECK",
      ...times,
      retry: 1,
      delayBeforeRetry: seconds(1),
      connection,
    });
    const servers = [real("172.16.100.11", check), real("172.16.100.12", check)];
    expect(result.config).toEqual(director(servers, 300, true));
    expect(exitCodeOf(result.diagnostics)).toBe(5);
    const unknown = result.diagnostics.find(({ code }) => code === "unknown-keyword");
    expect(unknown).toMatchObject({ line: 58, column: 4, severity: "warning", hint: "did you mean connect_port?" });
  });
});
