// The health service with real scripts, as root: what they do becomes events, traces, counters and Watch states.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { micros } from "@baton/domain";
import type { TestHost } from "@baton/host/testing";
import type { TrackScriptConfig } from "@baton/keepalived-conf";
import { command } from "@baton/keepalived-conf/testing";
import { scriptEnvironment } from "@baton/script";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { type Health, runHealth } from "./run-health.ts";
import { openRunRecord } from "./run-record.ts";
import { healthHost, memoryFile, memoryLog, script, shell, snapshot } from "./testing/fixtures.ts";

const folder = mkdtempSync(join(tmpdir(), "baton-health-"));
afterAll(() => rmSync(folder, { recursive: true }));
const running: Health[] = [];
afterEach(async () => {
  for (const health of running.splice(0)) await health.stop();
});
const file = (name: string) => join(folder, name);
let records = 0;

async function start(scripts: readonly TrackScriptConfig[], restarts = 0): Promise<{ host: TestHost; health: Health }> {
  const host = healthHost(snapshot(scripts), restarts);
  const health = await runHealth({
    host,
    record: openRunRecord(file(`record-${records++}`)),
    environment: scriptEnvironment({ PATH: process.env.PATH }),
    lookup: (user) => (user === "nobody" ? { uid: 65534, gid: 65534 } : undefined),
    own: { uid: 0, gid: 0 },
    kept: { known: memoryLog(), drained: memoryFile() },
    boot: "boot",
    wall: Date.now,
  });
  await host.serveWatch({ states: health.states, counters: health.counters });
  running.push(health);
  return { host, health };
}
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 });
const tracker = (host: TestHost, name = "chk") => {
  const state = host.states().find((each) => each.id === name)?.state;
  if (state?.$case !== "tracker") throw new Error(`no tracker ${name}`);
  return state.value;
};
const events = (host: TestHost) => host.appended.filter(({ aggregate }) => aggregate.kind === "tracker");
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

test("the user's two checks: killall -0, and a maintenance switch in shell syntax", async () => {
  // A comm of its own, so that killall of this machine finds this process and no other.
  const name = `bt${process.pid}h`;
  writeFileSync(file(name), "#!/bin/bash\nread -r < <(sleep infinity)\n", { mode: 0o755 });
  const { spawn } = await import("node:child_process");
  const stand = spawn(file(name), { stdio: "ignore", detached: true });
  const { host } = await start([
    script("chk_haproxy", { command: command(`killall -0 ${name}`) }),
    script("chk_down", { command: shell(`[[ -f ${file("down")} ]] && exit 1 || exit 0`) }),
  ]);
  await eventually(() =>
    expect([tracker(host, "chk_haproxy").status, tracker(host, "chk_down").status]).toEqual(["up", "up"]),
  );
  process.kill(-(stand.pid ?? 0), "SIGKILL");
  writeFileSync(file("down"), "");
  await eventually(() =>
    expect([tracker(host, "chk_haproxy").status, tracker(host, "chk_down").status]).toEqual(["down", "down"]),
  );
  rmSync(file("down"));
  await eventually(() => expect(tracker(host, "chk_down").status).toBe("up"));
  const failure = events(host).find(
    ({ event }) => event.type === "script-failed" && event.data.script === "chk_haproxy",
  );
  expect(failure?.event.data).toMatchObject({ exit: "exit 1", output: `${name}: no process found`, failures: 1 });
});

test("a failing script starts a story: its event is a root, in the trace of the run", async () => {
  const { host } = await start([script("chk", { command: shell("echo broken; exit 2") })]);
  await eventually(() => expect(events(host).length).toBe(1));
  const [envelope] = events(host);
  const [span] = host.spans;
  expect(envelope?.event).toMatchObject({
    type: "script-failed",
    data: { script: "chk", exit: "exit 2", output: "broken" },
  });
  expect(envelope?.correlationId).toBe(envelope?.id);
  expect(envelope?.causationId).toBe(envelope?.id);
  expect(envelope?.traceparent).toBe(span?.traceparent);
  expect(span).toMatchObject({ name: "script.run", attributes: { "script.name": "chk", "script.exit": "exit 2" } });
  expect((span?.endMicros ?? 0) - (span?.startMicros ?? 0)).toBeGreaterThan(0);
  expect(tracker(host)).toMatchObject({
    status: "down",
    result: 0,
    lastExit: "exit 2",
    lastEventId: envelope?.id,
    correlationId: envelope?.id,
    traceparent: envelope?.traceparent,
  });
  await eventually(() => expect(tracker(host).runs).toBeGreaterThan(3));
  expect(events(host).length, "a status that stays is no event").toBe(1);
});

