// Every kind of server in every state that makes sense for it, over IPv4 and IPv6, at one time and in one scene: what an
// attempt makes of it. A row is one line. The finer things are with each kind's own tests; who is from the devil is in
// hostile.int.spec.ts, and what follows a file or a session (FILE_CHECK, BFD_CHECK) is with the health service.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import { type IpAddress, micros } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import type { CheckConnection } from "@baton/keepalived-conf";
import { command } from "@baton/keepalived-conf/testing";
import { openUdpSocket, type UdpSocket } from "@baton/linux";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type ProbedConfig, probe } from "./probe.ts";
import { certificateNames, makeCertificates } from "./testing/certificates.ts";
import { behave, type LetterKind, page, pauseMillis, reply, type StreamKind } from "./testing/misbehaving-servers.ts";
import {
  connectionTo,
  ip,
  makeProbeWorld,
  ownAddress,
  type ProbeWorld,
  serverAddress,
  times,
} from "./testing/probe-world.ts";

type Kind = StreamKind | LetterKind | "PING_CHECK" | "MISC_CHECK";

/**
 * `ok`, or the reason of a failure with errno and status; between bars those of which it depends on the moment, or on the
 * family, which one it is. What is refused, prohibited, blackholed or nobody's is so before any server hears of it.
 */
const table: readonly (readonly [kind: Kind, state: string, expected: string])[] = [
  ["TCP_CHECK", "up", "ok"],
  ["TCP_CHECK", "refused", "refused ECONNREFUSED"],
  ["TCP_CHECK", "blackholed", "timeout"],
  ["TCP_CHECK", "prohibited", "unreachable EHOSTUNREACH|unreachable EACCES"],
  ["TCP_CHECK", "nobody's", "unreachable EHOSTUNREACH"],
  ["TCP_CHECK", "silent", "ok"],
  ["TCP_CHECK", "closed", "ok"],
  ["TCP_CHECK", "reset", "ok|reset ECONNRESET"],
  ["HTTP_GET", "up", "ok"],
  ["HTTP_GET", "slow", "ok"],
  ["HTTP_GET", "late", "timeout"],
  ["HTTP_GET", "refused", "refused ECONNREFUSED"],
  ["HTTP_GET", "blackholed", "timeout"],
  ["HTTP_GET", "prohibited", "unreachable EHOSTUNREACH|unreachable EACCES"],
  ["HTTP_GET", "silent", "timeout"],
  ["HTTP_GET", "half a header", "timeout"],
  ["HTTP_GET", "half a header, then closed", "wrong-reply"],
  ["HTTP_GET", "half a header, then reset", "reset ECONNRESET"],
  ["HTTP_GET", "half a body", "timeout"],
  // keepalived only remarks that less has come than was said.
  ["HTTP_GET", "half a body, then closed", "ok"],
  ["HTTP_GET", "half a body, then reset", "reset ECONNRESET"],
  ["HTTP_GET", "a header alone", "ok"],
  ["HTTP_GET", "closed", "closed"],
  ["HTTP_GET", "reset", "reset ECONNRESET"],
  ["HTTP_GET", "wrong status", "wrong-status 503"],
  ["HTTP_GET", "no status", "wrong-reply"],
  ["HTTP_GET", "wrong body", "wrong-digest 200"],
  ["HTTP_GET", "no match", "no-match 200"],
  ["HTTP_GET", "another protocol", "wrong-reply"],
  ["SSL_GET", "up", "ok"],
  ["SSL_GET", "expired", "ok"],
  ["SSL_GET", "another", "ok"],
  ["SSL_GET", "slow", "ok"],
  ["SSL_GET", "late", "timeout"],
  ["SSL_GET", "refused", "refused ECONNREFUSED"],
  ["SSL_GET", "blackholed", "timeout"],
  ["SSL_GET", "prohibited", "unreachable EHOSTUNREACH|unreachable EACCES"],
  ["SSL_GET", "silent", "timeout"],
  ["SSL_GET", "closed", "tls|closed|tls ECONNRESET"],
  ["SSL_GET", "reset", "reset ECONNRESET|tls ECONNRESET"],
  ["SSL_GET", "alert", "tls"],
  ["SSL_GET", "half a handshake", "timeout"],
  ["SSL_GET", "half a header", "timeout"],
  ["SSL_GET", "half a header, then reset", "reset ECONNRESET"],
  ["SSL_GET", "half a body, then reset", "ok"],
  ["SSL_GET", "wrong status", "wrong-status 503"],
  ["SSL_GET", "wrong body", "wrong-digest 200"],
  ["SSL_GET", "another protocol", "tls"],
  ["SMTP_CHECK", "up", "ok"],
  ["SMTP_CHECK", "slow", "ok"],
  ["SMTP_CHECK", "late", "timeout"],
  ["SMTP_CHECK", "refused", "refused ECONNREFUSED"],
  ["SMTP_CHECK", "blackholed", "timeout"],
  ["SMTP_CHECK", "prohibited", "unreachable EHOSTUNREACH|unreachable EACCES"],
  ["SMTP_CHECK", "silent", "timeout"],
  ["SMTP_CHECK", "silent behind the greeting", "timeout"],
  ["SMTP_CHECK", "half a line", "timeout"],
  ["SMTP_CHECK", "half a line, then closed", "closed"],
  ["SMTP_CHECK", "half a line, then reset", "reset ECONNRESET"],
  ["SMTP_CHECK", "closed", "closed"],
  ["SMTP_CHECK", "reset", "reset ECONNRESET"],
  ["SMTP_CHECK", "wrong greeting", "wrong-reply 554"],
  ["SMTP_CHECK", "wrong answer", "wrong-reply 501"],
  ["SMTP_CHECK", "several lines", "wrong-reply"],
  ["SMTP_CHECK", "another protocol", "wrong-reply"],
  ["DNS_CHECK", "up", "ok"],
  ["DNS_CHECK", "slow", "ok"],
  ["DNS_CHECK", "late", "timeout"],
  ["DNS_CHECK", "refused", "refused ECONNREFUSED"],
  ["DNS_CHECK", "blackholed", "timeout"],
  ["DNS_CHECK", "prohibited", "unreachable EHOSTUNREACH|unreachable EACCES"],
  ["DNS_CHECK", "silent", "timeout"],
  ["DNS_CHECK", "fails", "wrong-reply 2"],
  ["DNS_CHECK", "no such name", "wrong-reply 3"],
  ["DNS_CHECK", "refuses", "wrong-reply 5"],
  ["DNS_CHECK", "truncated", "ok"],
  ["DNS_CHECK", "round in a circle", "ok"],
  ["DNS_CHECK", "cut off", "timeout"],
  ["DNS_CHECK", "to another", "timeout"],
  ["DNS_CHECK", "the question itself", "timeout"],
  ["UDP_CHECK", "up", "ok"],
  ["UDP_CHECK", "slow", "ok"],
  ["UDP_CHECK", "late", "timeout"],
  ["UDP_CHECK", "refused", "refused ECONNREFUSED"],
  ["UDP_CHECK", "blackholed", "timeout"],
  ["UDP_CHECK", "prohibited", "unreachable EHOSTUNREACH|unreachable EACCES"],
  ["UDP_CHECK", "silent", "timeout"],
  ["UDP_CHECK", "wrong", "wrong-reply"],
  ["UDP_CHECK", "long", "wrong-reply"],
  ["PING_CHECK", "up", "ok"],
  ["PING_CHECK", "blackholed", "timeout"],
  ["PING_CHECK", "prohibited", "unreachable EHOSTUNREACH|unreachable EACCES"],
  ["PING_CHECK", "nobody's", "unreachable EHOSTUNREACH"],
  ["MISC_CHECK", "exit 0", "ok"],
  ["MISC_CHECK", "exit 3", "exit-status 3"],
  ["MISC_CHECK", "sleep 0.2", "ok"],
  ["MISC_CHECK", "exec sleep 60", "timeout"],
  ["MISC_CHECK", "while :; do echo no end; done", "timeout"],
  ["MISC_CHECK", "kill -KILL $$", "signal"],
];

