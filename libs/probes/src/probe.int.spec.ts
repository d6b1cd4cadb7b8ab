// Each type of check goes its own way, and many at once leave nothing behind.
import { createSecureContext } from "node:tls";
import { micros } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import { command } from "@baton/keepalived-conf/testing";
import { openDescriptors } from "@baton/linux/testing";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type ProbedConfig, probe } from "./probe.ts";
import { connectionTo, makeProbeWorld, type ProbeWorld, serverAddress, times } from "./testing/probe-world.ts";

let world: ProbeWorld;
beforeAll(() => {
  world = makeProbeWorld("all");
});
afterEach(() => world.clear());
afterAll(() => world.remove());

const connection = connectionTo(serverAddress[4], 80, { timeout: micros(10_000_000) });
const url = { path: "/", host: undefined, statusCodes: [{ min: 200, max: 200 }], digest: undefined, regex: undefined };
const get = { ...times, connection, httpVersion: "1.0", closeConnection: false, fastRecovery: false } as const;
const configs: readonly ProbedConfig[] = [
  { ...times, connection, type: "TCP_CHECK" },
  { ...get, type: "HTTP_GET", urls: [{ ...url, path: "/other" }, url] },
  { ...get, type: "SSL_GET", urls: [{ ...url, serverName: undefined, tlsCompliant: false }] },
  { ...times, connection, type: "SMTP_CHECK", heloName: "check" },
  { ...times, connection, type: "DNS_CHECK", queryType: "A", name: "example.org" },
  { ...times, connection, type: "UDP_CHECK", payload: undefined, reply: undefined },
  { ...times, connection, type: "PING_CHECK" },
  {
    ...times,
    type: "MISC_CHECK",
    command: command("exit 7", { run: "shell" }),
    timeout: micros(10_000_000),
    dynamic: false,
  },
];
const start = (config: ProbedConfig, which: number, signal = new AbortController().signal): Promise<ProbeOutcome> =>
  world.ours.inside(() =>
    probe(config, {
      signal,
      url: which,
      tls: createSecureContext(),
      program: { identity: { ok: true, ids: undefined }, environment: { PATH: process.env.PATH } },
    }),
  );

test("each type", async () => {
  const outcomes = await Promise.all(configs.map((config) => start(config, 0)));
  expect(outcomes.map((outcome) => (outcome.ok === true ? "ok" : outcome.reason))).toEqual([
    ...["refused", "refused", "refused", "refused", "refused", "refused"],
    "ok",
    "exit-status",
  ]);
});

test("the url that is asked for; one that there is not is no verdict", async () => {
  world.serve(serverAddress[4], 80, (socket) => {
    socket.once("data", (chunk) => socket.end(`HTTP/1.0 ${/other/.test(chunk.toString()) ? 404 : 200} x\r\n\r\n`));
  });
  const http = configs[1];
  if (http === undefined) throw new Error("no configuration");
  expect(await start(http, 0)).toMatchObject({ ok: false, status: 404 });
  expect(await start(http, 1)).toMatchObject({ ok: true });
  expect(await start(http, 2)).toMatchObject({ ok: undefined });
});

test("an abort before it begins: nothing is begun", async () => {
  const before = openDescriptors().length;
  for (const config of configs) {
    expect(await start(config, 0, AbortSignal.abort())).toEqual({ ok: undefined, reason: "aborted" });
  }
  expect(openDescriptors().length).toBe(before);
});

test("of hundreds at once nothing stays", async () => {
  world.serve(serverAddress[4], 80, (socket) => socket.end());
  const [tcp] = configs;
  if (tcp === undefined) throw new Error("no configuration");
  await start(tcp, 0);
  const before = openDescriptors().length;
  const outcomes = await Promise.all(Array.from({ length: 400 }, () => start(tcp, 0)));
  expect(outcomes.filter(({ ok }) => ok !== true)).toEqual([]);
  await vi.waitFor(() => expect(openDescriptors().length).toBeLessThanOrEqual(before), { timeout: 10_000 });
});
