// An empty configuration, applied: for tests of what only cares about generations.

import { secondsToMicros } from "@baton/domain";
import type { Config } from "@baton/keepalived-conf";
import { defaultSettings } from "../settings.ts";
import { type ConfigSnapshot, snapshotHash } from "../snapshot.ts";

const config: Config = {
  global: {
    routerId: "test-node",
    notificationEmail: [],
    notificationEmailFrom: undefined,
    smtpServer: undefined,
    smtpHeloName: undefined,
    smtpConnectTimeout: secondsToMicros(30),
    enableScriptSecurity: false,
    scriptUser: undefined,
  },
  scripts: [],
  instances: [],
  syncGroups: [],
  virtualServers: [],
};

export function exampleSnapshot(generation: number): ConfigSnapshot {
  const settings = { ...defaultSettings, segments: { eth0: `generation ${generation}` } };
  const appliedAt = "2026-01-01T00:00:00.000000Z";
  return {
    generation,
    hash: snapshotHash(config, settings),
    file: "/etc/keepalived.conf",
    appliedAt,
    config,
    settings,
  };
}
