// A health service on a test host with the machine's own clock, since its scripts are real processes.
import { micros, priority, vrid } from "@baton/domain";
import type { ConfigSnapshot } from "@baton/host";
import { createTestHost, type TestClock, type TestHost } from "@baton/host/testing";
import type { Command, InstanceConfig, TrackScriptConfig } from "@baton/keepalived-conf";
import { bootNow, wallMicros } from "@baton/linux";

export const realClock: TestClock = { now: bootNow, wall: wallMicros, set: () => undefined, advance: () => undefined };

export const command = (text: string, over: Partial<Command> = {}): Command => ({
  text,
  argv: text.split(" "),
  run: "exec",
  user: undefined,
  ...over,
});
export const shell = (text: string): Command => command(text, { run: "shell" });

export const script = (name: string, over: Partial<TrackScriptConfig> = {}): TrackScriptConfig => ({
  name,
  command: command("true"),
  interval: micros(50_000),
  timeout: micros(1_000_000),
  weight: 2,
  reverse: false,
  rise: 1,
  fall: 1,
  initFail: false,
  ...over,
});

const instance = (tracked: readonly string[]): InstanceConfig => ({
  name: "VI_1",
  interface: "eth0",
  family: 4,
  version: 2,
  vrid: vrid(51),
  priority: priority(100),
  initialState: "backup",
  advertInterval: micros(1_000_000),
  downTimerAdverts: 3,
  preempt: true,
  preemptDelay: micros(0),
  authentication: undefined,
  trackInterfaces: [],
  trackScripts: tracked.map((name) => ({ name, weight: 2, reverse: false })),
  trackPrimary: true,
  sourceAddress: undefined,
  addresses: [],
  excludedAddresses: [],
  garp: {
    delay: micros(0),
    repeat: 1,
    refresh: micros(0),
    refreshRepeat: 1,
    lowerPriorityDelay: micros(0),
    lowerPriorityRepeat: 1,
  },
  notify: {
    master: undefined,
    backup: undefined,
    fault: undefined,
    stop: undefined,
    deleted: undefined,
    any: undefined,
  },
  smtpAlert: false,
  v3ChecksumAsV2: false,
  lowerPriorityNoAdvert: false,
  higherPrioritySendAdvert: false,
});

export const snapshot = (
  scripts: readonly TrackScriptConfig[],
  generation = 1,
  tracked = scripts.map(({ name }) => name),
): ConfigSnapshot => ({
  generation,
  hash: "",
  file: "keepalived.conf",
  appliedAt: "",
  config: {
    global: {
      routerId: "r1",
      notificationEmail: [],
      notificationEmailFrom: undefined,
      smtpServer: undefined,
      smtpHeloName: undefined,
      smtpConnectTimeout: micros(30_000_000),
      enableScriptSecurity: false,
      scriptUser: undefined,
    },
    scripts,
    instances: [instance(tracked)],
    syncGroups: [],
    virtualServers: [],
  },
  settings: { nats: undefined, redis: undefined, otlp: undefined, hub: undefined, metrics: undefined, segments: {} },
});

export const healthHost = (config: ConfigSnapshot, restarts = 0): TestHost =>
  createTestHost({ service: "health", clock: realClock, config, env: { restarts } });
