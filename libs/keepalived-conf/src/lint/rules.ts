// All rules, in the order of the manual.
import type { LintRule } from "./rule.ts";
import { electionRules } from "./rules/election.ts";

export const rules: readonly LintRule[] = [...electionRules];
