// How long another router may need to find what this one has found of a virtual server: both run the same checks, each at
// moments of its own. The worst case: its check has just succeeded, then fails as slowly as it can, as often as it must.
import { type Micros, micros, secondsToMicros } from "@baton/domain";
import type { CheckerConfig, VirtualServerConfig } from "@baton/keepalived-conf";

/** Probes that begin late, clocks that differ, and the way from check to election. */
const margin = (longest: number): Micros => micros(secondsToMicros(1) + longest / 10);

/** Enough for every check of the virtual server. */
export function quorumHold({ realServers }: Pick<VirtualServerConfig, "realServers">): Micros {
  let longest = 0;
  for (const { checkers } of realServers)
    for (const checker of checkers) longest = Math.max(longest, longestFinding(checker));
  return micros(Math.round(longest + margin(longest)));
}

/** From the fault until the check says so. */
function longestFinding(checker: CheckerConfig): number {
  // Both are told of at once, by whoever watches the file or the session.
  if (checker.type === "FILE_CHECK" || checker.type === "BFD_CHECK") return 0;
  const { delayLoop, retry, delayBeforeRetry } = checker;
  const one = longestAttempt(checker);
  const whole = "urls" in checker ? one * checker.urls.length : one;
  return delayLoop + retry * (delayBeforeRetry + one) + whole;
}

/** Of one url; each step has the whole timeout (`connect_timeout`). */
function longestAttempt(checker: Exclude<CheckerConfig, { type: "FILE_CHECK" | "BFD_CHECK" }>): number {
  if (checker.type === "MISC_CHECK") return checker.timeout === 0 ? checker.delayLoop : checker.timeout;
  return stepsOf[checker.type] * checker.connection.timeout;
}

const stepsOf = {
  TCP_CHECK: 1,
  PING_CHECK: 1,
  UDP_CHECK: 1,
  DNS_CHECK: 1,
  // Connection, answer.
  HTTP_GET: 2,
  // And the handshake.
  SSL_GET: 3,
  // Connection, greeting, HELO, QUIT.
  SMTP_CHECK: 4,
} as const;
