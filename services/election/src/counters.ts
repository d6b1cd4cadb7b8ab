// What the election counts: adverts, discards, lateness. Plain numbers in memory; handed out with each Watch pulse.
import type { Counter } from "@baton/contracts";
import { type MetricName, prometheusName } from "@baton/telemetry";

export interface Counters {
  add(of: MetricName, labels?: Readonly<Record<string, string>>, by?: number): void;
  /** One observation of a histogram; buckets in the metric's unit. */
  observe(of: MetricName, value: number, buckets: readonly number[], labels?: Readonly<Record<string, string>>): void;
  samples(): Counter[];
}

export function createCounters(): Counters {
  const samples = new Map<string, Counter>();
  const sample = (name: string, labels: Readonly<Record<string, string>>): Counter => {
    const key = name + JSON.stringify(labels);
    const known = samples.get(key) ?? { name, labels: { ...labels }, value: 0 };
    samples.set(key, known);
    return known;
  };
  return {
    add(of, labels = {}, by = 1) {
      sample(prometheusName(of), labels).value += by;
    },
    observe(of, value, buckets, labels = {}) {
      const name = prometheusName(of);
      for (const le of buckets) sample(`${name}_bucket`, { ...labels, le: String(le) }).value += value <= le ? 1 : 0;
      sample(`${name}_bucket`, { ...labels, le: "+Inf" }).value += 1;
      sample(`${name}_sum`, labels).value += value;
      sample(`${name}_count`, labels).value += 1;
    },
    samples: () => [...samples.values()].map((each) => ({ ...each })),
  };
}
