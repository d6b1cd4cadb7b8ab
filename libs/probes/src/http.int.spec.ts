// HTTP_GET and SSL_GET against servers in another namespace: what each can do wrong, and what keepalived lets pass.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from "node:tls";
import { micros } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import type { CheckConnection, RegexConfig, SslUrlConfig } from "@baton/keepalived-conf";
import { openDescriptors } from "@baton/linux/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { probeHttp, probeSsl } from "./http.ts";
import {
  connectionTo,
  families,
  makeProbeWorld,
  type ProbeWorld,
  serverAddress,
  times,
} from "./testing/probe-world.ts";
import { loadTls } from "./tls-material.ts";

let world: ProbeWorld;
const directory = mkdtempSync(join(tmpdir(), "baton-tls-"));
const file = (name: string): string => join(directory, name);
beforeAll(() => {
  world = makeProbeWorld("http");
  const key = (name: string, ...more: string[]): void =>
    void execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-days",
        "2",
        "-subj",
        `/CN=${name}`,
      ].concat(["-keyout", file(`${name}.key`), "-out", file(`${name}.pem`), ...more]),
      { stdio: "pipe" },
    );
  key("server", "-nodes");
  key("client", "-passout", "pass:secret");
});
const tlsServers: TlsServer[] = [];
const tlsSockets = new Set<TLSSocket>();
afterEach(async () => {
  for (const socket of tlsSockets) socket.destroy();
  for (const server of tlsServers.splice(0)) await new Promise((resolve) => server.close(resolve));
  await world.clear();
});
afterAll(() => {
  world.remove();
  rmSync(directory, { recursive: true });
});

const never = new AbortController().signal;
const short = micros(150_000);
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const plainUrl: SslUrlConfig = {
  path: "/",
  host: undefined,
  statusCodes: [{ min: 200, max: 299 }],
  digest: undefined,
  regex: undefined,
  serverName: undefined,
  tlsCompliant: false,
};
interface Over {
  readonly url?: Partial<SslUrlConfig>;
  readonly connection?: Partial<CheckConnection>;
  readonly get?: { readonly httpVersion?: "1.0" | "1.1"; readonly closeConnection?: boolean };
  readonly signal?: AbortSignal;
  readonly tls?: Parameters<typeof loadTls>[0];
}
const common = (family: 4 | 6, { url, connection, get }: Over) => ({
  ...times,
  httpVersion: "1.0" as const,
  closeConnection: false,
  fastRecovery: false,
  connection: connectionTo(serverAddress[family], 80, connection),
  urls: [{ ...plainUrl, ...url }],
  ...get,
});
const probe = (family: 4 | 6, over: Over = {}): Promise<ProbeOutcome> =>
  world.ours.inside(() => probeHttp({ ...common(family, over), type: "HTTP_GET" }, 0, over.signal ?? never));
const secureProbe = (family: 4 | 6, over: Over = {}): Promise<ProbeOutcome> => {
  const material = loadTls(over.tls);
  if (!material.ok) throw new Error(material.reason);
  return world.ours.inside(() =>
    probeSsl({ ...common(family, over), type: "SSL_GET" }, 0, material.context, over.signal ?? never),
  );
};

/** Answers once a whole request has come, and keeps the request. */
function serve(family: 4 | 6, answer: string | ((socket: Socket) => void), requests: string[] = []): string[] {
  world.serve(serverAddress[family], 80, (socket) => {
    let request = "";
    socket.on("data", (chunk) => {
      request += chunk.toString();
      if (!request.endsWith("\r\n\r\n")) return;
      requests.push(request);
      if (typeof answer === "string") socket.end(answer, "latin1");
      else answer(socket);
    });
  });
  return requests;
}
const ok = (body: string, header = ""): string => `HTTP/1.1 200 OK\r\n${header}\r\n${body}`;

