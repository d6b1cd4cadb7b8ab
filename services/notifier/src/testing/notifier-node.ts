// A notifier with real scripts in a folder of its own, beside an election and a health that the test plays.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AggregateState } from "@baton/contracts";
import { type BatonEvent, type EventEnvelope, micros } from "@baton/domain";
import type { ConfigSnapshot } from "@baton/host";
import { createTestHost, type PlayedService, type TestClock, type TestHost } from "@baton/host/testing";
import type { FifoConfig } from "@baton/keepalived-conf";
import { bootNow, wallMicros } from "@baton/linux";
import { scriptEnvironment } from "@baton/script";
import { afterEach, beforeEach, vi } from "vitest";
import { openFifos } from "../fifos.ts";
import type { Mail } from "../mail/message.ts";
import { createNotificationCounters, type NotificationCounters } from "../notification-counters.ts";
import { type Notifier, runNotifier } from "../run-notifier.ts";
import { openToldStore } from "../told-store.ts";

export const realClock: TestClock = {
  now: bootNow,
  wall: wallMicros,
  set: () => undefined,
  advance: () => undefined,
};

export interface TestNode {
  readonly host: TestHost;
  readonly election: PlayedService;
  readonly health: PlayedService;
  readonly notifier: Notifier;
  readonly counters: NotificationCounters;
  readonly mails: Mail[];
  /** As election. */
  say(event: BatonEvent, id?: string): EventEnvelope;
  /** As health, of a virtual server. */
  sayOfServer(event: BatonEvent, virtualServer: string): EventEnvelope;
  told(): (readonly [outcome: string, state: string, detail: string])[];
}

export interface TestNodeOptions {
  readonly restarts?: number;
  readonly states?: readonly AggregateState[];
  readonly servers?: readonly AggregateState[];
}

/** Where the tests of a file have their scripts and the record of what ran; a new one for each test. */
export function createNotifierWorld() {
  const world = { folder: "" };
  const running: Notifier[] = [];
  const path = (name: string) => join(world.folder, name);
  const writeScript = (name: string, text: string) =>
    writeFileSync(path(name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
  beforeEach(() => {
    world.folder = mkdtempSync(join(tmpdir(), "baton-notify-"));
    // Each call is one line of the record: when (µs), then the words.
    writeScript("note", 'echo "$(date +%s%6N) $*" >> "$(dirname "$0")/record"');
  });
  afterEach(() => {
    for (const notifier of running.splice(0)) notifier.close();
    rmSync(world.folder, { recursive: true });
  });
  const record = () => (existsSync(path("record")) ? readFileSync(path("record"), "utf8").trim().split("\n") : []);
  return {
    path,
    writeScript,
    record,
    calls: () => record().map((line) => line.slice(line.indexOf(" ") + 1)),
    fifo: (name: string, reader?: FifoConfig["reader"]): FifoConfig => ({ path: path(name), owner: undefined, reader }),
    start: (config: ConfigSnapshot, options: TestNodeOptions = {}): TestNode => {
      const node = startNode(config, path("told.jsonl"), options);
      running.push(node.notifier);
      return node;
    },
  };
}

export const eventually = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 5 });

function startNode(config: ConfigSnapshot, told: string, { restarts = 0, states, servers }: TestNodeOptions): TestNode {
  const host = createTestHost({ service: "notifier", clock: realClock, config, env: { restarts } });
  const election = host.play("election");
  election.states(states ?? []);
  const health = host.play("health");
  health.states(servers ?? []);
  const counters = createNotificationCounters();
  const mails: Mail[] = [];
  const environment = scriptEnvironment({ PATH: process.env.PATH });
  const notifier = runNotifier(
    {
      host,
      store: openToldStore({
        path: told,
        onUnreadable: (error) => {
          throw error;
        },
      }),
      counters,
      environment,
      lookup: () => undefined,
      own: { uid: 0, gid: 0 },
      fifos: openFifos({
        log: host.log,
        environment,
        lookup: () => undefined,
        identityOf: () => ({ ok: true, ids: undefined }),
        isSuccessor: restarts > 0,
      }),
      sender: { node: "r1", hostName: "router1", userName: "root" },
      defaultGrace: micros(60_000_000),
      post: async (mail) => void mails.push(mail),
      timeOf: (at) => new Date(Date.now() - (bootNow() - at) / 1_000).toISOString(),
    },
    config,
  );
  host.config.onChange((next) => notifier.configure(next));
  return {
    host,
    election,
    health,
    notifier,
    counters,
    mails,
    say: (event, id = "VI_1") => election.append({ kind: "vrrp", id }, event),
    sayOfServer: (event, id) => health.append({ kind: "virtual-server", id }, event),
    told: () => host.appended.flatMap(({ event }) => outcomeOf(event)),
  };
}

function outcomeOf(event: BatonEvent): (readonly [outcome: string, state: string, detail: string])[] {
  if (event.type === "notification-delivered") return [["delivered", event.data.state, event.data.detail]];
  if (event.type === "notification-failed") return [["failed", event.data.state, event.data.error]];
  return [];
}
