// Which vrrp_scripts of a configuration run, as whom, and what a reload means for those that run already.
import { type Config, isSameProgram, type TrackScriptConfig } from "@baton/keepalived-conf";
import type { UserIds } from "@baton/linux";
import { type Identity, identityOf, type UserLookup } from "@baton/script";
import { trackedOf } from "./tracked.ts";

/** A script that some instance or group uses. */
export interface TrackedScript {
  readonly script: TrackScriptConfig;
  readonly identity: Identity;
}

export function trackedScripts(config: Config, lookup: UserLookup, own: UserIds): Map<string, TrackedScript> {
  const scripts = [...trackedOf(config.scripts, config, "trackScripts").values()];
  const identify = ({ command }: TrackScriptConfig) => identityOf(command, config.global.scriptUser, lookup, own);
  return new Map(scripts.map((script) => [script.name, { script, identity: identify(script) }]));
}

/**
 * `same`: nothing to do. `renumbered`: the same command under new numbers: state and schedule are kept. `replaced`: another
 * command or user: it starts anew, and others keep the last value until its first result (keepalived: "keeping the instance up").
 */
export type Difference = "same" | "renumbered" | "replaced";

export function compareScripts(before: TrackedScript, after: TrackedScript): Difference {
  const { script, identity } = before;
  if (!isSameProgram(script.command, after.script.command) || !isSame(identity, after.identity)) return "replaced";
  const { command: _before, ...numbersBefore } = script;
  const { command: _after, ...numbersAfter } = after.script;
  return isSame(numbersBefore, numbersAfter) ? "same" : "renumbered";
}

/** Both are plain data of the same shape, made by the same code: their keys come in the same order. */
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
