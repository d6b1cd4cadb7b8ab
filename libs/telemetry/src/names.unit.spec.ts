import { expect, test } from "vitest";
import { attribute, metric, prometheusName, resourceAttribute, spanName } from "./names.ts";

const metrics = Object.values(metric);

test("names are unique, lower case and dotted", () => {
  for (const group of [
    Object.values(attribute),
    Object.values(spanName),
    Object.values(resourceAttribute),
    metrics.map(({ name }) => name),
  ]) {
    expect(new Set(group).size).toBe(group.length);
    for (const name of group) expect(name).toMatch(/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/);
  }
});

test("Prometheus names follow its rules and stay unique", () => {
  const names = metrics.map(prometheusName);
  expect(new Set(names).size).toBe(names.length);
  for (const [index, name] of names.entries()) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name.endsWith("_total")).toBe(metrics[index]?.kind === "counter");
  }
});

test.each([
  [metric.adverts, "vrrp_adverts_total"],
  [metric.advertGap, "vrrp_advert_gap_seconds"],
  [metric.outboxAge, "outbox_age_seconds"],
  [metric.instanceState, "vrrp_instance_state"],
])("%o in Prometheus", (of, name) => expect(prometheusName(of)).toBe(name));
