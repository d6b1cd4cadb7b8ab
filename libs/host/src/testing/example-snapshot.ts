// An empty configuration, applied: for tests of what only cares about generations.

import { config as emptyConfig } from "@baton/keepalived-conf/testing";
import { defaultSettings } from "../settings.ts";
import { type ConfigSnapshot, snapshotHash } from "../snapshot.ts";

export function exampleSnapshot(generation: number): ConfigSnapshot {
  const config = emptyConfig();
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
