// The Prometheus text exposition format, version 0.0.4: families in, one document out. Wrong names and labels of other
// processes cannot break the document for the rest: they are made into valid ones.

export interface MetricFamily {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary" | "untyped";
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram; a summary has the last two. */
  readonly suffix?: "_bucket" | "_sum" | "_count";
}

export const contentType = "text/plain; version=0.0.4; charset=utf-8";

export function encodeMetrics(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const family of families) {
    if (family.samples.length === 0) continue;
    lines.push(`# HELP ${family.name} ${family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`);
    lines.push(`# TYPE ${family.name} ${family.type}`);
    for (const sample of uniqueSamples(family.samples))
      lines.push(`${family.name}${sample.suffix ?? ""}${encodeLabels(sample.labels)} ${encodeValue(sample.value)}`);
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** A series that occurs twice makes Prometheus refuse the whole document; two processes' counts of one thing add up. */
function uniqueSamples(samples: readonly MetricSample[]): readonly MetricSample[] {
  const unique = new Map<string, MetricSample>();
  for (const sample of samples) {
    const key = (sample.suffix ?? "") + encodeLabels(sample.labels);
    const before = unique.get(key);
    unique.set(key, before === undefined ? sample : { ...sample, value: before.value + sample.value });
  }
  return [...unique.values()];
}

function encodeLabels(labels: Readonly<Record<string, string>>): string {
  const named = new Map<string, string>();
  // Two names may become one; a label that occurs twice makes Prometheus refuse the document.
  for (const [name, value] of Object.entries(labels))
    if (!named.has(labelName(name))) named.set(labelName(name), value);
  const pairs = [...named]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/** Dots of OpenTelemetry names become underscores, as the OpenTelemetry exporters do; so does all else that is no name. */
export const labelName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=\d|$)/, "_");

export const metricName = (name: string): string => name.replace(/[^a-zA-Z0-9_:]/g, "_").replace(/^(?=\d|$)/, "_");

function encodeValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
