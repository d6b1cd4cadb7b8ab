// Every kind of server that is connected to, in every state, at one time and in one scene: what an attempt makes of it. One
// row is a kind of check, one column what its server does. The finer things are with each kind's own tests, and so are
// checks by datagrams (datagrams.int.spec.ts) and programs (program.int.spec.ts).
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { micros } from "@baton/domain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ProbedConfig, probe } from "./probe.ts";
import { connectionTo, makeProbeWorld, type ProbeWorld, serverAddress, times } from "./testing/probe-world.ts";

const kinds = ["TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK"] as const;
type Kind = (typeof kinds)[number];

/** `ok`, the reason of a failure, or reasons of which it depends on the moment which one it is. */
const table: Readonly<Record<string, Readonly<Record<Kind, string>>>> = {
  up: { TCP_CHECK: "ok", HTTP_GET: "ok", SSL_GET: "ok", SMTP_CHECK: "ok" },
  slow: { TCP_CHECK: "ok", HTTP_GET: "ok", SSL_GET: "ok", SMTP_CHECK: "ok" },
  down: { TCP_CHECK: "refused", HTTP_GET: "refused", SSL_GET: "refused", SMTP_CHECK: "refused" },
  blackholed: { TCP_CHECK: "timeout", HTTP_GET: "timeout", SSL_GET: "timeout", SMTP_CHECK: "timeout" },
  halfOpen: { TCP_CHECK: "ok", HTTP_GET: "timeout", SSL_GET: "timeout", SMTP_CHECK: "timeout" },
  closed: { TCP_CHECK: "ok", HTTP_GET: "closed", SSL_GET: "tls closed", SMTP_CHECK: "closed" },
  reset: { TCP_CHECK: "ok reset", HTTP_GET: "reset", SSL_GET: "reset tls", SMTP_CHECK: "reset" },
  wrongAnswer: { TCP_CHECK: "ok", HTTP_GET: "wrong-status", SSL_GET: "wrong-status", SMTP_CHECK: "wrong-reply" },
  otherProtocol: { TCP_CHECK: "ok", HTTP_GET: "wrong-reply", SSL_GET: "tls", SMTP_CHECK: "wrong-reply" },
};

let world: ProbeWorld;
let context: SecureContext;
const directory = mkdtempSync(join(tmpdir(), "baton-misbehaviour-"));
beforeAll(() => {
  world = makeProbeWorld("wrong");
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  // Nobody has signed it, and it is for another name: keepalived asks whether a server answers, not who it is.
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...kind, "-subj", "/CN=another", "-keyout", key, "-out", cert], {
    stdio: "pipe",
  });
  context = createSecureContext({ key: readFileSync(key), cert: readFileSync(cert) });
});
afterAll(async () => {
  await world.clear();
  world.remove();
  rmSync(directory, { recursive: true });
});

/** What it says first, if it greets; then its answer to each line or request. */
const words: Readonly<Record<Kind, { readonly greeting: string; readonly right: string; readonly wrong: string }>> = {
  TCP_CHECK: { greeting: "", right: "", wrong: "" },
  HTTP_GET: { greeting: "", right: "HTTP/1.0 200 OK\r\n\r\nhello", wrong: "HTTP/1.0 503 no\r\n\r\n" },
  SSL_GET: { greeting: "", right: "HTTP/1.0 200 OK\r\n\r\nhello", wrong: "HTTP/1.0 503 no\r\n\r\n" },
  SMTP_CHECK: { greeting: "220 there\r\n", right: "250 yes\r\n", wrong: "554 no\r\n" },
};

function behave(kind: Kind, state: string, raw: Socket): void {
  if (state === "halfOpen") return;
  if (state === "closed") return void raw.end();
  if (state === "reset") return void raw.resetAndDestroy();
  if (state === "otherProtocol") return void raw.end("* hello, nobody expects this\r\n\r\n");
  const socket = kind === "SSL_GET" ? new TLSSocket(raw, { isServer: true, secureContext: context }) : raw;
  socket.on("error", () => undefined);
  const { greeting, right, wrong } = words[kind];
  const answer = state === "wrongAnswer" ? wrong : right;
  const pause = state === "slow" ? 100 : 0;
  const say = (text: string): void =>
    void setTimeout(() => (kind === "SMTP_CHECK" ? socket.write(text) : socket.end(text)), pause);
  socket.on("data", () => say(answer));
  if (greeting !== "") say(greeting);
}

function configOf(kind: Kind, port: number, expected: string): ProbedConfig {
  // Who is expected to say nothing is not waited for long; whoever is to answer may be late on a busy machine.
  const timeout = micros(expected === "timeout" ? 300_000 : 10_000_000);
  const base = { ...times, connection: connectionTo(serverAddress[4], port, { timeout }) };
  const get = { ...base, httpVersion: "1.0", closeConnection: false, fastRecovery: false } as const;
  const statusCodes = [{ min: 200, max: 299 }];
  const url = { path: "/", host: undefined, statusCodes, digest: undefined, regex: undefined };
  switch (kind) {
    case "TCP_CHECK":
      return { ...base, type: kind };
    case "HTTP_GET":
      return { ...get, type: kind, urls: [url] };
    case "SSL_GET":
      return { ...get, type: kind, urls: [{ ...url, serverName: "web.example", tlsCompliant: false }] };
    case "SMTP_CHECK":
      return { ...base, type: kind, heloName: "check.example.org" };
  }
}

async function outcomeOf(kind: Kind, state: string, port: number, expected: string): Promise<string> {
  if (state === "blackholed") world.drop(`tcp dport ${port} drop`);
  else if (state !== "down") world.serve(serverAddress[4], port, (socket) => behave(kind, state, socket));
  const outcome = await world.ours.inside(() =>
    probe(configOf(kind, port, expected), {
      signal: new AbortController().signal,
      url: 0,
      tls: createSecureContext(),
      program: { identity: { ok: false, reason: "no program" }, environment: {} },
    }),
  );
  const seen = outcome.ok === true ? "ok" : outcome.reason;
  return expected.split(" ").includes(seen) ? expected : seen;
}

test("each kind of server in each state", async () => {
  const states = Object.entries(table);
  const rows = states.map(async ([state, expected], row) => {
    const cells = kinds.map((kind, column) => outcomeOf(kind, state, 8_000 + row * 10 + column, expected[kind]));
    return [state, Object.fromEntries((await Promise.all(cells)).map((seen, i) => [kinds[i], seen]))] as const;
  });
  expect(Object.fromEntries(await Promise.all(rows))).toEqual(table);
});
