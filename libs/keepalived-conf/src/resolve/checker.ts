// Checkers of a real server: what they do not say themselves, the real server says, then the virtual server, then the type.
import { secondsToMicros } from "@baton/domain";
import type { CheckerConfig } from "../config.ts";
import type { Keyword } from "../keywords/table.ts";
import {
  checkerKeywords,
  checkers,
  httpUrl,
  realServer,
  sslUrl,
  urlKeywords,
  virtualServer,
} from "../keywords/virtual-server.ts";
import { type Block, blocksOf, setting, value } from "../syntax/tree.ts";
import { advise, type ResolveContext, reject } from "./context.ts";

interface TypeDefaults {
  readonly retry: number;
  /** Seconds; undefined: delay_loop. */
  readonly delayBeforeRetry: number | undefined;
}

const typeDefaults: Readonly<Record<CheckerConfig["type"], TypeDefaults>> = {
  TCP_CHECK: { retry: 1, delayBeforeRetry: 1 },
  HTTP_GET: { retry: 1, delayBeforeRetry: 3 },
  SSL_GET: { retry: 1, delayBeforeRetry: 3 },
  SMTP_CHECK: { retry: 1, delayBeforeRetry: 1 },
  DNS_CHECK: { retry: 3, delayBeforeRetry: undefined },
  PING_CHECK: { retry: 1, delayBeforeRetry: 1 },
  UDP_CHECK: { retry: 1, delayBeforeRetry: 1 },
  MISC_CHECK: { retry: 0, delayBeforeRetry: 1 },
  FILE_CHECK: { retry: 0, delayBeforeRetry: 1 },
  BFD_CHECK: { retry: 1, delayBeforeRetry: 1 },
};

const types = Object.keys(typeDefaults) as CheckerConfig["type"][];

export function resolveCheckers(server: Block, service: Block, context: ResolveContext): CheckerConfig[] {
  const found: CheckerConfig[] = [];
  // In the order of the file: the first that fails takes the server out.
  for (const block of server.blocks) {
    const type = types.find((name) => checkers[name] === block.spec);
    if (type === undefined) continue;
    const urls = type === "HTTP_GET" || type === "SSL_GET" ? resolveUrls(block, context) : [];
    if ((type === "HTTP_GET" || type === "SSL_GET") && urls.length === 0) {
      reject(
        context,
        block.place,
        "no-url",
        `${type} has no url and checks nothing; it is left out`,
        "write url { path / }",
      );
      continue;
    }
    found.push(resolveChecker(type, urls, [block, server, service], context));
  }
  return found;
}

/** `scopes`: checker, real server, virtual server; the first that says something counts. */
function resolveChecker(
  type: CheckerConfig["type"],
  urls: CheckerConfig["urls"],
  scopes: readonly [Block, Block, Block],
  context: ResolveContext,
): CheckerConfig {
  const [checker, server, service] = scopes;
  const inherited = <T>(own: Keyword<T>, real: Keyword<T>, virtual: Keyword<T>): T | undefined =>
    value(checker, own) ?? value(server, real) ?? value(service, virtual);
  const defaults = typeDefaults[type];
  const { retry, delayBeforeRetry, delayLoop, connectTimeout } = checkerKeywords;
  const loop = inherited(delayLoop, delayLoop, delayLoop) ?? secondsToMicros(60);
  const real = realServer.keywords;
  const virtual = virtualServer.keywords;
  const timeout = inherited(connectTimeout, real.connectTimeout, virtual.connectTimeout) ?? secondsToMicros(5);
  if (timeout > loop) {
    const place = setting(checker, connectTimeout)?.place ?? checker.place;
    advise(
      context,
      place,
      "long-timeout",
      `${type}: connect_timeout is longer than delay_loop`,
      "a dead server is noticed late",
    );
  }
  const wait = defaults.delayBeforeRetry;
  return {
    type,
    connectPort: value(checker, checkerKeywords.connectPort),
    connectTimeout: timeout,
    retry: inherited(retry, real.retry, virtual.retry) ?? defaults.retry,
    delayBeforeRetry:
      inherited(delayBeforeRetry, delayBeforeRetry, delayBeforeRetry) ??
      (wait === undefined ? loop : secondsToMicros(wait)),
    urls,
  };
}

function resolveUrls(checker: Block, context: ResolveContext): CheckerConfig["urls"] {
  const urls: CheckerConfig["urls"][number][] = [];
  for (const block of [...blocksOf(checker, httpUrl), ...blocksOf(checker, sslUrl)]) {
    const path = value(block, urlKeywords.path);
    if (path === undefined) {
      reject(context, block.place, "no-path", "this url has no path and is left out", "write path /");
      continue;
    }
    urls.push({
      path,
      statusCodes: value(block, urlKeywords.statusCodes) ?? [{ min: 200, max: 299 }],
      digest: value(block, urlKeywords.digest),
    });
  }
  return urls;
}
