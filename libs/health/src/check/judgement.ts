// What an attempt's result makes of a check: keepalived's rules by type, with neither clock nor schedule.
//
//   all but GETs   a failure is tried again after delay_before_retry, `retry` times; then the check is down, and tried
//                  every delay_loop until it succeeds. A success brings it up at once.
//   GETs           one url after another, one each delay_loop; up once all have succeeded. The url that took it down is
//                  tried alone until it succeeds; then all are.
//
// Who has not run yet and was started with keepalived has its retries behind it: the first failure decides at once.
import { type Micros, micros } from "@baton/domain";
import type { CheckConfig, CheckMemory, CheckNews, WeightPart } from "./types.ts";

export interface Judgement {
  readonly memory: CheckMemory;
  /** Until the next attempt. */
  readonly wait: Micros;
  /** undefined: nobody has to know. */
  readonly news: Exclude<CheckNews, "weight"> | undefined;
}

/** `weight`: of a success. */
export function judge(
  config: CheckConfig,
  memory: CheckMemory,
  success: boolean,
  weight?: WeightPart | undefined,
): Judgement {
  switch (config.type) {
    case "HTTP_GET":
    case "SSL_GET":
      return success ? judgeAnsweredUrl(config, memory) : judgeFailedUrl(config, memory);
    default:
      return success ? judgeSuccess(config, memory, weight) : judgeFailure(config, memory);
  }
}

/** It is not known to have failed: it is up, or it counts as down only because it has not run. */
export const isOpen = ({ up, hasRun }: CheckMemory): boolean => up || !hasRun;

function decide(config: CheckConfig, memory: CheckMemory, up: boolean): Pick<Judgement, "memory" | "news"> {
  const decided = { ...memory, up, hasRun: true };
  if (memory.up !== up) return { memory: decided, news: "changed" };
  return { memory: decided, news: !memory.hasRun && (config.alpha || !up) ? "confirmed" : undefined };
}

function judgeSuccess(config: CheckConfig, memory: CheckMemory, weight: WeightPart | undefined): Judgement {
  return { ...decide(config, { ...memory, attempts: 0, weight }, true), wait: config.delayLoop };
}

function judgeFailure(config: CheckConfig, memory: CheckMemory): Judgement {
  const { delayLoop, delayBeforeRetry, retry } = config;
  if (retriesNow(config, memory)) {
    // SMTP_CHECK alone does not count a first attempt that is tried again as a run.
    const hasRun = memory.hasRun || config.type !== "SMTP_CHECK";
    return {
      memory: { ...memory, hasRun, attempts: memory.attempts + 1 },
      wait: delayBeforeRetry,
      news: undefined,
    };
  }
  const over = { ...memory, attempts: 0 };
  if (isOpen(memory) && memory.attempts >= retry)
    return { ...decide(config, { ...over, weight: undefined }, false), wait: delayLoop };
  return { memory: { ...over, hasRun: true }, wait: delayLoop, news: undefined };
}

/** Retries are for who may still be up; SMTP_CHECK makes them whatever it knows. */
function retriesNow({ type, retry }: CheckConfig, memory: CheckMemory): boolean {
  if (memory.attempts >= retry) return false;
  switch (type) {
    case "SMTP_CHECK":
      return true;
    case "DNS_CHECK":
    case "MISC_CHECK":
      return isOpen(memory);
    default:
      return memory.up;
  }
}

function judgeAnsweredUrl(config: CheckConfig, before: CheckMemory): Judgement {
  const isLast = before.url + 1 >= config.urls;
  const memory = { ...before, attempts: 0 };
  if (before.failedUrl !== undefined)
    return afterAnswer(config, { memory: { ...memory, failedUrl: undefined, url: 0 }, news: undefined });
  if (!isLast) return afterAnswer(config, { memory: { ...memory, url: before.url + 1 }, news: undefined });
  const round = { ...memory, url: 0 };
  return afterAnswer(config, isUnsettled(memory) ? decide(config, round, true) : { memory: round, news: undefined });
}

const isUnsettled = ({ up, hasRun }: CheckMemory): boolean => !up || !hasRun;

function afterAnswer(config: CheckConfig, { memory, news }: Pick<Judgement, "memory" | "news">): Judgement {
  // The first round is the first run: a failure in the middle of it decides at once.
  const next = memory.hasRun ? memory : { ...memory, attempts: config.retry };
  const hurries = config.fastRecovery && (!memory.hasRun || (!memory.up && memory.failedUrl === undefined));
  return { memory: next, wait: hurries ? micros(0) : config.delayLoop, news };
}

function judgeFailedUrl(config: CheckConfig, memory: CheckMemory): Judgement {
  const { delayLoop, delayBeforeRetry, retry } = config;
  const failedWait = micros(Math.max(delayBeforeRetry, delayLoop));
  if (!isOpen(memory)) {
    // On the way up another url fails: it is tried again where the round is. keepalived with fast_recovery tries it again
    // without any pause here, as fast as the server refuses it.
    const wait = memory.failedUrl === undefined ? pauseOf(config) : failedWait;
    return { memory, wait, news: undefined };
  }
  const attempts = memory.attempts + 1;
  const counted = { ...memory, hasRun: true, attempts };
  if (attempts <= retry)
    return { memory: counted, wait: memory.up ? delayBeforeRetry : pauseOf(config), news: undefined };
  const failed = { ...counted, failedUrl: memory.url };
  // A check that counted as down before its first run is down without anybody being told.
  if (!memory.up) return { memory: failed, wait: failedWait, news: undefined };
  return { ...decide(config, failed, false), wait: failedWait };
}

/** `delay_before_retry 0` is for the few retries of who is up, not for a storm on who is down. */
const pauseOf = ({ delayBeforeRetry, delayLoop }: CheckConfig): Micros =>
  delayBeforeRetry > 0 ? delayBeforeRetry : delayLoop;