let world: ProbeWorld;
const contexts = new Map<string, SecureContext>();
const sockets: UdpSocket[] = [];
const directory = mkdtempSync(join(tmpdir(), "baton-misbehaviour-"));
beforeAll(() => {
  world = makeProbeWorld("wrong");
  makeCertificates(directory);
  for (const name of certificateNames) {
    const [key, cert] = [readFileSync(join(directory, `${name}.key`)), readFileSync(join(directory, `${name}.pem`))];
    contexts.set(name, createSecureContext({ key, cert }));
  }
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await world.clear();
});
afterAll(() => {
  world.remove();
  rmSync(directory, { recursive: true });
});

interface Cell {
  readonly kind: Kind;
  readonly state: string;
  readonly family: 4 | 6;
  /** Each has one of its own, and each ping an address. */
  readonly number: number;
  readonly expected: string;
}

const cells: readonly Cell[] = table.flatMap(([kind, state, expected], row) =>
  (kind === "MISC_CHECK" ? ([4] as const) : ([4, 6] as const)).map((family) => ({
    kind,
    state,
    family,
    number: 8_000 + row,
    expected,
  })),
);

function addressOf({ kind, state, family, number }: Cell): IpAddress {
  if (state === "nobody's") return ip(family === 4 ? "10.99.0.250" : "2001:db8::250");
  if (kind !== "PING_CHECK") return serverAddress[family];
  return ip(family === 4 ? `10.99.0.${number % 200}` : `2001:db8::${number % 200}`);
}

const early: Readonly<Record<string, string>> = {
  blackholed: "drop",
  prohibited: "reject with icmpx admin-prohibited",
};
const clientPort = (number: number): number => 30_000 + number;

