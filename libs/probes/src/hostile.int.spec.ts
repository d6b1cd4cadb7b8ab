// Servers that mean harm, or are out of their mind: each attempt ends in its time, with little memory, and says what it saw.
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { micros, toMillis } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import type { CheckConnection, SslUrlConfig } from "@baton/keepalived-conf";
import { openUdpSocket, type UdpSocket } from "@baton/linux";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { limits as attemptLimits } from "./attempt.ts";
import { probeDns } from "./dns.ts";
import { probeHttp, probeSsl } from "./http.ts";
import { limits } from "./http-response.ts";
import { probeSmtp } from "./smtp.ts";
import {
  connectionTo,
  makeProbeWorld,
  ownAddress,
  type ProbeWorld,
  serverAddress,
  times,
} from "./testing/probe-world.ts";
import { loadTls } from "./tls-material.ts";

let world: ProbeWorld;
const sockets: UdpSocket[] = [];
beforeAll(() => {
  world = makeProbeWorld("hostile");
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await world.clear();
});
afterAll(() => world.remove());

const never = new AbortController().signal;
const mebibyte = 1024 * 1024;
const regex = { options: [], negate: false, minOffset: 0, maxOffset: undefined, stack: undefined };
const common = (url: Partial<SslUrlConfig>, over: Partial<CheckConnection> = {}) => ({
  ...times,
  httpVersion: "1.1" as const,
  closeConnection: true,
  fastRecovery: false,
  connection: connectionTo(serverAddress[4], 80, over),
  urls: [
    {
      path: "/",
      host: undefined,
      statusCodes: [{ min: 200, max: 299 }],
      digest: undefined,
      regex: undefined,
      serverName: undefined,
      tlsCompliant: false,
      ...url,
    },
  ],
});
const get = (url: Partial<SslUrlConfig> = {}, over: Partial<CheckConnection> = {}): Promise<ProbeOutcome> =>
  world.ours.inside(() => probeHttp({ ...common(url, over), type: "HTTP_GET" }, 0, never));
function secureGet(over: Partial<CheckConnection> = {}): Promise<ProbeOutcome> {
  const material = loadTls(undefined);
  if (!material.ok) throw new Error(material.reason);
  return world.ours.inside(() => probeSsl({ ...common({}, over), type: "SSL_GET" }, 0, material.context, never));
}
const smtp = (over: Partial<CheckConnection> = {}): Promise<ProbeOutcome> =>
  world.ours.inside(() =>
    probeSmtp(
      { ...times, type: "SMTP_CHECK", heloName: "x", connection: connectionTo(serverAddress[4], 80, over) },
      never,
    ),
  );

/** Says the start, and then the same for ever, as fast as it is read. */
const endless = (start: string, more: string) => (socket: Socket) => {
  socket.write(start);
  const chunk = Buffer.from(more.repeat(Math.ceil(65_536 / more.length)));
  const pour = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", pour);
  pour();
};
/** One octet after another, each in time. */
const drip = (text: string, millis: number) => (socket: Socket) => {
  let at = 0;
  const timer = setInterval(() => (at < text.length ? socket.write(text.charAt(at++)) : undefined), millis);
  socket.on("close", () => clearInterval(timer));
};
const serve = (onConnection: (socket: Socket) => void): void =>
  void world.serve(serverAddress[4], 80, (socket) => {
    socket.setNoDelay(true);
    onConnection(socket);
  });
const ok = "HTTP/1.1 200 OK\r\n";

test.each<[string, (socket: Socket) => void]>([
  ["a header line without an end", endless(`${ok}X: `, "y")],
  ["header lines without an end", endless(ok, "A: b\r\n")],
  ["no header at all", endless("", "\0")],
])("%s: too long", async (_, behave) => {
  serve(behave);
  const outcome = await get();
  expect(outcome).toMatchObject({ ok: false, reason: "wrong-reply", detail: "the answer is too long" });
  expect(outcome.ok === false && outcome.excerpt?.length).toBeLessThanOrEqual(200);
});

test("a body without an end: too long, and of it no more is kept than is searched", async () => {
  serve(endless(`${ok}Content-Length: 5\r\n\r\nbegin `, "and so on "));
  const before = process.memoryUsage.rss();
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  const outcome = await get({ regex: { ...regex, pattern: "never" } }, { timeout: micros(20_000_000) });
  clearInterval(timer);
  expect(outcome).toMatchObject({
    ok: false,
    reason: "wrong-reply",
    detail: "the answer is too long",
    excerpt: expect.stringMatching(/^begin and so on/),
  });
  // This process is the server, too.
  expect(most - before).toBeLessThan(limits.bodyBytesMax);
});

test("chunks of nonsense are a body as it stands, as keepalived takes it", async () => {
  const body = "ffffffffffffffffff\r\nhello\r\n-1\r\n\r\n0;x=y\r\n";
  serve((socket) => socket.end(`${ok}Transfer-Encoding: chunked\r\n\r\n${body}`));
  expect(await get({ digest: createHash("md5").update(body).digest("hex") })).toMatchObject({ ok: true });
  expect(await get({ regex: { ...regex, pattern: "^hello$" } })).toMatchObject({ ok: false, reason: "no-match" });
});

test("a packed body is not unpacked, however much is in it; its excerpt can be printed", async () => {
  const bomb = gzipSync(Buffer.alloc(32 * mebibyte, "a"), { level: 9 });
  serve((socket) => {
    socket.write(`${ok}Content-Encoding: gzip\r\n\r\n`);
    socket.end(bomb);
  });
  const outcome = await get({ regex: { ...regex, pattern: "aaaa" } });
  expect(outcome).toMatchObject({ ok: false, reason: "no-match", status: 200 });
  expect(outcome.ok === false && outcome.excerpt).toMatch(/^[^\p{Cc}]*$/u);
});

