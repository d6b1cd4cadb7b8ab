// HTTP_GET and SSL_GET: one url is fetched and judged in keepalived's order: data, status, digest, pattern. The answer is
// over when the server closes the connection, whatever it said of its length.
import type { Socket } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import { ipFamily } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import type { HttpCheckerConfig, SslCheckerConfig, SslUrlConfig, UrlConfig } from "@baton/keepalived-conf";
import { type Attempt, errnoOf, printable, runAttempt } from "./attempt.ts";
import { bodyPattern } from "./body-pattern.ts";
import { connect } from "./connection.ts";
import { type ResponseReader, readResponse } from "./http-response.ts";

type GetConfig = HttpCheckerConfig | SslCheckerConfig;

/** `url`: which of them. */
export function probeHttp(config: HttpCheckerConfig, url: number, signal: AbortSignal): Promise<ProbeOutcome> {
  return runAttempt(signal, (attempt) => {
    const wanted = config.urls[url];
    if (wanted === undefined) return attempt.block("socket", `there is no url ${url}`);
    const fetch = createFetch(attempt, config, wanted, { errors: "strict", over: "end" });
    connect(attempt, config.connection, fetch.begin, fetch.onError);
  });
}

/** `context`: of `loadTls`. */
export function probeSsl(
  config: SslCheckerConfig,
  url: number,
  context: SecureContext,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  return runAttempt(signal, (attempt) => {
    const wanted = config.urls[url];
    if (wanted === undefined) return attempt.block("socket", `there is no url ${url}`);
    const fetch = createFetch(attempt, config, wanted, {
      errors: "lenient",
      over: wanted.tlsCompliant ? "close" : "end",
    });
    const begin = (socket: Socket): void => startTls(attempt, socket, wanted, context, fetch);
    // An error of the connection is one of TLS too, which tells of it.
    connect(attempt, config.connection, begin, () => undefined);
  });
}

/** The handshake shares the time of the connection. */
function startTls(attempt: Attempt, socket: Socket, url: SslUrlConfig, context: SecureContext, fetch: Fetch): void {
  const tls = connectTls({
    socket,
    secureContext: context,
    // Whose certificate it is does not matter: keepalived checks that a server answers, not who it is.
    rejectUnauthorized: false,
    ...(url.serverName === undefined ? {} : { servername: url.serverName }),
  });
  let secure = false;
  attempt.release(() => void tls.destroy());
  tls.on("error", (error) => (secure ? fetch.onError(error) : failHandshake(attempt, error)));
  tls.once("close", () => {
    if (!secure) attempt.fail("closed", { detail: "in the TLS handshake" });
  });
  tls.once("secureConnect", () => {
    secure = true;
    fetch.begin(tls);
  });
}

function failHandshake(attempt: Attempt, error: Error): void {
  // OpenSSL has a code for the peer's silence, Node one for its end.
  if (errnoOf(error) === "ECONNRESET") attempt.fail("tls", { errno: "ECONNRESET", detail: printable(error.message) });
  else if (errnoOf(error) !== "") attempt.failBy(error);
  else attempt.fail("tls", { detail: printable(error.message) });
}

interface Fetch {
  begin(socket: Socket): void;
  onError(error: Error): void;
}

interface FetchManner {
  /** `lenient`: an error behind the header ends the answer, as keepalived takes what TLS tells of; `strict`: it fails. */
  readonly errors: "strict" | "lenient";
  /** `end`: when the server has said all; `close`: when we have said goodbye too (`tls_compliant`: close_notify). */
  readonly over: "end" | "close";
}

function createFetch(attempt: Attempt, config: GetConfig, url: UrlConfig, { errors, over }: FetchManner): Fetch {
  const reader = readResponse({ digest: url.digest !== undefined, body: url.regex !== undefined });
  const { timeout } = config.connection;
  return {
    begin: (socket) => {
      socket.on("data", (chunk: Buffer) => {
        if (attempt.isOver()) return;
        attempt.allow(timeout);
        if (reader.push(chunk) === "too-long")
          attempt.fail("wrong-reply", { detail: "the answer is too long", excerpt: printable(reader.excerpt()) });
      });
      if (over === "end") socket.once("end", () => judge(attempt, url, reader));
      socket.once("close", () => judge(attempt, url, reader));
      attempt.allow(timeout);
      socket.write(requestText(config, url));
    },
    onError: (error) => {
      if (errors === "lenient" && reader.hasHeader()) judge(attempt, url, reader);
      else if (errnoOf(error) === "") attempt.fail("tls", { detail: printable(error.message) });
      else attempt.failBy(error, { errno: errnoOf(error), excerpt: printable(reader.excerpt()) });
    },
  };
}

export function requestText(
  { httpVersion, closeConnection, connection }: GetConfig,
  { path, host }: UrlConfig,
): string {
  const { address, port } = connection;
  const own = ipFamily(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  const close = closeConnection ? "Connection: close\r\n" : "";
  return `GET ${path} HTTP/${httpVersion}\r\nUser-Agent: KeepAliveClient\r\n${close}Host: ${host ?? own}\r\n\r\n`;
}

function judge(attempt: Attempt, url: UrlConfig, reader: ResponseReader): void {
  if (attempt.isOver()) return;
  const excerpt = printable(reader.excerpt());
  if (!reader.hasHeader()) return attempt.fail(excerpt === "" ? "closed" : "wrong-reply", { excerpt });
  const status = reader.status();
  const seen = { status, excerpt };
  if (status === 0) return attempt.fail("wrong-reply", { excerpt });
  if (!url.statusCodes.some(({ min, max }) => status >= min && status <= max))
    return attempt.fail("wrong-status", seen);
  if (url.digest !== undefined) {
    const digest = reader.digest();
    if (digest !== url.digest) return attempt.fail("wrong-digest", { ...seen, detail: digest });
  }
  if (url.regex === undefined) return attempt.succeed();
  const pattern = bodyPattern(url.regex);
  if (pattern === undefined) return attempt.fail("no-match", { ...seen, detail: "the pattern cannot be carried out" });
  const found = pattern.search(reader.body());
  const detail = found === "too-long" ? { detail: "the search took too long" } : {};
  if ((found === true) === url.regex.negate) return attempt.fail("no-match", { ...seen, ...detail });
  attempt.succeed();
}
