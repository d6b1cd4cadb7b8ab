// keepalived's statistics of an instance, from what the election counts: same names, same meaning, so that a graph goes on
// where keepalived's ended.
import type { Counter } from "@baton/contracts";
import { metric, prometheusName } from "@baton/telemetry";
import { countsAsReceived, type DiscardReason, discards } from "@baton/vrrp";

/** As in keepalived's JSON, and in its order. */
export const statisticNames = [
  "advert_rcvd",
  "advert_sent",
  "become_master",
  "release_master",
  "packet_len_err",
  "advert_interval_err",
  "ip_ttl_err",
  "invalid_type_rcvd",
  "addr_list_err",
  "invalid_authtype",
  "authtype_mismatch",
  "auth_failure",
  "auth_ext_missing",
  "auth_ext_malformed",
  "auth_ext_unknown_key",
  "auth_ext_invalid_hmac",
  "auth_ext_stale",
  "auth_ext_replay",
  "pri_zero_rcvd",
  "pri_zero_sent",
] as const;

export type StatisticName = (typeof statisticNames)[number];
export type Statistics = Readonly<Record<StatisticName, number>>;

type Sums = Record<StatisticName, number>;

const zero = (): Sums => Object.fromEntries(statisticNames.map((name) => [name, 0])) as Sums;
const isStatistic = (name: string | undefined): name is StatisticName => statisticNames.some((known) => known === name);

const adverts = prometheusName(metric.adverts);
const priorityZero = prometheusName(metric.priorityZero);
const transitions = prometheusName(metric.transitions);
const discarded = prometheusName(metric.advertsDiscarded);
const notices = prometheusName(metric.advertNotices);

/** A node that only listens after a crash of its election is still the master that it was. */
const isMaster = (state: string | undefined): boolean => state === "master" || state === "listening";
const isReason = (reason: string): reason is DiscardReason => Object.hasOwn(discards, reason);

/** Which statistics a sample belongs to. */
function statisticsFor({ name, labels }: Counter): StatisticName[] {
  const received = labels.direction === "received";
  switch (name) {
    case adverts:
      return [received ? "advert_rcvd" : "advert_sent"];
    case priorityZero:
      return [received ? "pri_zero_rcvd" : "pri_zero_sent"];
    case transitions:
      if (isMaster(labels.from) === isMaster(labels.to)) return [];
      return [isMaster(labels.to) ? "become_master" : "release_master"];
    case discarded: {
      const reason = labels.reason ?? "";
      if (!isReason(reason)) return [];
      const { statistic } = discards[reason];
      const names: readonly (string | undefined)[] = [countsAsReceived(reason) ? "advert_rcvd" : undefined, statistic];
      return names.filter(isStatistic);
    }
    case notices:
      return labels.notice?.startsWith("address-") === true ? ["addr_list_err"] : [];
    default:
      return [];
  }
}

export function sumStatistics(counters: readonly Counter[]): ReadonlyMap<string, Statistics> {
  const sums = new Map<string, Sums>();
  for (const counter of counters) {
    const instance = counter.labels.instance ?? "";
    const names = statisticsFor(counter);
    if (instance === "" || names.length === 0) continue;
    const sum = sums.get(instance) ?? zero();
    for (const name of names) sum[name] += counter.value;
    sums.set(instance, sum);
  }
  return sums;
}

/** Statistics that can begin anew (SIGRTMAX-1), while the counters that they are made of go on. */
export class StatisticsBook {
  #base: ReadonlyMap<string, Statistics> = new Map();

  /** What was counted since the last `clear`; of an instance that nothing was counted of, zeroes. */
  since(counters: readonly Counter[]): (instance: string) => Statistics {
    const sums = sumStatistics(counters);
    const base = this.#base;
    return (instance) => {
      const now = sums.get(instance) ?? zero();
      const before = base.get(instance) ?? zero();
      // An election that was started again has counted from zero since.
      const restarted = statisticNames.some((name) => now[name] < before[name]);
      if (restarted) return now;
      return Object.fromEntries(statisticNames.map((name) => [name, now[name] - before[name]])) as Sums;
    };
  }

  clear(counters: readonly Counter[]): void {
    this.#base = sumStatistics(counters);
  }
}
