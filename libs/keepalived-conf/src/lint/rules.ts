// All rules, in the order of the manual.
import type { LintRule } from "./rule.ts";
import { addressRules } from "./rules/addresses.ts";
import { agreementRules } from "./rules/agreement.ts";
import { comparisonRules } from "./rules/comparison.ts";
import { electionRules } from "./rules/election.ts";
import { identityRules } from "./rules/identity.ts";
import { mailRules } from "./rules/mail.ts";
import { reachRules } from "./rules/reach.ts";
import { scriptRules } from "./rules/scripts.ts";
import { secretRules } from "./rules/secrets.ts";
import { signatureRules } from "./rules/signatures.ts";
import { syncGroupRules } from "./rules/sync-groups.ts";
import { trackingRules } from "./rules/tracking.ts";
import { unusedRules } from "./rules/unused.ts";
import { virtualServerRules } from "./rules/virtual-servers.ts";

export const rules: readonly LintRule[] = [
  ...comparisonRules,
  ...agreementRules,
  ...signatureRules,
  ...reachRules,
  ...identityRules,
  ...electionRules,
  ...trackingRules,
  ...syncGroupRules,
  ...addressRules,
  ...scriptRules,
  ...secretRules,
  ...unusedRules,
  ...virtualServerRules,
  ...mailRules,
];
