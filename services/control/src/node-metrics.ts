// The node as Prometheus metrics: state from the read model, counts from the samples that each service tells
// with its snapshot or each second. Names are those of libs/telemetry; nothing is computed here that a service has not reported.
import type { Counter, InstanceState, NodeStatus } from "@baton/contracts";
import { attribute, type MetricName, metric, prometheusName } from "@baton/telemetry";
import { type MetricFamily, type MetricSample, metricName } from "./metrics-text.ts";
import { poolFamilies } from "./pool-metrics.ts";

export interface MetricsInput {
  readonly status: NodeStatus;
  readonly samples: readonly { readonly service: string; readonly counter: Counter }[];
  readonly connections: readonly { readonly service: string; readonly connected: boolean }[];
}

const states = ["initialize", "backup", "master", "fault", "listening", "leaving"] as const;

export function nodeMetrics(input: MetricsInput): readonly MetricFamily[] {
  const { status } = input;
  const known = [
    ...instanceFamilies(status.instances),
    family(metric.vipConfirmed, addressSamples(status)),
    family(
      metric.trackerStatus,
      status.trackers
        .filter(({ kind }) => kind !== "file")
        .map(({ name, kind, status: is }) => sample(trackerLabels(kind, name), is === "up" ? 1 : 0)),
    ),
    family(
      metric.trackerValue,
      status.trackers
        .filter(({ kind }) => kind === "file" || kind === "process")
        .map(({ name, kind, value }) => sample(trackerLabels(kind, name), value)),
    ),
    ...poolFamilies(status).map(([of, samples]) => family(of, samples)),
    family(metric.configGeneration, status.config === undefined ? [] : [sample({}, status.config.generation)]),
    family(
      metric.serviceRestarts,
      status.services.map(({ name, restarts }) => sample({ [attribute.service]: name }, restarts)),
    ),
    ...batonFamilies(input),
  ];
  const taken = new Set(known.map(({ name }) => name));
  // What the read model shows is not taken from samples as well: one source for each figure.
  return [...known, ...sampleFamilies(input.samples).filter(({ name }) => !taken.has(name))];
}

const trackerLabels = (kind: string, name: string) => ({ [attribute.tracker]: name, [attribute.kind]: kind });

const sample = (labels: Record<string, string>, value: number): MetricSample => ({ labels, value });

const family = (of: MetricName, samples: readonly MetricSample[]): MetricFamily => ({
  name: prometheusName(of),
  type: of.kind,
  help: of.help,
  samples,
});

const instanceLabels = (instance: InstanceState): Record<string, string> => ({
  [attribute.instance]: instance.name,
  [attribute.vrid]: String(instance.vrid),
  [attribute.interface]: instance.interface,
});

function instanceFamilies(instances: readonly InstanceState[]): MetricFamily[] {
  const stateSamples = instances.flatMap((instance) => {
    const shown: readonly string[] = (states as readonly string[]).includes(instance.state)
      ? states
      : [...states, instance.state];
    return shown.map((state) =>
      sample({ ...instanceLabels(instance), [attribute.state]: state }, instance.state === state ? 1 : 0),
    );
  });
  const prioritySamples = instances.flatMap((instance) => [
    sample({ ...instanceLabels(instance), [attribute.priorityKind]: "base" }, instance.basePriority),
    sample({ ...instanceLabels(instance), [attribute.priorityKind]: "effective" }, instance.effectivePriority),
  ]);
  const degradedSamples = instances.map((instance) => sample(instanceLabels(instance), instance.degraded ? 1 : 0));
  const staleSamples = instances.flatMap((instance) =>
    instance.staleTrackers.map((tracker) => sample({ ...instanceLabels(instance), [attribute.tracker]: tracker }, 1)),
  );
  return [
    family(metric.instanceState, stateSamples),
    family(metric.instancePriority, prioritySamples),
    family(metric.instanceDegraded, degradedSamples),
    family(metric.trackerStale, staleSamples),
  ];
}

function addressSamples(status: NodeStatus): MetricSample[] {
  const place = new Map(status.instances.map((instance) => [instance.name, instanceLabels(instance)]));
  return status.addresses.flatMap(({ instance, addresses }) =>
    addresses.map(({ address, present }) =>
      sample(
        { ...(place.get(instance) ?? { [attribute.instance]: instance }), [attribute.address]: address },
        present ? 1 : 0,
      ),
    ),
  );
}

