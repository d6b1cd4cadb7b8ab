// What the notifier counts, as metric samples.
import type { Counter } from "@baton/contracts";
import { type Micros, toSeconds } from "@baton/domain";
import { type MetricName, metric, prometheusName } from "@baton/telemetry";

export type Channel = "script" | "mail";

export interface NotificationCounters {
  ended(channel: Channel, outcome: "delivered" | "failed", sinceChange: Micros): void;
  /** `old` and `unchanged` changes are told to nobody; how many there were explains why. */
  judged(verdict: "tell" | "old" | "unchanged"): void;
  samples(mailsWaiting: number): Counter[];
}

export function createNotificationCounters(): NotificationCounters {
  const samples = new Map<string, Counter>();
  const add = (of: MetricName, labels: Record<string, string>, by: number, suffix = ""): void => {
    const name = prometheusName(of) + suffix;
    const key = name + JSON.stringify(labels);
    const sample = samples.get(key) ?? { name, labels, value: 0 };
    sample.value += by;
    samples.set(key, sample);
  };
  return {
    ended(channel, outcome, sinceChange) {
      add(metric.notificationAttempts, { channel, outcome }, 1);
      if (outcome !== "delivered") return;
      add(metric.notificationDuration, { channel }, toSeconds(sinceChange), "_sum");
      add(metric.notificationDuration, { channel }, 1, "_count");
    },
    judged(verdict) {
      if (verdict !== "tell") add(metric.notificationAttempts, { channel: "none", outcome: verdict }, 1);
    },
    samples: (mailsWaiting) => [
      ...[...samples.values()].map((sample) => ({ ...sample })),
      { name: prometheusName(metric.notificationQueue), labels: { channel: "mail" }, value: mailsWaiting },
    ],
  };
}