function serve(cell: Cell): void {
  const { kind, state, family, number } = cell;
  if (["refused", "nobody's"].includes(state) || kind === "MISC_CHECK") return;
  const way = early[state];
  const nfproto = family === 4 ? "ipv4" : "ipv6";
  if (kind === "PING_CHECK") {
    // Deprecated: nothing else is to answer from it.
    const more = family === 4 ? [] : ["nodad", "preferred_lft", "0"];
    world.theirs.ip("address", "replace", `${addressOf(cell)}/${family === 4 ? 24 : 64}`, "dev", "eth0", ...more);
    const echo = family === 4 ? "ip daddr $ icmp type echo-request" : "ip6 daddr $ icmpv6 type echo-request";
    if (way !== undefined) world.drop(`${echo.replace("$", addressOf(cell))} ${way}`);
  } else if (kind === "DNS_CHECK" || kind === "UDP_CHECK") {
    if (way === undefined) listen(cell, kind);
    else world.drop(`meta nfproto ${nfproto} udp dport ${number} ${way}`);
  } else if (way === undefined) world.serve(serverAddress[family], number, (raw) => behave(kind, state, raw, contexts));
  else world.drop(`meta nfproto ${nfproto} tcp dport ${number} ${way}`);
}

function listen({ state, family, number }: Cell, kind: LetterKind): void {
  const answer = (question: Uint8Array, source: IpAddress): void => {
    for (const each of reply(kind, state, question)) socket.send(each, source, clientPort(number));
  };
  const millis = state === "slow" || state === "late" ? pauseMillis[state] : 0;
  const socket = world.theirs.inside(() =>
    openUdpSocket({
      family,
      ports: { from: number, to: number },
      bufferBytes: 512,
      onDatagrams: (datagrams) => {
        for (const { bytes, source } of datagrams) setTimeout(() => answer(bytes, source), millis);
      },
    }),
  );
  sockets.push(socket);
}

function configOf(cell: Cell): ProbedConfig {
  const { kind, state, family, number, expected } = cell;
  // Who is expected to say nothing is not waited for long; whoever is to answer may be late on a busy machine.
  const timeout = micros(expected === "timeout" ? 500_000 : 12_000_000);
  const port: Partial<CheckConnection> =
    kind === "DNS_CHECK" || kind === "UDP_CHECK"
      ? { bindAddress: ownAddress[family], bindPort: clientPort(number) }
      : {};
  const base = { ...times, connection: connectionTo(addressOf(cell), number, { timeout, ...port }) };
  const get = { ...base, httpVersion: "1.0", closeConnection: false, fastRecovery: false } as const;
  const regex = { pattern: "good", options: [], negate: false, minOffset: 0, maxOffset: undefined, stack: undefined };
  const url = {
    path: "/",
    host: undefined,
    statusCodes: [{ min: 200, max: 299 }],
    digest: state === "wrong body" || state === "up" ? createHash("md5").update(page).digest("hex") : undefined,
    regex: state === "no match" || state === "up" ? regex : undefined,
  };
  switch (kind) {
    case "TCP_CHECK":
    case "PING_CHECK":
      return { ...base, type: kind };
    case "HTTP_GET":
      return { ...get, type: kind, urls: [url] };
    case "SSL_GET":
      return { ...get, type: kind, urls: [{ ...url, serverName: "web.example", tlsCompliant: false }] };
    case "SMTP_CHECK":
      return { ...base, type: kind, heloName: "check.example.org" };
    case "DNS_CHECK":
      return { ...base, type: kind, queryType: "A", name: "web.example" };
    case "UDP_CHECK": {
      const pattern = { octets: [...Buffer.from("goo")], mask: [255, 255, 255] };
      return { ...base, type: kind, payload: [1, 2], reply: { minLength: 2, maxLength: 8, pattern } };
    }
    case "MISC_CHECK":
      return { ...times, type: kind, command: command(state, { run: "shell" }), timeout, dynamic: false };
  }
}

const words = (outcome: ProbeOutcome): string => {
  if (outcome.ok === true) return "ok";
  const status = outcome.ok === false && outcome.status !== undefined ? ` ${outcome.status}` : "";
  return `${outcome.reason}${outcome.errno === undefined || outcome.errno === "" ? "" : ` ${outcome.errno}`}${status}`;
};

test("each kind of server in each state", async () => {
  for (const cell of cells) serve(cell);
  const seen = cells.map(async (cell) => {
    const outcome = await world.ours.inside(() =>
      probe(configOf(cell), {
        signal: new AbortController().signal,
        url: 0,
        tls: createSecureContext(),
        program: { identity: { ok: true, ids: undefined }, environment: { PATH: process.env.PATH } },
      }),
    );
    const row = `${cell.kind} over IPv${cell.family}, ${cell.state}`;
    return cell.expected.split("|").includes(words(outcome)) ? [] : [`${row}: ${words(outcome)}, not ${cell.expected}`];
  });
  expect((await Promise.all(seen)).flat()).toEqual([]);
});
