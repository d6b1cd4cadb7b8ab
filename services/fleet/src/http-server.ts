// The fleet page's HTTP side: two JSON documents, a stream, and the built page. It only reads: nothing that a browser
// sends changes anything.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import { historyMax } from "./event-history.ts";
import type { EventStream } from "./event-stream.ts";
import type { FleetFeed } from "./fleet-feed.ts";
import type { StaticFile } from "./static-files.ts";

export interface HttpDependencies {
  readonly feed: FleetFeed;
  readonly stream: EventStream;
  readonly files: ReadonlyMap<string, StaticFile>;
  /** Host names, besides addresses and localhost, under which the page may be asked for. */
  readonly hostNames: readonly string[];
}

const defaultEvents = 200;
/** Of no interest: a URL needs one to be parsed. */
const origin = "http://fleet.invalid";

/** The page brings everything itself and may talk to its own server only. */
const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;

export function createHttpServer(dependencies: HttpDependencies): Server {
  return createServer((request, response) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    answer(dependencies, request, response);
  });
}

function answer(dependencies: HttpDependencies, request: IncomingMessage, response: ServerResponse): void {
  if (!isKnownHost(request.headers.host, dependencies.hostNames))
    return sendJson(response, 403, {
      error: "this name is not served here; start the hub with --host-name to allow it",
    });
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return sendJson(response, 405, { error: "this server only reads: use GET" });
  }
  const target = request.url ?? "/";
  if (!URL.canParse(target, origin)) return sendJson(response, 400, { error: "not a URL" });
  const url = new URL(target, origin);
  switch (url.pathname) {
    case "/api/fleet":
      return sendJson(response, 200, dependencies.feed.fleet());
    case "/api/events":
      return sendEvents(dependencies, url, response);
    case "/api/stream":
      if (request.method === "HEAD") return sendJson(response, 405, { error: "the stream answers GET only" });
      if (!dependencies.stream.attach(response, dependencies.feed.opening()))
        sendJson(response, 503, { error: "too many open pages" });
      return;
    default:
      return sendFile(dependencies.files, url.pathname, request, response);
  }
}

/**
 * A page of another site can point its own name at this address (DNS rebinding) and would then be allowed to read the
 * answers. It cannot do so with an address as its name.
 */
export function isKnownHost(header: string | undefined, hostNames: readonly string[]): boolean {
  if (header === undefined) return false;
  const host = header
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
  return host === "localhost" || isIP(host) !== 0 || hostNames.includes(host);
}

function sendEvents({ feed }: HttpDependencies, url: URL, response: ServerResponse): void {
  const text = url.searchParams.get("limit") ?? String(defaultEvents);
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(limit) || limit < 1 || limit > historyMax)
    return sendJson(response, 400, { error: `limit is a number from 1 to ${historyMax}` });
  sendJson(response, 200, { events: feed.events(limit) });
}

function sendFile(
  files: ReadonlyMap<string, StaticFile>,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const file = files.get(path);
  if (file === undefined) {
    const message = files.size === 0 ? "the page was not built: run npm run build" : "no such page";
    return sendJson(response, 404, { error: message });
  }
  response.writeHead(200, {
    "content-type": file.type,
    "content-length": file.body.length,
    "cache-control": file.immutable ? "public, max-age=31536000, immutable" : "no-cache",
  });
  response.end(request.method === "HEAD" ? undefined : file.body);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : text);
}
