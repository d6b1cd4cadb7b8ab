// Priority, state, pre-emption and times of an instance, in the order in which keepalived makes them fit together.
import { type Micros, micros, type Priority, priority, secondsToMicros } from "@baton/domain";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import type { Place } from "../report.ts";
import { type Block, setting, settings, value } from "../syntax/tree.ts";
import { adjust, type ResolveContext } from "./context.ts";
import type { Defaults } from "./defaults.ts";

const { keywords } = vrrpInstance;

export interface ElectionSettings {
  readonly priority: Priority;
  readonly initialState: "master" | "backup";
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  readonly advertInterval: Micros;
  readonly downTimerAdverts: number;
  readonly lowerPriorityNoAdvert: boolean;
  readonly higherPrioritySendAdvert: boolean;
  readonly ownerIgnoreAdverts: boolean;
  readonly timerExpiredBackup: number | undefined;
}

export interface ElectionContext extends ResolveContext {
  readonly block: Block<string>;
  readonly defaults: Defaults;
  readonly strict: boolean;
  readonly version: 2 | 3;
  /** `auth_type AH`: the number of the next advert is known only when another's was heard. */
  readonly mustListen: boolean;
}

const placeOf = ({ block }: ElectionContext, keyword: Parameters<typeof setting>[1]): Place =>
  setting(block, keyword)?.place ?? block.place;

export function resolveElection(context: ElectionContext): ElectionSettings {
  const { block } = context;
  const wanted = wantedState(context);
  const base = priority(value(block, keywords.priority) ?? (wanted === "master" ? 255 : 100));
  const initialState = fitState(wanted, base, context);
  const preempt = resolvePreempt(initialState, base, context);
  return {
    priority: base,
    initialState,
    preempt,
    preemptDelay: resolvePreemptDelay(initialState, preempt, context),
    advertInterval: resolveInterval(context),
    downTimerAdverts: resolveDownTimer(context),
    ...resolveAnswers(context),
    ownerIgnoreAdverts: resolveIgnore(base, context),
    timerExpiredBackup: resolveExpired(preempt, context),
  };
}

/** MASTER wins over BACKUP, whichever comes later; what is neither counts as BACKUP. */
function wantedState(context: ElectionContext): "master" | "backup" | undefined {
  let wanted: "master" | "backup" | undefined;
  for (const { value: word, place } of settings(context.block, keywords.state)) {
    if (word === "MASTER") wanted = "master";
    else if (word === "BACKUP" && wanted === "master")
      adjust(context, place, "repeated", "state was MASTER before; BACKUP is ignored", { used: "state MASTER" });
    else {
      if (word !== "BACKUP")
        adjust(context, place, "state", `'${word}' is no state`, {
          hint: "write MASTER or BACKUP, in capitals",
          used: "state BACKUP",
        });
      wanted = "backup";
    }
  }
  return wanted;
}

function fitState(
  wanted: "master" | "backup" | undefined,
  base: Priority,
  context: ElectionContext,
): "master" | "backup" {
  const owner = base === 255 ? "master" : "backup";
  if (wanted === undefined) return owner;
  const place = placeOf(context, keywords.state);
  if (context.strict && wanted !== owner) {
    const message = `strict: state has to be ${owner.toUpperCase()} with priority ${base}`;
    adjust(context, place, "strict", message, { used: `state ${owner.toUpperCase()}` });
    return owner;
  }
  if (wanted === "backup" || base === 255 || !context.mustListen) return wanted;
  const message = "auth_type AH: an advert has to be heard before it can be master";
  adjust(context, place, "auth-state", message, { used: "state BACKUP" });
  return "backup";
}

function resolvePreempt(state: "master" | "backup", base: Priority, context: ElectionContext): boolean {
  const last = [...settings(context.block, keywords.preempt), ...settings(context.block, keywords.nopreempt)]
    .toSorted((a, b) => a.order - b.order)
    .at(-1);
  if (last?.keyword !== keywords.nopreempt) return true;
  const conflict = base === 255 ? "priority 255" : state === "master" ? "state MASTER" : undefined;
  if (conflict === undefined) return false;
  adjust(
    context,
    last.place,
    "lint/nopreempt-ignored",
    `nopreempt does not go with ${conflict} and is ignored`,
    "write state BACKUP and a priority below 255",
  );
  return true;
}

