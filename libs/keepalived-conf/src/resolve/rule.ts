// One line of `virtual_rules` or `static_rules` → a rule.
import type { RuleAction, RuleConfig } from "../config.ts";
import {
  ruleOptions as options,
  ruleAction,
  type staticRuleForm,
  type virtualRuleForm,
} from "../keywords/rule-options.ts";
import type { Entry } from "../keywords/table.ts";
import { type EntryContext, isOf, type OptionValue, optionValue, type ReadEntry, readEntry } from "../syntax/entry.ts";
import { adjust, reject } from "./context.ts";
import { type FamilyOfLine, familyOfLine, prefixOf } from "./families.ts";
import { resolveProtocol } from "./route.ts";

export interface RuleLine {
  readonly rule: RuleConfig;
  readonly entry: Entry;
  readonly read: ReadEntry;
}

/** Gives a rule without one its preference; the lines are read in the order of the file. */
export type NextPreference = (family: 4 | 6) => number;

/** keepalived's: the first rule without a preference is asked last. */
export function countPreferences(first = 16_384): NextPreference {
  const next = { 4: first, 6: first };
  return (family) => next[family]--;
}

/** undefined: the line holds no usable rule; reported. */
export function parseRuleLine(
  entry: Entry,
  form: typeof virtualRuleForm | typeof staticRuleForm,
  nextPreference: NextPreference,
  context: EntryContext,
): RuleLine | undefined {
  const families = familyOfLine(context);
  const read = readEntry(entry, form, context, {
    value: (given, before) => checkWord(given, before, families, context),
  });
  const action = read && resolveAction(read, context);
  if (read === undefined || action === undefined) return undefined;
  const family = families.value ?? 4;
  const tracked = optionValue(read, options.noTrack) === undefined;
  const protocol = resolveProtocol(optionValue(read, options.protocol), tracked, context);
  const [from, to] = [options.from, options.to].map((option) => optionValue(read, option)?.value);
  const rule: RuleConfig = {
    family,
    invert: optionValue(read, options.not) !== undefined,
    from: from && prefixOf(from, family),
    to: to && prefixOf(to, family),
    preference:
      optionValue(read, options.preference)?.value ?? missingPreference(entry, nextPreference(family), context),
    typeOfService: optionValue(read, options.typeOfService)?.value ?? 0,
    mark: optionValue(read, options.mark)?.value,
    inputInterface: optionValue(read, options.inputInterface)?.value,
    outputInterface: optionValue(read, options.outputInterface)?.value,
    tunnelId: optionValue(read, options.tunnelId)?.value,
    users: optionValue(read, options.users)?.value,
    ipProtocol: optionValue(read, options.ipProtocol)?.value,
    sourcePorts: optionValue(read, options.sourcePorts)?.value,
    destinationPorts: optionValue(read, options.destinationPorts)?.value,
    action,
    realms: optionValue(read, options.realms)?.value,
    suppressPrefixLength: optionValue(read, options.suppressPrefixLength)?.value,
    suppressGroup: optionValue(read, options.suppressGroup)?.value,
    protocol,
    tracked,
  };
  return { rule, entry, read };
}

function missingPreference(entry: Entry, preference: number, context: EntryContext): number {
  const message = "the rule has no preference: its place among the others depends on this file alone";
  const advice = { used: `preference ${preference}`, hint: "give every rule a preference" };
  adjust(context, entry.at(), "rule-preference", message, advice);
  return preference;
}

const isAction = (given: OptionValue<unknown>): boolean =>
  isOf(given, ruleAction) || isOf(given, options.table) || isOf(given, options.l3mdev);

/** What keepalived judges word by word. */
function checkWord(
  given: OptionValue<unknown>,
  before: readonly OptionValue<unknown>[],
  families: FamilyOfLine,
  context: EntryContext,
): boolean {
  const { place } = given;
  if (isOf(given, options.inet) || isOf(given, options.inet6)) return families.agree(given.value, place);
  if (isOf(given, options.from) || isOf(given, options.to)) return families.agree(given.value.family, place);
  if (isOf(given, options.realms)) return families.agree(4, place);
  if (isOf(given, options.table) && given.value === 0) {
    reject(context, place, "rule-table", "there is no table 0; the line is left out");
    return false;
  }
  if (!isAction(given) || !before.some(isAction)) return true;
  reject(context, place, "rule-action", "a rule does one thing only; the line is left out", "write two rules");
  return false;
}

/** undefined, and reported: the rule does nothing that the kernel would take. */
function resolveAction(read: ReadEntry, context: EntryContext): RuleAction | undefined {
  const given = read.values.find(isAction);
  const { entry } = read;
  if (given === undefined) {
    const hint = "write table N, goto N, nop, blackhole, unreachable or prohibit";
    reject(context, entry.at(), "rule-action", "the rule says nothing to be done; the line is left out", hint);
    return undefined;
  }
  if (isOf(given, options.l3mdev)) return { type: "l3mdev" };
  if (isOf(given, options.table)) return { type: "table", table: given.value };
  if (!isOf(given, ruleAction)) return undefined;
  const action = given.value;
  const preference = optionValue(read, options.preference)?.value;
  if (action.type === "goto" && (preference === undefined || preference >= action.preference)) {
    const message = `goto ${action.preference} has to lead to a later rule than its own; the line is left out`;
    const hint = "write a preference below that of the rule to go to";
    reject(context, given.place, "rule-goto", message, hint);
    return undefined;
  }
  const looking = [options.realms, options.suppressPrefixLength, options.suppressGroup];
  const tableOnly = read.values.find((value) => looking.some((option) => value.option === option));
  if (tableOnly === undefined) return action;
  const message = `${tableOnly.word.text} goes with a table only; the line is left out`;
  reject(context, tableOnly.place, "rule-action", message);
  return undefined;
}
