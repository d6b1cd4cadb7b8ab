// What the notifier's tests are told and configured with.
import type { EventEnvelope } from "@baton/domain";
import { micros } from "@baton/domain";
import type { ConfigSnapshot } from "@baton/host";
import type { Config, GlobalConfig, InstanceConfig } from "@baton/keepalived-conf";
import { config, globalConfig, notifyConfig } from "@baton/keepalived-conf/testing";
import type { StateChange } from "../state-change.ts";

export { command, instanceConfig as instance } from "@baton/keepalived-conf/testing";

export const noScripts = notifyConfig();

export const global = (over: Partial<GlobalConfig> = {}): GlobalConfig =>
  globalConfig({
    routerId: "LVS_DEVEL",
    notificationEmail: ["linuxedu@example.org", "mageedu@example.org"],
    notificationEmailFrom: "kanotify@example.org",
    smtpServer: { host: "127.0.0.1", port: 25 },
    smtpConnectTimeout: micros(3_000_000),
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
  config: config({ global: global(), instances, ...over }),
  settings: { nats: undefined, redis: undefined, otlp: undefined, hub: undefined, metrics: undefined, segments: {} },
});

export const change = (over: Partial<StateChange> = {}): StateChange => ({
  subject: "instance",
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
  rival: (name = "VI_1"): EventEnvelope["event"] => ({
    type: "rival-heard",
    data: { instance: name, vrid: 51, interface: "eth0", term: 7, priority: 101, rival: "10.0.0.2", rivalPriority: 90 },
  }),
  priority: (name = "VI_1", to = 99): EventEnvelope["event"] => ({
    type: "priority-changed",
    data: { instance: name, vrid: 51, from: 101, to, base: 101, tracker: "chk", reason: "script down" },
  }),
} as const;
