// What instances, scripts and servers take from `global_defs`. keepalived's parent reads all of global_defs before its
// children read anything else, so their place in the file does not matter. (On a reload the children read them anew, and
// an instance that stands above takes keepalived's own defaults of vrrp_garp_master_* and vrrp_min_garp,
// vrrp_down_timer_adverts, v3_checksum_as_v2 and vrrp_skip_check_adv_addr: its addresses are announced otherwise than after
// a start. Here a file means the same at any time.)
import { type IpAddress, micros, parseIp, secondsToMicros } from "@baton/domain";
import type { GarpConfig, GarpExtraConfig } from "../config.ts";
import { globalDefs } from "../keywords/global-defs.ts";
import type { Keyword } from "../keywords/table.ts";
import { repeated } from "../syntax/problems.ts";
import { type Block, blocksOf, isSet, settings, value } from "../syntax/tree.ts";
import { type DefaultUser, resolveDefaultUser } from "./account.ts";
import type { ResolveContext } from "./context.ts";

const { keywords } = globalDefs;

/** Settings of global_defs that others inherit. */
export interface Defaults extends DefaultUser {
  readonly version: 2 | 3;
  readonly strict: boolean;
  readonly multicastGroup4: IpAddress;
  readonly multicastGroup6: IpAddress;
  readonly garp: GarpConfig;
  readonly garpExtra: GarpExtraConfig;
  readonly downTimerAdverts: number;
  readonly lowerPriorityNoAdvert: boolean;
  readonly higherPrioritySendAdvert: boolean;
  readonly ownerIgnoreAdverts: boolean;
  readonly v3ChecksumAsV2: boolean;
  readonly skipCheckAddresses: boolean;
  readonly checkUnicastSource: boolean;
  readonly notifyPriorityChanges: boolean;
  /** Of instances and groups. */
  readonly smtpAlert: boolean;
  /** Of virtual and real servers; undefined: nothing was said, and mail is sent for real servers only. */
  readonly smtpAlertChecker: boolean | undefined;
  readonly checkerLogAllFailures: boolean;
  readonly dynamicInterfaces: boolean;
  /** Of static addresses that name none. */
  readonly defaultInterface: string;
  readonly supplementaryGroups: boolean;
  readonly enableScriptSecurity: boolean;
}

/** The groups of the RFC: who listens there needs no other. */
export const standardGroups = {
  4: parseIp("224.0.0.18") as IpAddress,
  6: parseIp("ff02::12") as IpAddress,
} as const;

/** All blocks as one. */
export function mergeGlobals(root: Block, context: ResolveContext): Block {
  const all = blocksOf(root, globalDefs);
  const merged: Block = {
    spec: globalDefs,
    header: undefined,
    place: all[0]?.place ?? root.place,
    order: 0,
    settings: all.flatMap((block) => block.settings),
    lists: all.flatMap((block) => block.lists),
    blocks: [],
  };
  if (all.length > 1) reportRepeated(merged, context);
  return merged;
}

/** Inside of one block it was said already. */
function reportRepeated({ settings: all }: Block, { report }: ResolveContext): void {
  const seen = new Set<Keyword<unknown>>();
  for (const { keyword, place } of all) {
    if (keyword.repeat === "first" && seen.has(keyword)) report(repeated(place, keyword.name));
    seen.add(keyword);
  }
}

export function resolveDefaults(globals: Block, context: ResolveContext): Defaults {
  const enableScriptSecurity = isSet(globals, keywords.enableScriptSecurity);
  const smtpAlert = value(globals, keywords.smtpAlert);
  const flag = (keyword: Keyword<boolean>): boolean => value(globals, keyword) ?? false;
  return {
    version: value(globals, keywords.version) === 3 ? 3 : 2,
    strict: flag(keywords.strict),
    multicastGroup4: value(globals, keywords.multicastGroup4) ?? standardGroups[4],
    multicastGroup6: value(globals, keywords.multicastGroup6) ?? standardGroups[6],
    garp: resolveGarp(globals),
    garpExtra: value(globals, keywords.garpExtraInterface) ?? { interval: micros(0), all: false },
    downTimerAdverts: value(globals, keywords.downTimerAdverts) ?? 3,
    lowerPriorityNoAdvert: flag(keywords.lowerPriorityNoAdvert),
    higherPrioritySendAdvert: flag(keywords.higherPrioritySendAdvert),
    ownerIgnoreAdverts: flag(keywords.ownerIgnoreAdverts),
    v3ChecksumAsV2: isSet(globals, keywords.v3ChecksumAsV2),
    skipCheckAddresses: flag(keywords.skipCheckAddresses),
    checkUnicastSource: isSet(globals, keywords.checkUnicastSource),
    notifyPriorityChanges: flag(keywords.notifyPriorityChanges),
    smtpAlert: value(globals, keywords.smtpAlertVrrp) ?? smtpAlert ?? false,
    smtpAlertChecker: value(globals, keywords.smtpAlertChecker) ?? smtpAlert,
    checkerLogAllFailures: flag(keywords.checkerLogAllFailures),
    dynamicInterfaces: isSet(globals, keywords.dynamicInterfaces),
    defaultInterface: value(globals, keywords.defaultInterface) ?? "eth0",
    supplementaryGroups: flag(keywords.supplementaryGroups),
    enableScriptSecurity,
    ...resolveDefaultUser(globals, enableScriptSecurity, context),
  };
}

/** `few`: what vrrp_min_garp makes of a number that is still the default when it is read. */
function announcements(globals: Block, keyword: Keyword<number>, absent: number, few: number): number {
  const lines = [...settings(globals, keyword), ...settings(globals, keywords.minGarp)];
  let counts = absent;
  for (const { value: given } of lines.toSorted((a, b) => a.order - b.order)) {
    if (typeof given === "number") counts = given;
    else if (given && counts === absent) counts = few;
  }
  return counts;
}

function resolveGarp(globals: Block): GarpConfig {
  const delay = micros(announcements(globals, keywords.garpDelay, secondsToMicros(5), 0));
  const repeat = announcements(globals, keywords.garpRepeat, 5, 1);
  return {
    delay,
    repeat,
    refresh: micros(announcements(globals, keywords.garpRefresh, 0, 0)),
    refreshRepeat: announcements(globals, keywords.garpRefreshRepeat, 1, 0),
    lowerPriorityDelay: value(globals, keywords.garpLowerPriorityDelay) ?? delay,
    lowerPriorityRepeat: value(globals, keywords.garpLowerPriorityRepeat) ?? repeat,
  };
}