describe.each(families)("HTTP_GET over IPv%i", (family) => {
  const own = family === 4 ? "10.99.0.2:80" : "[2001:db8::2]:80";

  test("up, and what is asked", async () => {
    const requests = serve(family, ok("hello"));
    expect(await probe(family, { url: { path: "/a?b" } })).toEqual({ ok: true, durationMicros: expect.any(Number) });
    await probe(family, { url: { host: "example.org" }, get: { httpVersion: "1.1", closeConnection: true } });
    expect(requests).toEqual([
      `GET /a?b HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: ${own}\r\n\r\n`,
      "GET / HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: example.org\r\n\r\n",
    ]);
  });

  test("down: refused", async () => {
    expect(await probe(family)).toMatchObject({ ok: false, reason: "refused", errno: "ECONNREFUSED" });
  });

  test("half-open: accepts, and says nothing", async () => {
    world.serve(serverAddress[family], 80);
    expect(await probe(family, { connection: { timeout: short } })).toMatchObject({ ok: false, reason: "timeout" });
  });

  test("blackholed", async () => {
    serve(family, ok(""));
    world.drop("tcp dport 80 drop");
    expect(await probe(family, { connection: { timeout: short } })).toMatchObject({ ok: false, reason: "timeout" });
  });

  test("slow: each part within the timeout is in time; a pause that is longer is not", async () => {
    const parts = ["HTTP/1.1 200 OK\r\n", "\r\n", "he", "llo"];
    const slowly = (millis: number) => (socket: Socket) => {
      for (const [index, part] of parts.entries()) setTimeout(() => socket.write(part), index * millis);
      setTimeout(() => socket.end(), parts.length * millis);
    };
    serve(family, slowly(200));
    expect(await probe(family, { connection: { timeout: micros(600_000) } })).toMatchObject({ ok: true });
    expect(await probe(family, { connection: { timeout: micros(100_000) } })).toMatchObject({
      ok: false,
      reason: "timeout",
    });
  });

  test("reset instead of an answer", async () => {
    serve(family, (socket) => socket.resetAndDestroy());
    expect(await probe(family)).toMatchObject({ ok: false, reason: "reset", errno: "ECONNRESET" });
  });

  test("closed without a word; no HTTP at all; a header without an end", async () => {
    let answer = "";
    serve(family, (socket) => socket.end(answer));
    expect(await probe(family)).toMatchObject({ ok: false, reason: "closed" });
    answer = "220 mail.example.org ESMTP\r\n";
    expect(await probe(family)).toMatchObject({
      ok: false,
      reason: "wrong-reply",
      excerpt: "220 mail.example.org ESMTP",
    });
    answer = "\x00\x01\x02\r\n\r\n";
    expect(await probe(family)).toMatchObject({ ok: false, reason: "wrong-reply" });
    answer = `HTTP/1.1 200 OK\r\nX: ${"y".repeat(100_000)}`;
    expect(await probe(family)).toMatchObject({ ok: false, reason: "wrong-reply", detail: "the answer is too long" });
  });

  test("status: only those wanted, with what the server said of it", async () => {
    serve(family, "HTTP/1.1 503 Busy\r\n\r\ncome\x07 back\nlater");
    expect(await probe(family)).toMatchObject({
      ok: false,
      reason: "wrong-status",
      status: 503,
      excerpt: "come back later",
    });
    expect(
      await probe(family, {
        url: {
          statusCodes: [
            { min: 200, max: 299 },
            { min: 503, max: 503 },
          ],
        },
      }),
    ).toMatchObject({
      ok: true,
    });
  });

  test("digest", async () => {
    serve(family, ok("hello, world", "Content-Length: 5\r\n"));
    expect(await probe(family, { url: { digest: md5("hello") } })).toMatchObject({ ok: true });
    expect(await probe(family, { url: { digest: md5("hello, world") } })).toMatchObject({
      ok: false,
      reason: "wrong-digest",
      status: 200,
      detail: md5("hello"),
    });
  });

  test("pattern: with offsets, negated, and one that never ends", async () => {
    const body = "one two two";
    let answer = ok(body);
    serve(family, (socket) => socket.end(answer));
    const regex = (pattern: string, over: Partial<RegexConfig> = {}): Over => ({
      url: {
        regex: { pattern, options: [], negate: false, minOffset: 0, maxOffset: undefined, stack: undefined, ...over },
      },
    });
    const noMatch = { ok: false, reason: "no-match" };
    expect(await probe(family, regex("t[vw]o"))).toMatchObject({ ok: true });
    expect(await probe(family, regex("t[vw]o", { negate: true }))).toMatchObject(noMatch);
    expect(await probe(family, regex("three"))).toMatchObject(noMatch);
    expect(await probe(family, regex("three", { negate: true }))).toMatchObject({ ok: true });
    expect(await probe(family, regex("two", { minOffset: 5, maxOffset: 8 }))).toMatchObject({ ok: true });
    expect(await probe(family, regex("two", { minOffset: 5, maxOffset: 7 }))).toMatchObject(noMatch);
    expect(await probe(family, regex("one", { maxOffset: 0 }))).toMatchObject({ ok: true });
    expect(await probe(family, regex("(?<=e )two", { minOffset: 4, maxOffset: 4 }))).toMatchObject({ ok: true });
    expect(await probe(family, regex("one", { minOffset: 1 }))).toMatchObject(noMatch);
    expect(await probe(family, regex("", { minOffset: 99 }))).toMatchObject(noMatch);
    answer = ok("h\u00e9llo\nw\u00f6rld");
    expect(await probe(family, regex("^h.llo\\nw", { options: ["utf"] }))).toMatchObject({ ok: true });
    expect(await probe(family, regex("^h..llo\\nw"))).toMatchObject({ ok: true });
    expect(await probe(family, regex("w", { options: ["utf"], minOffset: 7, maxOffset: 8 }))).toMatchObject({
      ok: true,
    });
    expect(await probe(family, regex("w", { options: ["firstline"] }))).toMatchObject(noMatch);
    expect(await probe(family, regex("(?R)"))).toMatchObject({
      ...noMatch,
      detail: "the pattern cannot be carried out",
    });
    answer = ok(`${"a".repeat(200)}!`);
    const began = performance.now();
    expect(await probe(family, regex("(a+)+$"))).toMatchObject({ ...noMatch, detail: "the search took too long" });
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

function serveTls(family: 4 | 6, onSocket: (socket: TLSSocket) => void, options: TlsOptions = {}): TlsServer {
  const server = createTlsServer(
    { cert: readFileSync(file("server.pem")), key: readFileSync(file("server.key")), ...options },
    (socket) => {
      tlsSockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => tlsSockets.delete(socket));
      onSocket(socket);
    },
  );
  tlsServers.push(server);
  return server.listen({ fd: world.bound(serverAddress[family], 80) });
}
const answering = (answer: string) => (socket: TLSSocket) => {
  socket.once("data", () => socket.end(answer));
};

/** Each record of TLS begins with its kind (RFC 5246 6.2.1). */
function recordKinds(bytes: Buffer): number[] {
  const kinds: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) kinds.push(bytes.readUInt8(at));
  return kinds;
}

describe.each(families)("SSL_GET over IPv%i", (family) => {
  test("up with a certificate that nobody has signed, and for another name", async () => {
    serveTls(family, answering(ok("hello")));
    expect(await secureProbe(family, { url: { digest: md5("hello") } })).toMatchObject({ ok: true });
    expect(await secureProbe(family, { url: { tlsCompliant: true } })).toMatchObject({ ok: true });
    expect(await secureProbe(family, { url: { digest: md5("other") } })).toMatchObject({
      ok: false,
      reason: "wrong-digest",
    });
  });

  test("TLS 1.2 alone", async () => {
    serveTls(family, answering(ok("")), { maxVersion: "TLSv1.2" });
    expect(await secureProbe(family)).toMatchObject({ ok: true });
  });

  test("SNI: none, or the one that is wanted", async () => {
    const names: (string | false | null)[] = [];
    serveTls(family, (socket) => {
      names.push(socket.servername);
      answering(ok(""))(socket);
    });
    await secureProbe(family, { url: { host: "www.example.org" } });
    await secureProbe(family, { url: { serverName: "sni.example.org" } });
    expect(names).toEqual([false, "sni.example.org"]);
  });

  test("tls_compliant says goodbye; otherwise nothing more is said", async () => {
    // With TLS 1.2 the kinds of records can be seen on the way.
    const server = createTlsServer(
      { cert: readFileSync(file("server.pem")), key: readFileSync(file("server.key")), maxVersion: "TLSv1.2" },
      answering(ok("")),
    );
    tlsServers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const said: Buffer[][] = [];
    world.serve(serverAddress[family], 80, (socket) => {
      const chunks: Buffer[] = [];
      said.push(chunks);
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      const onward = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
      socket.pipe(onward).pipe(socket);
      onward.on("error", () => undefined);
    });
    expect(await secureProbe(family, { url: { tlsCompliant: true } })).toMatchObject({ ok: true });
    expect(await secureProbe(family, { url: { tlsCompliant: false } })).toMatchObject({ ok: true });
    const alert = 21;
    await vi.waitFor(() => expect(recordKinds(Buffer.concat(said[0] ?? [])).at(-1)).toBe(alert), { timeout: 5_000 });
    expect(recordKinds(Buffer.concat(said[1] ?? []))).not.toContain(alert);
  });

  test("a client's certificate with a password, for a server that demands one", async () => {
    serveTls(family, answering(ok("")), {
      requestCert: true,
      rejectUnauthorized: true,
      ca: readFileSync(file("client.pem")),
    });
    const tls = {
      ca: file("server.pem"),
      certificate: file("client.pem"),
      key: file("client.key"),
      password: "secret",
    };
    expect(await secureProbe(family, { tls })).toMatchObject({ ok: true });
    expect(await secureProbe(family)).toMatchObject({ ok: false });
  });

  test("no TLS there: something else answers", async () => {
    world.serve(serverAddress[family], 80, (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await secureProbe(family)).toMatchObject({ ok: false, reason: "tls" });
  });

  test("a handshake that the server refuses", async () => {
    serveTls(family, answering(ok("")), { maxVersion: "TLSv1.2", ciphers: "PSK-AES128-GCM-SHA256" });
    expect(await secureProbe(family)).toMatchObject({ ok: false, reason: "tls" });
  });

  test("closed or reset in the handshake; half-open in it, and after it", async () => {
    const ways: ((socket: Socket) => void)[] = [
      (socket) => socket.end(),
      (socket) => socket.once("data", () => socket.resetAndDestroy()),
      () => undefined,
    ];
    world.serve(serverAddress[family], 80, (socket) => ways.shift()?.(socket));
    const connection = { timeout: micros(400_000) };
    expect(await secureProbe(family)).toMatchObject({ ok: false, reason: expect.stringMatching(/^(closed|tls)$/) });
    expect(await secureProbe(family)).toMatchObject({ ok: false, reason: expect.stringMatching(/^(reset|tls)$/) });
    expect(await secureProbe(family, { connection })).toMatchObject({ ok: false, reason: "timeout" });
    await world.clear();
    serveTls(family, () => undefined);
    expect(await secureProbe(family, { connection })).toMatchObject({ ok: false, reason: "timeout" });
  });

  test("reset behind the answer: what has come is judged", async () => {
    serveTls(family, (socket) => {
      socket.once("data", () => socket.write(ok("hello"), () => socket.destroy()));
    });
    expect(await secureProbe(family)).toMatchObject({ ok: true });
  });

  test("refused", async () => {
    expect(await secureProbe(family)).toMatchObject({ ok: false, reason: "refused" });
  });
});

test("key material that is not there, or is none, is the reason", () => {
  const none = { password: undefined, ca: undefined, certificate: undefined, key: undefined };
  expect(loadTls({ ...none, ca: file("nowhere.pem") })).toEqual({ ok: false, reason: expect.stringMatching(/ENOENT/) });
  expect(loadTls({ ...none, certificate: file("server.key") })).toMatchObject({ ok: false });
  expect(
    loadTls({ ...none, certificate: file("client.pem"), key: file("client.key"), password: "wrong" }),
  ).toMatchObject({
    ok: false,
  });
});

test("an abort at any moment leaves nothing open", async () => {
  serveTls(4, answering(ok("hello")));
  await secureProbe(4);
  const before = openDescriptors().length;
  const outcomes: Promise<ProbeOutcome>[] = [];
  for (let turn = 0; turn < 24; turn++) {
    const controller = new AbortController();
    outcomes.push(secureProbe(4, { signal: controller.signal }));
    for (let wait = 0; wait < turn; wait++) await new Promise(setImmediate);
    controller.abort();
  }
  for (const outcome of await Promise.all(outcomes)) expect([true, undefined]).toContain(outcome.ok);
  await vi.waitFor(() => expect(openDescriptors().length).toBeLessThanOrEqual(before), { timeout: 5_000 });
});