function resolvePreemptDelay(state: "master" | "backup", preempt: boolean, context: ElectionContext): Micros {
  const delay = value(context.block, keywords.preemptDelay) ?? micros(0);
  const conflict =
    state === "master" ? "state MASTER" : context.strict ? "strict mode" : preempt ? undefined : "nopreempt";
  if (delay === 0 || conflict === undefined) return delay;
  adjust(
    context,
    placeOf(context, keywords.preemptDelay),
    "preempt-delay",
    `preempt_delay does not go with ${conflict} and is ignored`,
  );
  return micros(0);
}

/** VRRPv2 counts whole seconds in 8 bits, VRRPv3 centiseconds in 12 bits. */
function resolveInterval(context: ElectionContext): Micros {
  const wanted = value(context.block, keywords.advertInterval) ?? secondsToMicros(1);
  const unit = context.version === 2 ? 1_000_000 : 10_000;
  const most = context.version === 2 ? 255 : 4095;
  const fitting = micros(Math.min(most, Math.max(1, Math.round(wanted / unit))) * unit);
  if (fitting !== wanted) {
    const rule =
      context.version === 2 ? "VRRPv2 knows whole seconds up to 255" : "VRRPv3 knows steps of 10 ms up to 40.95 s";
    adjust(context, placeOf(context, keywords.advertInterval), "advert-interval", rule, {
      used: `advert_int ${fitting / 1_000_000}`,
      hint: "write version 3 for less than a second",
    });
  }
  return fitting;
}

function resolveDownTimer(context: ElectionContext): number {
  const adverts = value(context.block, keywords.downTimerAdverts) ?? context.defaults.downTimerAdverts;
  if (!context.strict || adverts === 3) return adverts;
  adjust(context, placeOf(context, keywords.downTimerAdverts), "strict", "strict: down_timer_adverts has to be 3", {
    used: "down_timer_adverts 3",
  });
  return 3;
}

function resolveAnswers(
  context: ElectionContext,
): Pick<ElectionSettings, "lowerPriorityNoAdvert" | "higherPrioritySendAdvert"> {
  const { block, defaults, strict } = context;
  const lower = value(block, keywords.lowerPriorityNoAdvert);
  const higher = value(block, keywords.higherPrioritySendAdvert);
  if (strict && lower === false) {
    adjust(
      context,
      placeOf(context, keywords.lowerPriorityNoAdvert),
      "strict",
      "strict: lower_prio_no_advert has to be on",
      { used: "lower_prio_no_advert on" },
    );
  }
  if (strict && higher === true) {
    adjust(
      context,
      placeOf(context, keywords.higherPrioritySendAdvert),
      "strict",
      "strict: higher_prio_send_advert has to be off",
      { used: "higher_prio_send_advert off" },
    );
  }
  return {
    lowerPriorityNoAdvert: strict || (lower ?? defaults.lowerPriorityNoAdvert),
    higherPrioritySendAdvert: !strict && (higher ?? defaults.higherPrioritySendAdvert),
  };
}

/** Only the owner of the addresses may be deaf; in keepalived it cannot choose not to be, when it says so at all. */
function resolveIgnore(base: Priority, context: ElectionContext): boolean {
  const given = setting(context.block, keywords.ownerIgnoreAdverts);
  if (given === undefined) return base === 255 && (context.strict || context.defaults.ownerIgnoreAdverts);
  if (base === 255 && !given.value) {
    const message = "owner_ignore_adverts cannot be switched off with priority 255";
    adjust(context, given.place, "owner-ignore", message, { used: "owner_ignore_adverts" });
  } else if (base !== 255 && given.value)
    adjust(context, given.place, "owner-ignore", `owner_ignore_adverts has no effect with priority ${base}`);
  return base === 255;
}

function resolveExpired(preempt: boolean, context: ElectionContext): number | undefined {
  const given = setting(context.block, keywords.timerExpiredBackup);
  if (given === undefined || !preempt) return given?.value;
  adjust(context, given.place, "timer-expired", "timer_expired_backup has no effect without nopreempt");
  return undefined;
}
