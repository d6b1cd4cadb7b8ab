import { type ChildProcess, fork } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeMessage, subjectFilter, WatchServiceClient } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { inboxPrefix, openNatsBus, recoverVersions } from "@baton/event-log";
import { eventSource, until } from "@baton/event-log/testing";
import { credentials } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { paths } from "./env.ts";
import { startHost } from "./host.ts";
import { writeSnapshot } from "./snapshot.ts";
import { exampleSnapshot } from "./testing/example-snapshot.ts";
import { hostContract } from "./testing/host-contract.ts";
import { makeTempNode, type TempNode } from "./testing/temp-node.ts";
import { watchLimits } from "./watch-server.ts";

hostContract("real", async () => {
  const node = await makeTempNode();
  const [election, dataplane] = [
    await startHost({ service: "election", env: node.env, signals: "leave" }),
    await startHost({ service: "dataplane", env: node.env, signals: "leave" }),
  ];
  return {
    election,
    dataplane,
    applyConfig: (snapshot) => writeSnapshot(node.stateDir, snapshot),
    close: async () => {
      await election.stop("end of test");
      await dataplane.stop("end of test");
      await node.close();
    },
  };
});

/** A service in a process of its own, built code, with the supervisor's IPC channel. */
class ServiceProcess {
  readonly child: ChildProcess;
  readonly messages: { type: string; [name: string]: unknown }[] = [];
  stderr = "";
  exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;

