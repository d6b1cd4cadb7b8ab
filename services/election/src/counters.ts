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

/** Where something of a metric is found: label by label, value by value. No key is put together for a lookup. */
class Shelf<Item> {
  item: Item | undefined;
  readonly #inside = new Map<string, Shelf<Item>>();

  at(word: string): Shelf<Item> {
    const known = this.#inside.get(word);
    if (known !== undefined) return known;
    const made = new Shelf<Item>();
    this.#inside.set(word, made);
    return made;
  }

  under(labels: Readonly<Record<string, string>>): Shelf<Item> {
    let shelf: Shelf<Item> = this;
    for (const label in labels) shelf = shelf.at(label).at(labels[label] ?? "");
    return shelf;
  }
}

export function createCounters(): Counters {
  const samples: Counter[] = [];
  const samplesByName = new Shelf<Counter>();
  const histogramsByName = new Shelf<Histogram>();
  /** Made once: a flood is counted packet by packet. */
  const names = new Map<MetricName, string>();
  const nameOf = (of: MetricName): string => {
    const known = names.get(of);
    if (known !== undefined) return known;
    const made = prometheusName(of);
    names.set(of, made);
    return made;
  };
  const sample = (name: string, labels: Readonly<Record<string, string>>): Counter => {
    const shelf = samplesByName.at(name).under(labels);
    if (shelf.item === undefined) {
      shelf.item = { name, labels: { ...labels }, value: 0 };
      samples.push(shelf.item);
    }
    return shelf.item;
  };
  const histogram = (name: string, buckets: readonly number[], labels: Readonly<Record<string, string>>): Histogram => {
    const shelf = histogramsByName.at(name).under(labels);
    shelf.item ??= {
      buckets: buckets.map((le) => sample(`${name}_bucket`, { ...labels, le: String(le) })),
      all: sample(`${name}_bucket`, { ...labels, le: "+Inf" }),
      sum: sample(`${name}_sum`, labels),
      count: sample(`${name}_count`, labels),
    };
    return shelf.item;
  };
  return {
    add(of, labels = {}, by = 1) {
      sample(nameOf(of), labels).value += by;
    },
    observe(of, value, buckets, labels = {}) {
      const found = histogram(nameOf(of), buckets, labels);
      for (const [index, le] of buckets.entries()) {
        const bucket = found.buckets[index];
        if (bucket !== undefined && value <= le) bucket.value++;
      }
      found.all.value++;
      found.sum.value += value;
      found.count.value++;
    },
    samples: () => samples.map((each) => ({ ...each })),
  };
}
