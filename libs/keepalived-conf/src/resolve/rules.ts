// All rules of a file, read in its order: one without a preference gets the next one below the last, whichever block it
// stands in.
import { staticRuleForm, virtualRuleForm } from "../keywords/rule-options.ts";
import { staticValues } from "../keywords/static.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import type { EntryContext } from "../syntax/entry.ts";
import { type Block, blocksOf, entries } from "../syntax/tree.ts";
import { countPreferences, parseRuleLine, type RuleLine } from "./rule.ts";

export interface Rules {
  readonly statics: readonly RuleLine[];
  of(instance: Block): readonly RuleLine[];
}

export function resolveRules(root: Block, context: EntryContext): Rules {
  const nextPreference = countPreferences();
  const read = new Map<Block, RuleLine[]>();
  const lines = [
    ...entries(root, staticValues.staticRules).map((entry) => ({ block: root, entry, form: staticRuleForm })),
    ...blocksOf(root, vrrpInstance).flatMap((block) =>
      entries(block, vrrpInstance.keywords.virtualRules).map((entry) => ({ block, entry, form: virtualRuleForm })),
    ),
  ].toSorted((a, b) => a.entry.order - b.entry.order);
  for (const { block, entry, form } of lines) {
    const line = parseRuleLine(entry, form, nextPreference, context);
    if (line === undefined) continue;
    const others = read.get(block);
    if (others === undefined) read.set(block, [line]);
    else others.push(line);
  }
  return { statics: read.get(root) ?? [], of: (instance) => read.get(instance) ?? [] };
}
