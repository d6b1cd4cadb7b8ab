// `vrrp_script` blocks.
import { micros, secondsToMicros } from "@baton/domain";
import type { TrackScriptConfig } from "../config.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { vrrpScript } from "../keywords/vrrp-script.ts";
import type { Place } from "../report.ts";
import { type Block, blocksOf, isSet, setting, value } from "../syntax/tree.ts";
import { toScriptUser } from "./account.ts";
import { type CommandContext, resolveCommandAs, resolveRunner } from "./command.ts";
import { advise, reject } from "./context.ts";
import type { Trackable } from "./tracking.ts";

/** A script as others name it. */
export interface KnownScript extends Trackable {
  readonly place: Place;
  /** undefined: it cannot run. */
  readonly config: TrackScriptConfig | undefined;
}

const { keywords } = vrrpScript;

export function resolveScripts(root: Block, context: CommandContext): ReadonlyMap<string, KnownScript> {
  const known = new Map<string, KnownScript>();
  // Without an instance keepalived does not look at scripts at all.
  const watched = blocksOf(root, vrrpInstance).length > 0;
  const role = watched ? "check" : "event";
  const inRole = watched ? context : { ...context, programs: [] };
  for (const block of blocksOf(root, vrrpScript)) {
    const script = resolveScript(block, role, inRole);
    const first = known.get(script.name);
    if (first === undefined || first.state === "left-out") known.set(script.name, script);
    else if (script.state !== "left-out") {
      advise(
        context,
        block.place,
        "lint/duplicate-script",
        `vrrp_script ${script.name} was defined before; this one is never used`,
        "give it another name",
      );
    }
  }
  return known;
}

function resolveScript(block: Block<string>, role: "check" | "event", context: CommandContext): KnownScript {
  const name = block.header;
  const { weight, reverse } = value(block, keywords.weight) ?? { weight: 0, reverse: false };
  const known = { name, place: block.place, order: block.order, weight, reverse };
  const leftOut = { ...known, state: "left-out", config: undefined } as const;
  const script = setting(block, keywords.script);
  if (script?.value === undefined) {
    reject(
      context,
      block.place,
      "no-script",
      `vrrp_script ${name} has no script and is left out`,
      'write script "COMMAND"',
    );
    return leftOut;
  }
  const what = `vrrp_script ${name}`;
  const source = { script: script.value, place: script.place, what, role, user: userOf(block, context) };
  // Who runs it keepalived looks up in any case.
  const runner = resolveRunner({ ...source, role: "check" }, context);
  if (runner === undefined) return leftOut;
  const command = resolveCommandAs(source, runner, context);
  const interval = value(block, keywords.interval) ?? secondsToMicros(1);
  const timeout = value(block, keywords.timeout) ?? interval;
  if (timeout > interval) {
    const place = setting(block, keywords.timeout)?.place ?? block.place;
    advise(
      context,
      place,
      "lint/long-timeout",
      `${what}: a run that takes longer than the interval delays the next`,
      "make timeout at most interval",
    );
  }
  const config = command && {
    name,
    command,
    interval,
    timeout: micros(timeout),
    weight,
    reverse,
    rise: value(block, keywords.rise) ?? 1,
    fall: value(block, keywords.fall) ?? 1,
    initFail: isSet(block, keywords.initFail),
  };
  return { ...known, state: config === undefined ? "disabled" : "works", config };
}

function userOf(block: Block, context: CommandContext) {
  const given = setting(block, keywords.user);
  return given && { value: toScriptUser(given.value, context.defaults.supplementaryGroups), place: given.place };
}

/** Scripts that nobody tracks do not run. */
export function usedScripts(
  known: ReadonlyMap<string, KnownScript>,
  tracked: ReadonlySet<string>,
  context: CommandContext,
): TrackScriptConfig[] {
  const used: TrackScriptConfig[] = [];
  for (const { name, place, config } of known.values()) {
    if (config === undefined) continue;
    if (tracked.has(name)) used.push(config);
    else {
      const message = `vrrp_script ${name} is tracked by nobody and does not run`;
      advise(context, place, "lint/unused-script", message, "name it in a track_script block");
    }
  }
  return used;
}

/**
 * keepalived runs any script as root unless it is told to look at who could change it. It does not come to say so where
 * an interface is missing.
 */
export function checkScriptSecurity(context: CommandContext, keepalivedStopsBefore: boolean): void {
  const first = context.programs[0];
  if (first === undefined || context.defaults.enableScriptSecurity) return;
  context.report({
    place: first,
    severity: "warning",
    code: "script-security",
    errorClass: keepalivedStopsBefore ? "ok" : "security-error",
    message: "scripts run without enable_script_security",
    hint: "add enable_script_security and script_user to global_defs",
  });
}