test("a redirection is a status, and is not followed", async () => {
  let requests = 0;
  serve((socket) => {
    requests += 1;
    socket.end("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\nover there");
  });
  expect(await get()).toMatchObject({ ok: false, reason: "wrong-status", status: 302, excerpt: "over there" });
  expect(requests).toBe(1);
});

test("alerts of TLS, each in the handshake: which one is told", async () => {
  // A record of version 1.2 with a fatal alert (RFC 5246 7.2): handshake_failure, internal_error, unrecognized_name.
  for (const [code, said] of [
    [40, /handshake failure/],
    [80, /internal error/],
    [112, /unrecognized name/],
  ] as const) {
    serve((socket) => void socket.once("data", () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, code]))));
    expect(await secureGet()).toMatchObject({ ok: false, reason: "tls", detail: expect.stringMatching(said) });
    await world.clear();
  }
});

test("a handshake of records without an end", async () => {
  // Handshake records that say of a message of 16 MiB: whatever the library makes of it, it ends.
  const record = Buffer.from([22, 3, 3, 0, 4, 2, 255, 255, 255]).toString("latin1");
  serve((socket) => {
    socket.on("data", () => undefined);
    socket.write(Buffer.from(record, "latin1"));
    const timer = setInterval(() => socket.write(Buffer.from([22, 3, 3, 0, 1, 0])), 5);
    socket.on("close", () => clearInterval(timer));
  });
  const timeout = micros(700_000);
  expect(await secureGet({ timeout })).toMatchObject({ ok: false, reason: expect.stringMatching(/^(tls|timeout)$/) });
});

test("octet by octet: a whole answer counts; one that never comes to an end has 16 timeouts, and no more", async () => {
  const whole = "HTTP/1.1 204 Nothing\r\n\r\n";
  serve((socket) => {
    drip(whole, 2)(socket);
    setTimeout(() => socket.end(), 400);
  });
  expect(await get()).toMatchObject({ ok: true });
  await world.clear();
  serve(drip(`${ok}X: ${"y".repeat(60_000)}`, 5));
  const began = performance.now();
  const slow = { timeout: micros(100_000) };
  const outcomes = await Promise.all([get({}, slow), smtp(slow)]);
  const all = toMillis(micros(slow.timeout * attemptLimits.stepsMax));
  expect(outcomes[0]).toMatchObject({ ok: false, reason: "timeout" });
  expect(outcomes[1]).toMatchObject({ ok: false });
  expect(outcomes[0].ok === false && toMillis(outcomes[0].durationMicros)).toBeGreaterThanOrEqual(all);
  expect(performance.now() - began).toBeLessThan(all + 10_000);
});

test("mail servers that do not stop talking", async () => {
  serve(endless("220 hello\r\n", "250-and more\r\n"));
  expect(await smtp()).toMatchObject({ ok: false, reason: "wrong-reply", excerpt: expect.stringMatching(/./) });
  await world.clear();
  serve(endless("", "2"));
  expect(await smtp()).toMatchObject({ ok: false, reason: "wrong-reply" });
});

test("names that lead round in a circle, answers cut off, floods of others' answers", async () => {
  const header = (question: Uint8Array, flags: readonly [number, number]): number[] => [
    ...question.subarray(0, 2),
    ...flags,
    ...[0, 1, 255, 255, 255, 255, 255, 255],
  ];
  let answers: (question: Uint8Array) => Uint8Array[] = () => [];
  const socket = world.theirs.inside(() =>
    openUdpSocket({
      family: 4,
      ports: { from: 53, to: 53 },
      bufferBytes: 512,
      onDatagrams: (datagrams) => {
        for (const { bytes, source } of datagrams)
          for (const answer of answers(bytes)) socket.send(answer, source, 40_000);
      },
    }),
  );
  sockets.push(socket);
  const dns = (millis: number): Promise<ProbeOutcome> =>
    world.ours.inside(() =>
      probeDns(
        {
          ...times,
          type: "DNS_CHECK",
          queryType: "A",
          name: "x.example",
          connection: connectionTo(serverAddress[4], 53, {
            bindAddress: ownAddress[4],
            bindPort: 40_000,
            timeout: micros(millis * 1_000),
          }),
        },
        never,
      ),
    );
  answers = (question) => [Uint8Array.from([...header(question, [0x81, 0]), 0xc0, 12, 0xc0, 14, 0xc0, 12])];
  expect(await dns(5_000)).toMatchObject({ ok: true });
  answers = (question) => [Uint8Array.from(header(question, [0x83, 2]))];
  expect(await dns(5_000)).toMatchObject({ ok: false, reason: "wrong-reply", status: 2, detail: "SERVFAIL" });
  answers = (question) => [Uint8Array.from([...header(question, [0x81, 0]), ...new Array<number>(1_400).fill(7)])];
  expect(await dns(5_000)).toMatchObject({ ok: true });
  answers = (question) =>
    Array.from({ length: 200 }, (_, index) => {
      const other = Uint8Array.from(header(question, [0x81, 3]));
      other[0] = (other[0] ?? 0) ^ (1 + (index % 255));
      return other;
    });
  const began = performance.now();
  expect(await dns(400)).toMatchObject({ ok: false, reason: "timeout" });
  expect(performance.now() - began).toBeLessThan(10_000);
});