function batonFamilies({ status, connections }: MetricsInput): MetricFamily[] {
  const gauge = (name: string, help: string, samples: MetricSample[]): MetricFamily => ({
    name,
    type: "gauge",
    help,
    samples,
  });
  return [
    gauge("baton_build_info", "Always 1; version of Baton and name of the node", [
      sample({ version: status.version, [attribute.node]: status.node }, 1),
    ]),
    gauge("baton_ready", "1 when every instance has left its initial state", [sample({}, status.ready ? 1 : 0)]),
    gauge("baton_bus_connected", "1 when control is connected to the node's NATS server", [
      sample({}, status.bus?.connected === true ? 1 : 0),
    ]),
    gauge(
      "baton_service_connected",
      "1 when the service's Watch stream is open; its metrics are as it told them last",
      connections.map(({ service, connected }) => sample({ [attribute.service]: service }, connected ? 1 : 0)),
    ),
  ];
}

/** By OpenTelemetry and by Prometheus name: services write either. */
const catalogue: ReadonlyMap<string, MetricName> = new Map(
  Object.values(metric).flatMap((each) => [
    [each.name, each],
    [prometheusName(each), each],
  ]),
);

/** Short labels by their full names: `instance`, for one, is what Prometheus calls the scraped process. */
const fullLabels: Readonly<Record<string, string>> = {
  instance: attribute.instance,
  vrid: attribute.vrid,
  interface: attribute.interface,
  address: attribute.address,
  tracker: attribute.tracker,
  error: attribute.errorType,
  service: attribute.service,
};

const withFullLabels = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      Object.hasOwn(fullLabels, name) ? (fullLabels[name] ?? name) : name,
      value,
    ]),
  );

/** Metrics that every process has of itself: told apart by the process. */
const ownMetrics: ReadonlySet<string> = new Set(
  [
    metric.outboxBacklog,
    metric.outboxAge,
    metric.eventsAppended,
    metric.eventsLost,
    metric.messagesMalformed,
    metric.spansDropped,
    metric.logsDropped,
  ].map(({ name }) => name),
);

function sampleFamilies(samples: MetricsInput["samples"]): MetricFamily[] {
  const families = new Map<string, { family: Described["family"]; samples: MetricSample[] }>();
  for (const { service, counter } of samples) {
    const { family: described, suffix, own } = describe(counter.name);
    const entry = families.get(described.name) ?? { family: described, samples: [] };
    families.set(described.name, entry);
    const labels = withFullLabels(counter.labels);
    entry.samples.push({
      labels: own ? { [attribute.service]: service, ...labels } : labels,
      value: counter.value,
      ...(suffix === undefined ? {} : { suffix }),
    });
  }
  return [...families.values()]
    .map((entry) => ({ ...entry.family, type: finalType(entry.family.type, entry.samples), samples: entry.samples }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A sum and a count without buckets are a summary without quantiles. */
const finalType = (type: MetricFamily["type"], samples: readonly MetricSample[]): MetricFamily["type"] =>
  type === "histogram" && !samples.some(({ suffix }) => suffix === "_bucket") ? "summary" : type;

interface Described {
  readonly family: Omit<MetricFamily, "samples">;
  readonly suffix?: "_bucket" | "_sum" | "_count";
  /** Each process has its own series. */
  readonly own: boolean;
}

/** A histogram comes as three names: its own with `.bucket` (and a label `le`), `.sum` and `.count`, or with `_`. */
function describe(name: string): Described {
  const known = catalogue.get(name);
  if (known !== undefined && known.kind !== "histogram") {
    const own = ownMetrics.has(known.name);
    return { family: { name: prometheusName(known), type: known.kind, help: known.help }, own };
  }
  const [, base, part] = /^(.*)[._](bucket|sum|count|max)$/.exec(name) ?? [];
  const histogram = known ?? (base === undefined ? undefined : catalogue.get(base));
  if (histogram?.kind !== "histogram")
    return {
      family: { name: metricName(`baton_${name}`), type: "untyped", help: `${name}, as a service counts it` },
      own: true,
    };
  const family = { name: prometheusName(histogram), type: "histogram", help: histogram.help } as const;
  if (part === "bucket" || part === "sum" || part === "count") return { family, suffix: `_${part}`, own: false };
  // Without buckets a service tells the largest value it has seen.
  const largest = family.name.replace(/(_seconds|_bytes)?$/, "_max$1");
  return { family: { name: largest, type: "gauge", help: `${family.help}: the largest value` }, own: false };
}