test("a run that times out has failed at once, and its children go with it", async () => {
  const { host } = await start([
    script("chk", {
      command: shell(`echo started; sleep 600 & echo $! > ${file("hung")}; wait`),
      interval: micros(100_000),
      timeout: micros(300_000),
    }),
  ]);
  await eventually(() => expect(events(host).length).toBe(1));
  const child = Number(readFileSync(file("hung"), "utf8"));
  const { event } = events(host)[0] ?? {};
  expect(event?.data).toMatchObject({ exit: "timeout after 300 ms", output: "started" });
  await eventually(() => expect(isAlive(child)).toBe(false));
  const { skipped, timeouts } = tracker(host);
  expect(skipped).toBeGreaterThanOrEqual(2);
  expect(timeouts).toBeGreaterThanOrEqual(1);
});

test("a child that ignores SIGTERM is killed when its parent has gone", async () => {
  const { host } = await start([
    script("chk", {
      command: shell(`(trap '' TERM; echo $BASHPID > ${file("stubborn")}; sleep 600 & wait) & sleep 600`),
      interval: micros(10_000_000),
      timeout: micros(200_000),
    }),
  ]);
  await eventually(() => expect(tracker(host).timeouts).toBe(1));
  const child = Number(readFileSync(file("stubborn"), "utf8"));
  await eventually(() => expect(isAlive(child)).toBe(false));
});

test("a process that was not scheduled takes no script for timed out that ended in time", async () => {
  const { host } = await start([
    script("chk", { command: command("sleep 0.1"), interval: micros(10_000_000), timeout: micros(300_000) }),
  ]);
  await eventually(() => expect(tracker(host).runs).toBe(1));
  // Neither timers nor exits are seen meanwhile; afterwards Node runs the timers first (SAFETY S2).
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
  await eventually(() => expect(tracker(host).checkedAt).toBeGreaterThan(0));
  expect(tracker(host)).toMatchObject({ status: "up", lastExit: "exit 0", timeouts: 0 });
});

test("nothing starts after a stop", async () => {
  const { host, health } = await start([script("chk")]);
  await health.stop();
  host.applyConfig(snapshot([script("chk"), script("late")], 2));
  expect(host.states()).toEqual([]);
});

describe("who a script runs as", () => {
  test.runIf(process.getuid?.() === 0)("the configured user", async () => {
    const user = { user: "nobody", group: undefined, supplementaryGroups: false };
    const { host } = await start([
      script("chk", { command: command("false", { user }) }),
      script("who", { command: { ...shell("id -un; exit 9"), user } }),
    ]);
    await eventually(() => expect(events(host).length).toBe(2));
    const who = events(host).find(({ aggregate }) => aggregate.id === "who");
    expect(who?.event.data).toMatchObject({ exit: "exit 9", output: "nobody" });
  });
  test("never somebody else than was asked for", async () => {
    const { host } = await start([
      script("chk", {
        command: command("true", { user: { user: "nobdy", group: undefined, supplementaryGroups: false } }),
      }),
    ]);
    await eventually(() => expect(tracker(host).status).toBe("down"));
    expect(events(host)[0]?.event.data).toMatchObject({ exit: "not started", output: "there is no user nobdy" });
    expect(host.lines.filter(({ level }) => level === "error").length).toBe(1);
  });
});