  constructor(node: TempNode, service: string) {
    this.child = fork(join(import.meta.dirname, "testing/example-service.mjs"), [service], {
      env: { PATH: process.env.PATH, ...node.env },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.child.on("message", (message) => this.messages.push(message as { type: string }));
    this.child.once("exit", (code, signal) => {
      this.exit = { code, signal };
    });
  }

  get ready(): boolean {
    return this.messages.some((message) => message.type === "ready");
  }

  lines(): Record<string, unknown>[] {
    return this.stderr
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async kill(): Promise<void> {
    if (this.exit === undefined) this.child.kill("SIGKILL");
    await until("the end of the process", () => this.exit !== undefined);
  }
}

async function withNode(
  body: (node: TempNode, start: (service: string) => ServiceProcess) => Promise<void>,
): Promise<void> {
  const node = await makeTempNode();
  const started: ServiceProcess[] = [];
  const start = (service: string): ServiceProcess => {
    const process = new ServiceProcess(node, service);
    started.push(process);
    return process;
  };
  try {
    await body(node, start);
  } finally {
    for (const process of started) await process.kill();
    await node.close();
  }
}

async function history(node: TempNode): Promise<EventEnvelope[]> {
  const server = node.nats;
  if (server === undefined) throw new Error("no server");
  const bus = openNatsBus({
    credentials: () => server.credentials("control"),
    name: "reader",
    inboxPrefix: inboxPrefix("control"),
  });
  try {
    const events: EventEnvelope[] = [];
    for await (const { envelope } of bus.history({ filter: subjectFilter({ node: node.node }) })) events.push(envelope);
    return events;
  } finally {
    await bus.close();
  }
}

test("a service ignores signals, tells that it is alive, and ends by the supervisor's word", {
  timeout: 30_000,
}, async () => {
  await withNode(async (node, start) => {
    const service = start("election");
    await until("ready", () => service.ready);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) service.child.kill(signal);
    const alive = () => service.messages.filter((message) => message.type === "alive").length;
    await until("two signs of life after the signals", () => alive() >= 2);
    expect(service.exit).toBeUndefined();
    service.child.send({ type: "nonsense" });
    service.child.send({ type: "stop", reason: "end of test" });
    await until("the end", () => service.exit !== undefined);
    expect(service.exit).toEqual({ code: 0, signal: null });
    expect(service.messages.at(-1)).toEqual({ type: "stopped" });
    const types = (await history(node)).map((event) => event.event.type);
    expect(types.at(0)).toBe("service-started");
    expect(types.at(-1)).toBe("service-stopped");
    expect(existsSync(paths.socket(node.runDir, "election"))).toBe(false);
  });
});

test("a lost supervisor is no command", { timeout: 30_000 }, async () => {
  await withNode(async (_node, start) => {
    const service = start("election");
    await until("ready", () => service.ready);
    service.child.disconnect();
    await until("a log line afterwards", () => service.stderr.includes("tick 40"));
    expect(service.exit).toBeUndefined();
  });
});

test.each(["tick 1", ""])(
  "a bug ends the process with 70, and its last words are on stderr (after %j)",
  {
    timeout: 30_000,
  },
  async (after) => {
    await withNode(async (_node, start) => {
      const service = start("election");
      await until("ready", () => service.ready && service.stderr.includes(after));
      service.child.send({ type: "please", do: "throw" });
      await until("the end", () => service.exit !== undefined);
      expect(service.exit).toEqual({ code: 70, signal: null });
      await until("the last words", () => service.stderr.includes("uncaught exception"));
      const last = service.lines().find((line) => line.message === "uncaught exception");
      expect(last).toMatchObject({ level: "error", service: "election", node: "r1", cause: { error: "a bug" } });
    });
  },
);

test("a killed service goes on with its versions, above its last epoch, and its last events are in the stream", {
  timeout: 30_000,
}, async () => {
  await withNode(async (node, start) => {
    const first = start("election");
    await until("events", () => first.stderr.includes("tick 20"));
    await first.kill();
    const left = recoverVersions(paths.outbox(node.stateDir, "election"));
    const second = start("election");
    await until("more events", () => second.stderr.includes("tick 20") && second.stderr.includes("bus connected"));
    second.child.send({ type: "stop", reason: "end of test" });
    await until("the end", () => second.exit !== undefined);
    const events = (await history(node)).filter((event) => event.aggregate.kind === "vrrp");
    expect(events.map((event) => event.version)).toEqual(events.map((_, i) => i + 1));
    const epochs = [...new Set(events.map((event) => event.epoch))];
    expect(epochs).toHaveLength(2);
    expect(epochs[1]).toBeGreaterThan(left.epoch);
    expect(events.length).toBeGreaterThan((left.versions.get("vrrp/VI_1") ?? 0) + 10);
  });
});

test("the backstage thread ends: another one takes its place, and nothing is lost", { timeout: 30_000 }, async () => {
  await withNode(async (node, start) => {
    const service = start("election");
    await until("events", () => service.stderr.includes("tick 20"));
    for (const round of [1, 2]) {
      service.child.send({ type: "please", do: "break-backstage" });
      await until("the death is told", () => service.stderr.split("backstage thread ended").length === round + 1);
      const ticks = service.lines().filter((line) => String(line.message).startsWith("tick")).length;
      const now = () => service.lines().filter((line) => String(line.message).startsWith("tick")).length;
      await until("more events", () => now() > ticks + 20);
    }
    service.child.send({ type: "stop", reason: "end of test" });
    await until("the end", () => service.exit !== undefined);
    const events = (await history(node)).filter((event) => event.aggregate.kind === "vrrp");
    expect(events.length).toBeGreaterThan(50);
    expect(events.map((event) => event.version)).toEqual(events.map((_, i) => i + 1));
    expect(new Set(events.map((event) => event.epoch)).size).toBe(1);
  });
});

test("without credentials or server a service works; when they come, its events are in the stream", {
  timeout: 30_000,
}, async () => {
  await withNode(async (node, start) => {
    const file = paths.credentials(node.runDir);
    const credentialsText = readFileSync(file, "utf8");
    await node.nats?.kill();
    writeFileSync(file, "{");
    const service = start("election");
    await until("ready", () => service.ready);
    await until("events", () => service.stderr.includes("tick 20"));
    writeFileSync(file, credentialsText);
    await node.nats?.start();
    await until("connected", () => service.stderr.includes("bus connected"));
    service.child.send({ type: "stop", reason: "end of test" });
    await until("the end", () => service.exit !== undefined);
    const events = (await history(node)).filter((event) => event.aggregate.kind === "vrrp");
    expect(events.length).toBeGreaterThan(19);
    expect(events.map((event) => event.version)).toEqual(events.map((_, i) => i + 1));
  });
});

test("two services follow each other; one is killed and comes back, and both stories go on", {
  timeout: 60_000,
}, async () => {
  await withNode(async (node, start) => {
    const host = await startHost({ service: "dataplane", env: node.env, signals: "leave" });
    try {
      const versions: number[] = [];
      const snapshots: number[] = [];
      let disconnected = 0;
      host.events.follow("election", ["vrrp"], {
        snapshot: (states) => snapshots.push(states[0]?.version ?? 0),
        event: (envelope) => versions.push(envelope.version),
        disconnected: () => disconnected++,
      });
      const first = start("election");
      await until("events", () => versions.length > 20);
      await node.nats?.kill();
      const atKill = versions.length;
      await until("events over Watch alone", () => versions.length > atKill + 20);
      await first.kill();
      await until("the disconnection is told", () => disconnected === 1);
      const second = start("election");
      await until("a fresh snapshot", () => snapshots.length >= 2);
      const before = versions.length;
      await until("more events", () => versions.length > before + 20);
      await second.kill();
      // Versions rise; none is told twice. Only what a snapshot stands for may be missing.
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      expect(new Set(versions).size).toBe(versions.length);
    } finally {
      await host.stop("end of test");
    }
  });
});

test("an event that is published again is heard once", { timeout: 30_000 }, async () => {
  await withNode(async (node) => {
    const server = node.nats;
    if (server === undefined) throw new Error("no server");
    const host = await startHost({ service: "dataplane", env: node.env, signals: "leave" });
    const bus = openNatsBus({
      credentials: () => server.credentials("election"),
      name: "again",
      inboxPrefix: inboxPrefix("election"),
    });
    try {
      const heard: number[] = [];
      host.events.subscribe({ kind: "vrrp" }, (envelope) => heard.push(envelope.version));
      const make = eventSource({ node: node.node });
      await until("connected", () => bus.connected);
      await until("the first event", async () => {
        await bus.publish(encodeMessage(make("VI_1")));
        return heard.length > 0;
      });
      const twice = encodeMessage(make("VI_1"));
      for (let i = 0; i < 3; i++) await bus.publish(twice);
      await bus.publish(encodeMessage(make("VI_1")));
      const end = Number(twice.headers.get("ce-sequence")) + 1;
      await until("the last event", () => heard.at(-1) === end);
      expect(heard).toEqual(heard.map((_, i) => end - heard.length + 1 + i));
    } finally {
      await bus.close();
      await host.stop("end of test");
    }
  });
});

test("files and sockets are private", { timeout: 30_000 }, async () => {
  await withNode(async (node) => {
    const host = await startHost({ service: "election", env: node.env, signals: "leave" });
    try {
      await host.serveWatch({ states: () => [] });
      await writeSnapshot(node.stateDir, exampleSnapshot(1));
      const outbox = paths.outbox(node.stateDir, "election");
      await until("the outbox", () => existsSync(outbox) && readdirSync(outbox).length > 0);
      const modes = [
        paths.socket(node.runDir, "election"),
        paths.snapshot(node.stateDir),
        ...readdirSync(outbox).map((name) => join(outbox, name)),
      ].map((path) => statSync(path).mode & 0o777);
      expect(modes).toEqual(modes.map(() => 0o600));
      expect(process.umask()).not.toBe(0o177);
    } finally {
      await host.stop("end of test");
    }
  });
});

test("a consumer that does not read is cut off; the service and the others go on", { timeout: 60_000 }, async () => {
  await withNode(async (node) => {
    const election = await startHost({ service: "election", env: node.env, signals: "leave" });
    const reader = await startHost({ service: "dataplane", env: node.env, signals: "leave" });
    const client = new WatchServiceClient(
      `unix:${paths.socket(node.runDir, "election")}`,
      credentials.createInsecure(),
    );
    try {
      await election.serveWatch({ states: () => [] });
      const got: number[] = [];
      reader.events.follow("election", ["vrrp"], {
        snapshot: () => undefined,
        event: (event) => got.push(event.version),
      });
      const stream = client.watch({ consumer: "sleeper", kinds: [], counters: false });
      let failure = "";
      stream.on("error", (error) => {
        failure = error.message;
      });
      await new Promise((resolve) => stream.once("data", resolve));
      stream.pause();
      const reason = "x".repeat(1_000);
      const count = 2 * watchLimits.unreadMax;
      const aggregate = { kind: "vrrp", id: "VI_1" } as const;
      let appended = 0;
      const appending = setInterval(() => {
        for (let i = 0; i < 200; i++) {
          appended++;
          const data = { instance: "VI_1", vrid: 51, from: 1, to: 2, base: 3, tracker: "", reason };
          election.events.append(aggregate, { type: "priority-changed", data });
        }
        if (appended >= count) clearInterval(appending);
      }, 5);
      await until("all events at the one that reads", () => got.at(-1) === count, 40_000);
      stream.resume();
      await until("the other is cut off", () => failure !== "", 20_000);
      expect(failure).toMatch(/does not read/);
      expect(got).toEqual([...got].sort((a, b) => a - b));
    } finally {
      client.close();
      await election.stop("end of test");
      await reader.stop("end of test");
    }
  });
});
