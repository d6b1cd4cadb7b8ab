// The units of a configuration that can speak. Without its keys (`auth_hmac` in files) an instance would be deaf, and
// master beside another: it keeps the configuration that it has, or is not started; so does its whole group.
import { readFileSync } from "node:fs";
import type { ConfigSnapshot, Host } from "@baton/host";
import type { InstanceConfig } from "@baton/keepalived-conf";
import { identityOf, type UnitConfig, unitsOf } from "./config.ts";
import { withImpliedTrackers } from "./implied-trackers.ts";
import type { Roster } from "./roster.ts";
import { withTrackedQuorums } from "./tracked-quorums.ts";
import { toWireConfig } from "./wire-config.ts";

export function speakingUnits(
  { config, settings }: Pick<ConfigSnapshot, "config" | "settings">,
  roster: Roster,
  log: Host["log"],
): UnitConfig[] {
  const canSpeak = (instance: InstanceConfig): boolean => {
    try {
      toWireConfig(instance, readFileSync);
      return true;
    } catch (error) {
      log.error("an instance has no usable key", { instance: instance.name, error: String(error) });
      return false;
    }
  };
  return unitsOf(withTrackedQuorums(withImpliedTrackers(config), settings)).flatMap((unit) => {
    if (unit.members.every(canSpeak)) return [unit];
    const known = roster.get(identityOf(unit));
    return known === undefined ? [] : [{ ...unit, members: known.members.map(({ instance }) => instance) }];
  });
}
