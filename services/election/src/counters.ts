// What the election counts: adverts, discards, lateness. Plain numbers in memory; handed out with each snapshot.
import type { Counter } from "@baton/contracts";
import { type MetricName, prometheusName } from "@baton/telemetry";

export interface Counters {
  add(of: MetricName, labels?: Readonly<Record<string, string>>, by?: number): void;
  /** One observation of a histogram; buckets in the metric's unit. */
  observe(of: MetricName, value: number, buckets: readonly number[], labels?: Readonly<Record<string, string>>): void;
  samples(): Counter[];
}

/** The samples of one histogram, in the order of its buckets. */
interface Histogram {
  readonly buckets: readonly Counter[];
  readonly all: Counter;
  readonly sum: Counter;
  readonly count: Counter;
}

export function createCounters(): Counters {
  const samples = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  const sample = (name: string, labels: Readonly<Record<string, string>>): Counter => {
    const key = keyOf(name, labels);
    const known = samples.get(key);
    if (known !== undefined) return known;
    const made = { name, labels: { ...labels }, value: 0 };
    samples.set(key, made);
    return made;
  };
  const histogram = (name: string, buckets: readonly number[], labels: Readonly<Record<string, string>>): Histogram => {
    const key = keyOf(name, labels);
    const known = histograms.get(key);
    if (known !== undefined) return known;
    const made = {
      buckets: buckets.map((le) => sample(`${name}_bucket`, { ...labels, le: String(le) })),
      all: sample(`${name}_bucket`, { ...labels, le: "+Inf" }),
      sum: sample(`${name}_sum`, labels),
      count: sample(`${name}_count`, labels),
    };
    histograms.set(key, made);
    return made;
  };
  return {
    add(of, labels = {}, by = 1) {
      sample(prometheusName(of), labels).value += by;
    },
    observe(of, value, buckets, labels = {}) {
      const found = histogram(prometheusName(of), buckets, labels);
      for (const [index, le] of buckets.entries()) {
        const bucket = found.buckets[index];
        if (bucket !== undefined && value <= le) bucket.value++;
      }
      found.all.value++;
      found.sum.value += value;
      found.count.value++;
    },
    samples: () => [...samples.values()].map((each) => ({ ...each })),
  };
}

/** A few of them with every advert: no JSON. */
function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  let key = name;
  for (const label in labels) key += `\n${label}\t${labels[label]}`;
  return key;
}
