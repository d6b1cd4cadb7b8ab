// All rules, in the order of the manual.
import type { LintRule } from "./rule.ts";
import { addressRules } from "./rules/addresses.ts";
import { agreementRules } from "./rules/agreement.ts";
import { comparisonRules } from "./rules/comparison.ts";
import { electionRules } from "./rules/election.ts";
import { identityRules } from "./rules/identity.ts";
import { mailRules } from "./rules/mail.ts";
import { scriptRules } from "./rules/scripts.ts";
import { secretRules } from "./rules/secrets.ts";
import { syncGroupRules } from "./rules/sync-groups.ts";
import { trackingRules } from "./rules/tracking.ts";
import { virtualServerRules } from "./rules/virtual-servers.ts";

export const rules: readonly LintRule[] = [
  ...comparisonRules,
  ...agreementRules,
  ...identityRules,
  ...electionRules,
  ...trackingRules,
  ...syncGroupRules,
  ...addressRules,
  ...scriptRules,
  ...secretRules,
  ...virtualServerRules,
  ...mailRules,
];
