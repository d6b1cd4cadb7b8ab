// Lint about itself: what it was asked, and could not do.
import { file, router } from "../example.ts";
import type { LintRule } from "../rule.ts";

const peerUnusable: LintRule = {
  name: "peer-unusable",
  title: "The file of another router cannot be used, and is not compared with",
  severity: "warning",
  why:
    "It is not there, cannot be read, or keepalived would not start with it. Nothing of what the routers have to agree on " +
    "was looked at. Check that file on its own.",
  bad: { text: file(router()), peer: "vrrp_instance VI_1 {\n    priority\n}\n" },
  good: { text: file(router("priority 110")), peer: file(router("priority 100")) },
  by: "lint",
  check: ({ unusablePeers, places }) =>
    unusablePeers.map((name) => ({
      place: places.file(),
      message: `${name} cannot be used: it was not compared with`,
      hint: "baton check says why, when it is given that file",
    })),
};

const unknownRule: LintRule = {
  name: "unknown-rule",
  title: "A comment is to silence a rule that does not exist",
  severity: "warning",
  why: "Most likely the name is misspelt, and what it was to silence is told all the same. This page lists all rules.",
  bad: { text: file(router("priority 100 # baton: ignore equal-priority")) },
  good: { text: file(router("priority 100 # baton: ignore equal-priorities")) },
  by: "lint",
  // The comments are read, and this is told, where findings are silenced.
  check: () => [],
};

export const comparisonRules: readonly LintRule[] = [peerUnusable, unknownRule];
