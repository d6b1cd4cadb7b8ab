// The checkers of a real server, each with what its type has of its own.
import type { CheckConnection, CheckerConfig, CheckTimes, SmtpCheckerConfig, UdpCheckerConfig } from "../config.ts";
import { checkers, httpKeywords, smtpHost } from "../keywords/checker.ts";
import { type Block, blocksOf, setting, value } from "../syntax/tree.ts";
import { namesConnection, resolveConnection } from "./check-connection.ts";
import { type CheckedServer, type CheckerContext, resolveTimes } from "./check-times.ts";
import { adjust, advise, reject } from "./context.ts";
import { resolveBfd, resolveFile, resolveMisc } from "./local-checker.ts";
import { resolveHttpUrls, resolveSslUrls } from "./url.ts";

/** In the order of the file. */
export function resolveCheckers(real: Block, server: CheckedServer, context: CheckerContext): CheckerConfig[] {
  const found: CheckerConfig[] = [];
  const followed = new Set<string>();
  for (const block of real.blocks) {
    if (block.spec === checkers.SMTP_CHECK) found.push(...resolveSmtp(block, server, context));
    else if (block.spec === checkers.BFD_CHECK) {
      const checker = resolveBfd(block, server, context, followed);
      if (checker === undefined) continue;
      followed.add(checker.session);
      found.push(checker);
    } else {
      const checker = resolveChecker(block, server, context);
      if (checker !== undefined) found.push(checker);
    }
  }
  return found;
}

/** undefined: the checker is left out; reported. */
function resolveChecker(block: Block, server: CheckedServer, context: CheckerContext): CheckerConfig | undefined {
  switch (block.spec) {
    case checkers.TCP_CHECK:
      return connecting("TCP_CHECK", [block], server, context);
    case checkers.PING_CHECK:
      return connecting("PING_CHECK", [block], server, context);
    case checkers.HTTP_GET:
      return resolveHttp(block, server, context);
    case checkers.SSL_GET:
      return resolveSsl(block, server, context);
    case checkers.DNS_CHECK:
      return resolveDns(block, server, context);
    case checkers.UDP_CHECK:
      return resolveUdp(block, server, context);
    case checkers.MISC_CHECK:
      return resolveMisc(block, server, context);
    case checkers.FILE_CHECK:
      return resolveFile(block, context);
    default:
      return undefined;
  }
}

interface Connecting<Type> extends CheckTimes {
  readonly type: Type;
  readonly connection: CheckConnection;
}

/** `blocks`: the checker, from the inside out. */
function connecting<Type extends CheckerConfig["type"]>(
  type: Type,
  blocks: readonly [Block, ...Block[]],
  server: CheckedServer,
  context: CheckerContext,
): Connecting<Type> | undefined {
  const connection = resolveConnection(blocks, server, context);
  if (connection === undefined) return undefined;
  const times = resolveTimes(type, blocks, server, context);
  if (connection.timeout > times.delayLoop) {
    const message = `${type}: connect_timeout is longer than delay_loop`;
    advise(context, blocks[0].place, "lint/long-timeout", message, "a dead server is noticed late");
  }
  const { alpha, delayLoop, warmup, retry, delayBeforeRetry, logAllFailures } = times;
  return { type, alpha, delayLoop, warmup, retry, delayBeforeRetry, logAllFailures, connection };
}

function hasUrls(block: Block, urls: readonly unknown[], context: CheckerContext): boolean {
  if (urls.length > 0) return true;
  const message = `${block.spec.name} has no url and checks nothing; it is left out`;
  reject(context, block.place, "no-url", message, "write url { path / }");
  return false;
}

function resolveHttp(block: Block, server: CheckedServer, context: CheckerContext): CheckerConfig | undefined {
  const urls = resolveHttpUrls(block, server, context);
  const base = hasUrls(block, urls, context) ? connecting("HTTP_GET", [block], server, context) : undefined;
  if (base === undefined) return undefined;
  const { httpVersion, closeConnection, fastRecovery } = resolveGet(block);
  return { ...base, httpVersion, closeConnection, fastRecovery, urls };
}

function resolveSsl(block: Block, server: CheckedServer, context: CheckerContext): CheckerConfig | undefined {
  const urls = resolveSslUrls(block, server, context);
  const base = hasUrls(block, urls, context) ? connecting("SSL_GET", [block], server, context) : undefined;
  if (base === undefined) return undefined;
  const { httpVersion, closeConnection, fastRecovery } = resolveGet(block);
  return { ...base, httpVersion, closeConnection, fastRecovery, urls };
}

const resolveGet = (block: Block) => {
  const protocol = value(block, httpKeywords.httpProtocol) ?? "1.0";
  return {
    httpVersion: protocol === "1.1" ? "1.1" : "1.0",
    closeConnection: protocol !== "1.0",
    fastRecovery: value(block, httpKeywords.fastRecovery) ?? false,
  } as const;
};

const defaultHeloName = "smtpchecker.keepalived.org";

/**
 * Each `host` is a checker; so is the block itself where it says where to connect to, or has no hosts. keepalived 2.4
 * reads the hosts' settings into the block around them: that loses all but the last, and gives the others no time.
 */
function resolveSmtp(block: Block, server: CheckedServer, context: CheckerContext): SmtpCheckerConfig[] {
  const heloName = value(block, checkers.SMTP_CHECK.keywords.heloName) ?? defaultHeloName;
  const hosts = blocksOf(block, smtpHost);
  const own: [Block, ...Block[]][] = hosts.length === 0 || namesConnection(block) ? [[block]] : [];
  const all = [...own, ...hosts.map((host): [Block, ...Block[]] => [host, block])];
  return all.flatMap((blocks) => {
    const base = connecting("SMTP_CHECK", blocks, server, context);
    return base === undefined ? [] : [{ ...base, heloName }];
  });
}

function resolveDns(block: Block, server: CheckedServer, context: CheckerContext): CheckerConfig | undefined {
  const { type, name } = checkers.DNS_CHECK.keywords;
  const base = connecting("DNS_CHECK", [block], server, context);
  return base && { ...base, queryType: value(block, type) ?? "SOA", name: value(block, name) ?? "." };
}

/** Longest answer that counts where nobody says one. */
const maxReplyLength = 255;

function resolveUdp(block: Block, server: CheckedServer, context: CheckerContext): UdpCheckerConfig | undefined {
  const { keywords } = checkers.UDP_CHECK;
  const base = connecting("UDP_CHECK", [block], server, context);
  const reply = value(block, keywords.requireReply);
  const minLength = value(block, keywords.minReplyLength) ?? 0;
  const maxLength = value(block, keywords.maxReplyLength) ?? maxReplyLength;
  if (minLength > maxLength) {
    const place = setting(block, keywords.minReplyLength)?.place ?? block.place;
    const message = `no answer is at least ${minLength} and at most ${maxLength} octets long; the check always fails`;
    adjust(context, place, "reply-length", message);
  }
  return (
    base && {
      ...base,
      payload: value(block, keywords.payload),
      reply: reply && { minLength, maxLength, pattern: reply.pattern },
    }
  );
}
