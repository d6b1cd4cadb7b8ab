// What the balancer counts, under the names of libs/telemetry. Connections and traffic of single destinations have the
// labels of node_exporter's ipvs collector, so that dashboards made for that go on; they are told while there are few.
import type { Counter } from "@baton/contracts";
import { ipFamily } from "@baton/domain";
import { attribute, type MetricName, metric, prometheusName } from "@baton/telemetry";
import type { Core } from "./core.ts";
import type { Measured } from "./keeper.ts";

/** With more than this each scrape would carry tens of thousands of samples that nobody looks at one by one. */
export const measuredMax = 300;

/** Seconds: from one destination (0.1 ms) to a table of ten thousand services. */
const buckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3] as const;

/** How long it took from the news until the kernel had it. */
export class ApplyTimes {
  readonly #counts = buckets.map(() => 0);
  #count = 0;
  #sum = 0;

  observe(seconds: number): void {
    for (const [at, limit] of buckets.entries()) if (seconds <= limit) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count++;
    this.#sum += seconds;
  }

  samples(engine: string): Counter[] {
    const name = prometheusName(metric.ipvsApplyDuration);
    const labels = { [attribute.engine]: engine };
    return [
      ...buckets.map((limit, at) => ({
        name: `${name}_bucket`,
        labels: { ...labels, le: String(limit) },
        value: this.#counts[at] ?? 0,
      })),
      { name: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: this.#count },
      { name: `${name}_sum`, labels, value: this.#sum },
      { name: `${name}_count`, labels, value: this.#count },
    ];
  }
}

export function countersOf({ engine, keeper, repairs }: Core, times: ApplyTimes): Counter[] {
  const { services, destinations } = keeper.counts();
  const labels = { [attribute.engine]: engine };
  return [
    { name: metric.balancerServices.name, labels, value: services },
    { name: metric.balancerDestinations.name, labels, value: destinations },
    { name: metric.balancerRepairs.name, labels, value: repairs },
    { name: metric.ipvsDrift.name, labels, value: keeper.drift() },
    ...times.samples(engine),
    ...(destinations > measuredMax ? [] : [...keeper.measured()].flatMap(countersOfDestination)),
  ];
}

function countersOfDestination({ service: { key }, destination }: Measured): Counter[] {
  const isAddress = key.kind === "address";
  const labels = {
    local_address: isAddress ? key.address : "",
    local_port: isAddress ? String(key.port) : "0",
    local_mark: isAddress ? "" : String(key.mark),
    proto: isAddress ? key.protocol.toUpperCase() : ipFamily(destination.address) === 4 ? "FWM" : "FWM6",
    remote_address: destination.address,
    remote_port: String(destination.port),
  };
  const { connections, traffic, weight } = destination;
  const sample = (of: MetricName, value: number): Counter => ({ name: of.name, labels, value });
  return [
    sample(metric.backendWeight, weight),
    sample(metric.backendActive, connections.active),
    sample(metric.backendInactive, connections.inactive),
    sample(metric.backendConnections, traffic.connections),
    sample(metric.backendInPackets, traffic.inPackets),
    sample(metric.backendOutPackets, traffic.outPackets),
    sample(metric.backendInBytes, traffic.inBytes),
    sample(metric.backendOutBytes, traffic.outBytes),
  ];
}