describe("a reload", () => {
  test("that changes nothing moves nothing; unused scripts end; new ones start", async () => {
    const keep = script("keep", { interval: micros(40_000) });
    const hung = script("gone", {
      command: shell(`echo $$ > ${file("gone")}; exec sleep 600`),
      timeout: micros(60_000_000),
    });
    const { host } = await start([keep, hung]);
    await eventually(() => expect(tracker(host, "keep").runs).toBeGreaterThan(2));
    await eventually(() => expect(existsSync(file("gone")) && readFileSync(file("gone"), "utf8")).toMatch(/\d/));
    const before = tracker(host, "keep");
    host.applyConfig(snapshot([keep, script("new")], 2));
    expect(tracker(host, "keep")).toEqual(before);
    expect(host.states().map(({ id }) => id)).toEqual(["keep", "new"]);
    await eventually(() => expect(isAlive(Number(readFileSync(file("gone"), "utf8")))).toBe(false));
    await eventually(() => expect(tracker(host, "new").status).toBe("up"));
    expect(events(host).map(({ aggregate, event }) => `${aggregate.id} ${event.type}`)).toEqual([
      "keep script-succeeded",
      "new script-succeeded",
    ]);
  });
  test("to another command does not flap: no event before its first result", async () => {
    const { host } = await start([script("chk", { rise: 3, fall: 3 })]);
    await eventually(() => expect(tracker(host).status).toBe("up"));
    host.applyConfig(snapshot([script("chk", { command: command("false"), rise: 3, fall: 3, initFail: true })], 2));
    expect(tracker(host).status).toBe("unknown");
    expect(events(host).length).toBe(1);
    await eventually(() =>
      expect(events(host).map(({ event }) => event.type)).toEqual(["script-succeeded", "script-failed"]),
    );
    expect(events(host).map(({ version }) => version)).toEqual([1, 2]);
  });
});

test("init_fail is down from the start, and consumers hear of it; a restarted health knows nothing yet", async () => {
  const slow = script("chk", { initFail: true, rise: 2, command: command("sleep 600"), timeout: micros(60_000_000) });
  const fresh = await start([slow]);
  expect(tracker(fresh.host).status).toBe("down");
  expect(events(fresh.host)[0]?.event.data).toMatchObject({ exit: "init_fail" });
  const restarted = await start([slow], 1);
  expect(tracker(restarted.host).status).toBe("unknown");
  expect(events(restarted.host)).toEqual([]);
});

test("stop ends what runs, children included", async () => {
  const { health } = await start([
    script("chk", { command: shell(`sleep 600 & echo $! > ${file("stop")}; wait`), timeout: micros(60_000_000) }),
  ]);
  await eventually(() => expect(existsSync(file("stop")) && readFileSync(file("stop"), "utf8")).toMatch(/\d/));
  await health.stop();
  const child = Number(readFileSync(file("stop"), "utf8"));
  await eventually(() => expect(isAlive(child)).toBe(false));
});

test("what a killed health process left running is ended by the next one", async () => {
  const path = file("left-record");
  const { spawn } = await import("node:child_process");
  const left = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
  const other = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
  const record = openRunRecord(path);
  const [first, second] = [record.slot(), record.slot()];
  first.hold(left.pid);
  second.hold(other.pid);
  second.clear();
  record.close();
  // A pid that was given away since: the start time tells it from the one recorded.
  writeFileSync(path, `${readFileSync(path, "utf8")}${`${other.pid} 1`.padEnd(31)}\n`);
  const next = openRunRecord(path);
  expect(next.ended).toEqual([left.pid]);
  await eventually(() => expect(left.signalCode).toBe("SIGKILL"));
  expect(isAlive(other.pid ?? 0)).toBe(true);
  other.kill("SIGKILL");
  next.close();
});

test("counters say what was done", async () => {
  const { host, health } = await start([script("chk", { command: command("false") })]);
  await eventually(() => expect(tracker(host).runs).toBeGreaterThan(2));
  const samples = Object.fromEntries(
    health.counters().map(({ name, labels, value }) => [`${name} ${labels.outcome ?? ""}`.trim(), value]),
  );
  expect(samples["healthcheck_results_total failure"]).toBeGreaterThanOrEqual(2);
  expect(samples["healthcheck_results_total success"]).toBe(0);
  expect(samples.healthcheck_duration_seconds_count).toBe(samples["healthcheck_results_total failure"]);
  expect(samples.healthcheck_duration_seconds_sum).toBeGreaterThan(0);
  expect(samples.tracker_status).toBe(0);
});
