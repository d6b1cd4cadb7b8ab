// What dataplane counts, under the names of libs/telemetry. Plain numbers in memory; they go out with each snapshot.
import type { Counter } from "@baton/contracts";
import { attribute, type MetricName, metric } from "@baton/telemetry";

const counted = {
  leaseConfirms: metric.leaseConfirms,
  leaseExpired: metric.leaseExpired,
  claimsRefused: metric.claimsRefused,
  drift: metric.drift,
  driftWars: metric.driftWars,
  addressErrors: metric.addressErrors,
  garpSent: metric.garpSent,
  garpErrors: metric.garpErrors,
} as const satisfies Record<string, MetricName>;

export type CounterName = keyof typeof counted;

export class Counters {
  readonly #values = new Map<CounterName, Map<string, number>>();
  #latenessMax = 0;

  add(name: CounterName, instance: string, amount = 1): void {
    const values = this.#values.get(name) ?? new Map<string, number>();
    this.#values.set(name, values);
    values.set(instance, (values.get(instance) ?? 0) + amount);
  }

  /** A deadline that was acted on late, in microseconds. */
  late(lateness: number): void {
    this.#latenessMax = Math.max(this.#latenessMax, lateness);
  }

  value(name: CounterName, instance: string): number {
    return this.#values.get(name)?.get(instance) ?? 0;
  }

  samples(): Counter[] {
    const counts = [...this.#values].flatMap(([name, values]) =>
      [...values].map(([instance, value]) => ({
        name: counted[name].name,
        labels: { [attribute.instance]: instance },
        value,
      })),
    );
    const lateness = {
      name: `${metric.timerLateness.name}.max`,
      labels: { [attribute.service]: "dataplane" },
      value: this.#latenessMax / 1_000_000,
    };
    return [...counts, lateness];
  }
}
