// When checkers run: what one does not say itself, its real server says, then the virtual server, then its type.
import { type IpAddress, type Micros, secondsToMicros } from "@baton/domain";
import type { CheckDefaults, CheckerConfig, CheckTimes } from "../config.ts";
import { checkerKeywords } from "../keywords/checker.ts";
import type { Keyword } from "../keywords/table.ts";
import { type Block, value } from "../syntax/tree.ts";
import type { CommandContext } from "./command.ts";
import type { Trackable } from "./tracking.ts";

/** The real server that a checker belongs to. */
export interface CheckedServer {
  readonly address: IpAddress;
  /** 0: it has none. */
  readonly port: number;
  readonly alpha: boolean;
  /** What it says itself, and its virtual server for it. */
  readonly defaults: CheckDefaults;
  /** `virtualhost` of both. */
  readonly hostName: string | undefined;
  readonly serviceHostName: string | undefined;
  /** delay_loop of the virtual server: how long a program may run. */
  readonly serviceLoop: Micros;
}

/** What FILE_CHECK and BFD_CHECK can follow, by name. */
export interface CheckerContext extends CommandContext {
  readonly files: ReadonlyMap<string, Trackable>;
  readonly sessions: ReadonlyMap<string, Trackable>;
}

interface TypeDefaults {
  readonly retry: number;
  /** undefined: delay_loop. */
  readonly delayBeforeRetry: Micros | undefined;
}

const usual: TypeDefaults = { retry: 1, delayBeforeRetry: secondsToMicros(1) };

const typeDefaults: Readonly<Partial<Record<CheckerConfig["type"], TypeDefaults>>> = {
  HTTP_GET: { retry: 1, delayBeforeRetry: secondsToMicros(3) },
  SSL_GET: { retry: 1, delayBeforeRetry: secondsToMicros(3) },
  DNS_CHECK: { retry: 3, delayBeforeRetry: undefined },
  MISC_CHECK: { retry: 0, delayBeforeRetry: secondsToMicros(1) },
};

/** What the first of `blocks` says that says it at all. */
export function firstValue<T>(blocks: readonly Block[], keyword: Keyword<T>): T | undefined {
  for (const block of blocks) {
    const found = value(block, keyword);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `blocks`: the checker, from the inside out. */
export function resolveTimes(
  type: CheckerConfig["type"],
  blocks: readonly Block[],
  { alpha, defaults }: CheckedServer,
  { defaults: globals }: CheckerContext,
): CheckTimes {
  const own = typeDefaults[type] ?? usual;
  const delayLoop = firstValue(blocks, checkerKeywords.delayLoop) ?? defaults.delayLoop;
  return {
    alpha: firstValue(blocks, checkerKeywords.alpha) ?? alpha,
    delayLoop,
    warmup: firstValue(blocks, checkerKeywords.warmup) ?? defaults.warmup ?? delayLoop,
    retry: firstValue(blocks, checkerKeywords.retry) ?? defaults.retry ?? own.retry,
    delayBeforeRetry:
      firstValue(blocks, checkerKeywords.delayBeforeRetry) ??
      defaults.delayBeforeRetry ??
      own.delayBeforeRetry ??
      delayLoop,
    logAllFailures: globals.checkerLogAllFailures || (firstValue(blocks, checkerKeywords.logAllFailures) ?? false),
  };
}
