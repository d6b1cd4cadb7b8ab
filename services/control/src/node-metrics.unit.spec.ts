import type { Counter } from "@baton/contracts";
import { metric } from "@baton/telemetry";
import { expect, test } from "vitest";
import { encodeMetrics } from "./metrics-text.ts";
import { type MetricsInput, nodeMetrics } from "./node-metrics.ts";
import { instanceState, nodeStatus } from "./testing/node-status.ts";
import { lintFamilies, parseExposition } from "./testing/parse-exposition.ts";

const counter = (name: string, value: number, labels: Record<string, string> = {}): Counter => ({
  name,
  labels,
  value,
});

const input: MetricsInput = {
  status: nodeStatus({
    instances: [
      instanceState({ state: "master", effectivePriority: 99, degraded: true, staleTrackers: ["script:chk"] }),
    ],
    addresses: [
      {
        instance: "VI_1",
        term: 1,
        lease: "held",
        routing: [],
        addresses: [{ address: "192.0.2.1/24", interface: "eth0", label: "", present: true, error: "" }],
      },
    ],
  }),
  samples: [
    {
      service: "election",
      counter: counter(metric.adverts.name, 12, { "vrrp.instance.name": "VI_1", direction: "sent" }),
    },
    { service: "election", counter: counter(metric.eventsAppended.name, 3) },
    { service: "health", counter: counter(metric.eventsAppended.name, 4) },
    { service: "election", counter: counter(`${metric.advertGap.name}.bucket`, 1, { le: "+Inf" }) },
    { service: "election", counter: counter(`${metric.advertGap.name}.sum`, 0.5) },
    { service: "election", counter: counter(`${metric.advertGap.name}.count`, 1) },
    { service: "election", counter: counter(metric.timerLateness.name, 0.002) },
    { service: "health", counter: counter("healthcheck_duration_seconds_sum", 2, { tracker: "chk" }) },
    { service: "health", counter: counter("healthcheck_duration_seconds_count", 4, { tracker: "chk" }) },
    { service: "health", counter: counter("something.of.tomorrow", 1) },
    { service: "dataplane", counter: counter(metric.vipConfirmed.name, 0) },
  ],
  connections: [{ service: "election", connected: true }],
};

const parsed = parseExposition(encodeMetrics(nodeMetrics(input)));
const samplesOf = (name: string) => parsed.families.find((family) => family.name === name)?.samples;

test("the document is one that promtool accepts", () => {
  expect(parsed.families.length).toBeGreaterThan(10);
  expect(lintFamilies(parsed.families)).toEqual([]);
});

test("every name of the catalogue makes a document that promtool accepts", () => {
  const samples = Object.values(metric)
    .filter(({ kind }) => kind !== "histogram")
    .map(({ name }) => ({ service: "election", counter: counter(name, 1) }));
  const { families } = parseExposition(encodeMetrics(nodeMetrics({ ...input, samples })));
  expect(lintFamilies(families)).toEqual([]);
});

test("what keeps an instance from doing all that it should", () => {
  const labels = { vrrp_instance_name: "VI_1", vrrp_vrid: "51", network_interface_name: "eth0" };
  expect(samplesOf("vrrp_instance_degraded")).toEqual([{ name: "vrrp_instance_degraded", labels, value: 1 }]);
  expect(samplesOf("tracker_stale")).toEqual([
    { name: "tracker_stale", labels: { ...labels, tracker_name: "script:chk" }, value: 1 },
  ]);
});

test("the state is a set of which one member is 1, the same on every node", () => {
  const labels = { vrrp_instance_name: "VI_1", vrrp_vrid: "51", network_interface_name: "eth0" };
  expect(samplesOf("vrrp_instance_state")).toEqual(
    ["initialize", "backup", "master", "fault", "listening", "leaving"].map((state) => ({
      name: "vrrp_instance_state",
      labels: { ...labels, vrrp_state: state },
      value: state === "master" ? 1 : 0,
    })),
  );
  expect(samplesOf("vrrp_instance_priority")).toMatchObject([
    { labels: { vrrp_priority_kind: "base" }, value: 100 },
    { labels: { vrrp_priority_kind: "effective" }, value: 99 },
  ]);
  expect(samplesOf("vrrp_vip_confirmed")).toEqual([
    { name: "vrrp_vip_confirmed", labels: { ...labels, vrrp_address: "192.0.2.1/24" }, value: 1 },
  ]);
});

test("counts come from the services' samples; what each process counts of itself carries its name", () => {
  expect(samplesOf("vrrp_adverts_total")).toMatchObject([
    { labels: { vrrp_instance_name: "VI_1", direction: "sent" }, value: 12 },
  ]);
  expect(samplesOf("events_appended_total")).toMatchObject([
    { labels: { baton_service: "election" }, value: 3 },
    { labels: { baton_service: "health" }, value: 4 },
  ]);
  expect(samplesOf("vrrp_advert_gap_seconds")?.map(({ name }) => name)).toEqual([
    "vrrp_advert_gap_seconds_bucket",
    "vrrp_advert_gap_seconds_sum",
    "vrrp_advert_gap_seconds_count",
  ]);
  expect(parsed.families.find(({ name }) => name === "healthcheck_duration_seconds")).toMatchObject({
    type: "summary",
    samples: [{ labels: { tracker_name: "chk" }, value: 2 }, { value: 4 }],
  });
  expect(samplesOf("vrrp_timer_lateness_max_seconds")).toMatchObject([{ value: 0.002 }]);
  expect(samplesOf("baton_something_of_tomorrow")).toMatchObject([{ labels: { baton_service: "health" } }]);
});

test("who is running is in the document", () => {
  expect(samplesOf("baton_build_info")).toMatchObject([{ labels: { version: "0.1.0", baton_node: "r1" }, value: 1 }]);
  expect(samplesOf("baton_service_connected")).toMatchObject([{ labels: { baton_service: "election" }, value: 1 }]);
});
