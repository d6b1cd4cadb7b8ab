// What the notifier's tests are told and configured with.
import type { EventEnvelope } from "@baton/domain";
import { micros, priority, vrid } from "@baton/domain";
import type { ConfigSnapshot } from "@baton/host";
import type { Command, Config, GlobalConfig, InstanceConfig, NotifyConfig } from "@baton/keepalived-conf";
import type { StateChange } from "../state-change.ts";

export const command = (text: string, over: Partial<Command> = {}): Command => ({
  text,
  argv: text.split(" "),
  run: "exec",
  user: undefined,
  ...over,
});

export const noScripts: NotifyConfig = {
  master: undefined,
  backup: undefined,
  fault: undefined,
  stop: undefined,
  deleted: undefined,
  any: undefined,
};

export const instance = (over: Partial<InstanceConfig> = {}): InstanceConfig => ({
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
  trackScripts: [],
  trackPrimary: true,
  sourceAddress: undefined,
  addresses: [],
  excludedAddresses: [],
  garp: {
    delay: micros(5_000_000),
    repeat: 5,
    refresh: micros(0),
    refreshRepeat: 1,
    lowerPriorityDelay: micros(5_000_000),
    lowerPriorityRepeat: 5,
  },
  notify: noScripts,
  smtpAlert: false,
  v3ChecksumAsV2: false,
  lowerPriorityNoAdvert: false,
  higherPrioritySendAdvert: false,
  ...over,
});

export const global = (over: Partial<GlobalConfig> = {}): GlobalConfig => ({
  routerId: "LVS_DEVEL",
  notificationEmail: ["linuxedu@example.org", "mageedu@example.org"],
  notificationEmailFrom: "kanotify@example.org",
  smtpServer: { host: "127.0.0.1", port: 25 },
  smtpHeloName: undefined,
  smtpConnectTimeout: micros(3_000_000),
  enableScriptSecurity: false,
  scriptUser: undefined,
  ...over,
});

export const snapshot = (
  instances: readonly InstanceConfig[],
  over: Partial<Config> = {},
  generation = 1,
): ConfigSnapshot => ({
  generation,
  hash: "",
  file: "keepalived.conf",
  appliedAt: "",
  config: { global: global(), scripts: [], instances, syncGroups: [], virtualServers: [], ...over },
  settings: { nats: undefined, redis: undefined, otlp: undefined, hub: undefined, metrics: undefined, segments: {} },
});

export const change = (over: Partial<StateChange> = {}): StateChange => ({
  instance: "VI_1",
  state: "MASTER",
  priority: 101,
  interface: "eth0",
  vrid: 51,
  term: 7,
  reason: "master-down-expired",
  addresses: ["172.16.100.1"],
  order: { epoch: 1, version: 5 },
  at: 1_000_000,
  time: "2026-01-02T03:04:05.678901Z",
  cause: {
    id: "0190-e",
    correlationId: "0190-c",
    traceparent: "00-11111111111111111111111111111111-2222222222222222-01",
  },
  replayed: false,
  ...over,
});

/** A vrrp event's payload, as election would append it. */
export const vrrpEvent = {
  master: (
    name = "VI_1",
    over: { priority?: number; term?: number; reason?: string } = {},
  ): EventEnvelope["event"] => ({
    type: "became-master",
    data: {
      instance: name,
      vrid: 51,
      interface: "eth0",
      term: 7,
      priority: 101,
      reason: "master-down-expired",
      addresses: ["172.16.100.1"],
      ...over,
    },
  }),
  backup: (name = "VI_1"): EventEnvelope["event"] => ({
    type: "became-backup",
    data: {
      instance: name,
      vrid: 51,
      interface: "eth0",
      term: 7,
      priority: 100,
      reason: "higher-priority-advertisement",
      master: "10.0.0.2",
      masterPriority: 101,
    },
  }),
  fault: (name = "VI_1"): EventEnvelope["event"] => ({
    type: "entered-fault",
    data: {
      instance: name,
      vrid: 51,
      interface: "eth0",
      term: 7,
      priority: 100,
      causes: ["script chk down", "eth0 down"],
    },
  }),
  stop: (name = "VI_1", reason = "SIGTERM"): EventEnvelope["event"] => ({
    type: "instance-stopped",
    data: { instance: name, vrid: 51, interface: "eth0", term: 7, wasMaster: true, reason },
  }),
  priority: (name = "VI_1", to = 99): EventEnvelope["event"] => ({
    type: "priority-changed",
    data: { instance: name, vrid: 51, from: 101, to, base: 101, tracker: "chk", reason: "script down" },
  }),
} as const;
