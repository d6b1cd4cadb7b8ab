// The alert rules that are shipped speak of metrics that there are: a rule on another name never fires, and nobody notices.
import { readFileSync } from "node:fs";
import { attribute, metric, prometheusName } from "@baton/telemetry";
import { expect, test } from "vitest";
import { labelName } from "./metrics-text.ts";

const text = readFileSync(new URL("../../../deploy/prometheus/baton.rules.yaml", import.meta.url), "utf8");
const expressions = [...text.matchAll(/^ +expr: (.+)$/gm)].map(([, expression = ""]) => expression);

const served = new Set(
  Object.values(metric).flatMap((each) => {
    const name = prometheusName(each);
    return each.kind === "histogram" ? [`${name}_sum`, `${name}_count`] : [name];
  }),
);

test("each rule has an expression, and names metrics that are served", () => {
  const alerts = [...text.matchAll(/^ +- alert: (\w+)$/gm)];
  expect(alerts.length).toBeGreaterThan(5);
  expect(expressions).toHaveLength(alerts.length);
  const named = expressions.flatMap((each) => each.replace(/\{[^}]*\}|\[[^\]]*\]/g, "").match(/[a-z]\w*_\w+/g) ?? []);
  expect(named.length).toBeGreaterThanOrEqual(alerts.length);
  expect(named.filter((name) => !served.has(name))).toEqual([]);
});

test("labels are those of the metrics, or the scraper's", () => {
  const known = new Set([...Object.values(attribute).map(labelName), "instance", "kind", "state"]);
  const named = [...text.matchAll(/\$labels\.(\w+)|\{(\w+)=/g)].map(([, shown, matched]) => shown ?? matched ?? "");
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
