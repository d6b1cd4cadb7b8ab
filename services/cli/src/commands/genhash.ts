// `baton genhash`: the digest that `digest` of HTTP_GET and SSL_GET is to be. It asks as a check does, for a digest that no
// page has: the check's failure then names the one that this page has.
import { lookup } from "node:dns/promises";
import { checkFailureWords, messageOf, micros, parseIp, toMillis } from "@baton/domain";
import type { HttpCheckerConfig, SslCheckerConfig, UrlConfig } from "@baton/keepalived-conf";
import { loadTls, probe } from "@baton/probes";
import type { GenhashCommand } from "../arguments/parse-arguments.ts";
import type { Console } from "./console.ts";

export async function genhash(command: GenhashCommand, console: Console): Promise<number> {
  const checker = await checkerOf(command);
  if (typeof checker === "string") return fails(console, checker);
  const tls = loadTls(undefined);
  if (!tls.ok) return fails(console, tls.reason);
  const outcome = await probe(checker, {
    signal: new AbortController().signal,
    url: 0,
    tls: tls.context,
    program: { identity: { ok: false, reason: "no program runs" }, environment: {} },
  });
  if (outcome.ok === true) return fails(console, "the page has no digest");
  if (outcome.ok === undefined)
    return fails(console, [outcome.reason, outcome.errno, outcome.detail].filter(Boolean).join(": "));
  const { reason, errno = "", status = 0, excerpt = "", detail = "", durationMicros } = outcome;
  if (reason !== "wrong-digest") {
    const check = `${command.server} port ${command.port}`;
    const failure = {
      check,
      reason,
      errno,
      status,
      excerpt,
      detail,
      durationMs: toMillis(durationMicros),
      attempt: 1,
      url: 0,
    };
    return fails(console, `${check}: ${checkFailureWords(failure)}`);
  }
  if (command.verbose) console.out(`status ${status} in ${toMillis(durationMicros)} ms: ${excerpt}\n`);
  console.out(`${detail}\n`);
  return 0;
}

function fails(console: Console, why: string): number {
  console.error(`baton: genhash: ${why}`);
  return 1;
}

/** A sentence: why there is none. */
async function checkerOf(command: GenhashCommand): Promise<HttpCheckerConfig | SslCheckerConfig | string> {
  const address = parseIp(command.server) ?? (await addressOf(command.server));
  if (typeof address === "object") return address.problem;
  const { port, path, host, tls, serverName, mark, protocol, timeoutMs } = command;
  const timeout = micros(timeoutMs * 1_000);
  const none = micros(0);
  const connection = {
    address,
    port,
    bindAddress: undefined,
    bindPort: undefined,
    bindInterface: undefined,
    timeout,
    mark,
  };
  const times = {
    alpha: false,
    delayLoop: none,
    warmup: none,
    retry: 0,
    delayBeforeRetry: none,
    logAllFailures: false,
  };
  const manner = {
    ...times,
    connection,
    httpVersion: protocol === "1.1" ? "1.1" : "1.0",
    closeConnection: protocol !== "1.0",
    fastRecovery: false,
  } as const;
  const statusCodes = [{ min: 1, max: 999 }];
  const url: UrlConfig = { path, host, statusCodes, digest: "", regex: undefined };
  return tls
    ? { type: "SSL_GET", ...manner, urls: [{ ...url, serverName, tlsCompliant: false }] }
    : { type: "HTTP_GET", ...manner, urls: [url] };
}

async function addressOf(name: string) {
  try {
    const { address } = await lookup(name);
    return parseIp(address) ?? { problem: `${name}: no address` };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
