// A reload of the checks of one server: what goes on, what begins, what ends. The same check (identity) keeps what it
// knows, its schedule and the run that is under way; only numbers change under it.
import { addMicros, type Instant } from "@baton/domain";
import { startCheck } from "./checker.ts";
import { type FollowedCheck, type FollowedConfig, startFollowed } from "./followed.ts";
import type { CheckConfig, Checker, CheckMoment } from "./types.ts";

export type ServerCheck = Checker | FollowedCheck;
export type ServerCheckConfig = CheckConfig | FollowedConfig;

export interface ReloadedChecks {
  /** As in the new configuration, in its order. */
  readonly checks: readonly ServerCheck[];
  /** Those that are gone: to be stopped. */
  readonly ended: readonly ServerCheck[];
}

export const isProbed = (check: ServerCheck): check is Checker => isProbedConfig(check.config);
const isProbedConfig = (config: ServerCheckConfig): config is CheckConfig =>
  config.type !== "FILE_CHECK" && config.type !== "BFD_CHECK";

/** `server`: `added`: it was not there before; else whether it is alive in its pool. Files' numbers are to be told again. */
export function reloadChecks(
  before: readonly ServerCheck[],
  next: readonly ServerCheckConfig[],
  server: "added" | "alive" | "down",
  moment: CheckMoment,
): ReloadedChecks {
  const left = byIdentity(before);
  const pairs = next.map((config) => ({ config, old: left.get(keyOf(config))?.shift() }));
  const carried = pairs.map(({ config, old }) =>
    old === undefined
      ? { check: begin(config, moment), isNew: true }
      : { check: carry(old, config, moment), isNew: false },
  );
  const doubt = server === "added" || isInDoubt(carried, server);
  const checks = carried.map(({ check }) => {
    if (!doubt || check.hasRun) return check;
    return server === "added" ? pessimistic(check) : decidesAtOnce(pessimistic(check));
  });
  return { checks, ended: [...left.values()].flat() };
}

const keyOf = ({ type, identity }: ServerCheckConfig): string => `${type} ${identity}`;

function byIdentity(checks: readonly ServerCheck[]): Map<string, ServerCheck[]> {
  const found = new Map<string, ServerCheck[]>();
  for (const check of checks) {
    const same = found.get(keyOf(check.config));
    if (same === undefined) found.set(keyOf(check.config), [check]);
    else same.push(check);
  }
  return found;
}

/**
 * One that goes on has failed, or the server is down and nothing is known about it: only then alpha checks that have not
 * run are down, and the first failure of any such check decides.
 */
function isInDoubt(
  carried: readonly { readonly check: ServerCheck; readonly isNew: boolean }[],
  server: "alive" | "down",
): boolean {
  if (carried.some(({ check, isNew }) => !isNew && !check.up)) return true;
  return server === "down" && !carried.some(({ check }) => check.hasRun);
}

const pessimistic = <T extends ServerCheck>(check: T): T =>
  check.config.type !== "FILE_CHECK" && check.config.alpha ? { ...check, up: false } : check;

const decidesAtOnce = (check: ServerCheck): ServerCheck =>
  isProbed(check) && check.config.type !== "SMTP_CHECK" ? { ...check, attempts: check.config.retry } : check;

const begin = (config: ServerCheckConfig, moment: CheckMoment): ServerCheck =>
  isProbedConfig(config) ? startCheck(config, "reload", moment) : startFollowed(config, "reload");

function carry(old: ServerCheck, config: ServerCheckConfig, moment: CheckMoment): ServerCheck {
  if (isProbed(old) && isProbedConfig(config)) return carryProbed(old, config, moment);
  if (isProbed(old) || isProbedConfig(config)) return begin(config, moment);
  const up = old.hasRun || config.type === "FILE_CHECK" ? old.up : old.up || !config.alpha;
  return { ...old, config, up };
}

/** Who has made as many attempts as the new `retry` allows fails with the next one. */
function carryProbed(old: Checker, config: CheckConfig, { now }: CheckMoment): Checker {
  const { phase } = old;
  const known = old.hasRun ? old.up : old.up || !config.alpha;
  const latest = addMicros(now, config.delayLoop);
  const dueAt = (at: Instant): Instant => (at > latest && old.hasRun ? latest : at);
  return {
    ...old,
    config,
    up: known,
    attempts: known ? Math.min(old.attempts, config.retry) : old.attempts,
    phase: phase.kind === "waiting" ? { kind: "waiting", dueAt: dueAt(phase.dueAt) } : phase,
  };
}
