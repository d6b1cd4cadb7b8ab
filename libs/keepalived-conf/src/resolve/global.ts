// `global_defs`: what goes into the Config, and the defaults that instances and scripts take from it. keepalived's parent
// reads all of global_defs before its children read anything else, so their place in the file does not matter.
import { type IpAddress, type Micros, micros, secondsToMicros } from "@baton/domain";
import type { GarpConfig, GlobalConfig, ScriptUser } from "../config.ts";
import { globalDefs } from "../keywords/global-defs.ts";
import { type Block, blocksOf, isSet, lists, setting, value } from "../syntax/tree.ts";
import { adjust, advise, type ResolveContext, reject } from "./context.ts";

/** Settings of global_defs that others inherit. */
export interface Defaults {
  readonly version: 2 | 3;
  readonly strict: boolean;
  readonly multicastGroup4: IpAddress | undefined;
  readonly multicastGroup6: IpAddress | undefined;
  readonly garp: GarpConfig;
  readonly downTimerAdverts: number;
  readonly lowerPriorityNoAdvert: boolean;
  readonly higherPrioritySendAdvert: boolean;
  readonly v3ChecksumAsV2: boolean;
  readonly smtpAlert: boolean;
  readonly dynamicInterfaces: boolean;
  /** Of static addresses that name none. */
  readonly defaultInterface: string;
  readonly enableScriptSecurity: boolean;
  readonly scriptUser: ScriptUser | undefined;
  /** Scripts without a user of their own do not run: the default user does not exist, and root is not allowed. */
  readonly scriptUserMissing: boolean;
}

const { keywords } = globalDefs;

export function resolveGlobal(root: Block, context: ResolveContext): { global: GlobalConfig; defaults: Defaults } {
  const all = blocksOf(root, globalDefs);
  const merged: Block = {
    spec: globalDefs,
    header: undefined,
    place: root.place,
    order: 0,
    settings: all.flatMap((block) => block.settings),
    lists: all.flatMap((block) => block.lists),
    blocks: [],
  };
  const users = resolveScriptUser(merged, context);
  const enableScriptSecurity = isSet(merged, keywords.enableScriptSecurity);
  const defaults: Defaults = {
    version: value(merged, keywords.version) === 3 ? 3 : 2,
    strict: value(merged, keywords.strict) ?? false,
    multicastGroup4: value(merged, keywords.multicastGroup4),
    multicastGroup6: value(merged, keywords.multicastGroup6),
    garp: resolveGarp(merged),
    downTimerAdverts: value(merged, keywords.downTimerAdverts) ?? 3,
    lowerPriorityNoAdvert: value(merged, keywords.lowerPriorityNoAdvert) ?? false,
    higherPrioritySendAdvert: value(merged, keywords.higherPrioritySendAdvert) ?? false,
    v3ChecksumAsV2: isSet(merged, keywords.v3ChecksumAsV2),
    smtpAlert: value(merged, keywords.smtpAlertVrrp) ?? value(merged, keywords.smtpAlert) ?? false,
    dynamicInterfaces: isSet(merged, keywords.dynamicInterfaces),
    defaultInterface: value(merged, keywords.defaultInterface) ?? "eth0",
    enableScriptSecurity,
    ...users,
    scriptUserMissing: users.scriptUserMissing || defaultUserMissing(users.scriptUser, enableScriptSecurity, context),
  };
  return { global: resolveMail(merged, context, defaults), defaults };
}

function resolveMail(block: Block, context: ResolveContext, defaults: Defaults): GlobalConfig {
  const recipients = lists(block, keywords.notificationEmail);
  for (const list of recipients) {
    if (list.entries.length === 0)
      adjust(context, list.place, "empty-block", "notification_email names nobody: no mail is sent");
  }
  const notificationEmail = recipients.flatMap((list) =>
    list.entries.flatMap((entry) => entry.words.map((word) => word.text)),
  );
  const smtpServer = setting(block, keywords.smtpServer);
  if (notificationEmail.length > 0 && smtpServer === undefined) {
    const place = recipients[0]?.place ?? block.place;
    advise(context, place, "no-smtp-server", "no mail is sent without smtp_server", "write smtp_server HOST");
  }
  return {
    routerId: value(block, keywords.routerId) ?? context.machine.hostName,
    notificationEmail,
    notificationEmailFrom: value(block, keywords.notificationEmailFrom),
    smtpServer: smtpServer?.value,
    smtpHeloName: value(block, keywords.smtpHeloName),
    smtpConnectTimeout: value(block, keywords.smtpConnectTimeout) ?? secondsToMicros(30),
    enableScriptSecurity: defaults.enableScriptSecurity,
    scriptUser: defaults.scriptUser,
  };
}

/** 0 repeats are one: a burst without an announcement announces nothing. */
export const repeats = (given: number | undefined): number | undefined =>
  given === undefined ? undefined : Math.max(1, given);

function resolveGarp(block: Block): GarpConfig {
  const few = value(block, keywords.minGarp) ?? false;
  const delay = value(block, keywords.garpDelay) ?? (few ? micros(0) : secondsToMicros(5));
  const repeat = repeats(value(block, keywords.garpRepeat)) ?? (few ? 1 : 5);
  const none: Micros = micros(0);
  return {
    delay,
    repeat,
    refresh: value(block, keywords.garpRefresh) ?? none,
    refreshRepeat: repeats(value(block, keywords.garpRefreshRepeat)) ?? (few ? 0 : 1),
    lowerPriorityDelay: value(block, keywords.garpLowerPriorityDelay) ?? delay,
    lowerPriorityRepeat: value(block, keywords.garpLowerPriorityRepeat) ?? repeat,
  };
}

const conventionalUser = "keepalived_script";

function resolveScriptUser(
  block: Block,
  context: ResolveContext,
): { scriptUser: ScriptUser | undefined; scriptUserMissing: boolean } {
  const given = setting(block, keywords.scriptUser);
  if (given === undefined) {
    const exists = context.machine.userExists?.(conventionalUser) === true;
    return { scriptUser: exists ? { user: conventionalUser, group: undefined } : undefined, scriptUserMissing: false };
  }
  const [user, group] = given.value;
  const scriptUser = user === undefined ? undefined : toScriptUser(user, group);
  const missing = scriptUser === undefined ? undefined : missingAccount(scriptUser, context);
  if (missing === undefined) return { scriptUser, scriptUserMissing: false };
  reject(
    context,
    given.place,
    "unknown-user",
    `script_user: ${missing}`,
    "scripts without a user of their own do not run",
  );
  return { scriptUser: undefined, scriptUserMissing: true };
}

const defaultUserMissing = (user: ScriptUser | undefined, secure: boolean, { machine }: ResolveContext): boolean =>
  user === undefined && secure && machine.userExists !== undefined;

/** A `:` before the group asks for supplementary groups too, which Baton does not set. */
export function toScriptUser(user: string, group: string | undefined): ScriptUser {
  const name = group?.replace(/^:/, "");
  return { user, group: name === "" ? undefined : name };
}

export function missingAccount({ user, group }: ScriptUser, { machine }: ResolveContext): string | undefined {
  if (machine.userExists?.(user) === false) return `there is no user ${user}`;
  return group !== undefined && machine.groupExists?.(group) === false ? `there is no group ${group}` : undefined;
}
