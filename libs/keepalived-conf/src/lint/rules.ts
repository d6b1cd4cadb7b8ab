// All rules, in the order of the manual.
import type { LintRule } from "./rule.ts";
import { addressRules } from "./rules/addresses.ts";
import { agreementRules } from "./rules/agreement.ts";
import { electionRules } from "./rules/election.ts";
import { mailRules } from "./rules/mail.ts";
import { scriptRules } from "./rules/scripts.ts";
import { secretRules } from "./rules/secrets.ts";
import { syncGroupRules } from "./rules/sync-groups.ts";
import { trackingRules } from "./rules/tracking.ts";
import { virtualServerRules } from "./rules/virtual-servers.ts";

export const rules: readonly LintRule[] = [
  ...agreementRules,
  ...electionRules,
  ...trackingRules,
  ...syncGroupRules,
  ...addressRules,
  ...scriptRules,
  ...secretRules,
  ...virtualServerRules,
  ...mailRules,
];
