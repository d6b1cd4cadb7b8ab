// The notifier with real scripts: what they get, in which order, how soon, and what a restart tells again.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AggregateState } from "@baton/contracts";
import type { NotifyConfig } from "@baton/keepalived-conf";
import { syncGroup } from "@baton/keepalived-conf/testing";
import { bootNow, wallMicros } from "@baton/linux";
import { describe, expect, test } from "vitest";
import { command, global, instance, noScripts, snapshot, vrrpEvent } from "./testing/fixtures.ts";
import { createNotifierWorld, eventually } from "./testing/notifier-node.ts";

const { path, writeScript, record, calls, fifo, start } = createNotifierWorld();

const notes = (over: Partial<NotifyConfig> = {}): NotifyConfig => ({
  ...noScripts,
  master: command(`${path("note")} master`),
  backup: command(`${path("note")} backup`),
  fault: command(`${path("note")} fault`),
  stop: command(`${path("note")} stop`),
  ...over,
});
const group = syncGroup({ name: "G", members: ["VI_1"] });
const stateOf = (state: string, over: { since?: number; priority?: number } = {}): AggregateState => ({
  kind: "vrrp",
  id: "VI_1",
  version: 1,
  state: {
    $case: "instance",
    value: {
      name: "VI_1",
      state,
      vrid: 51,
      interface: "eth0",
      basePriority: 100,
      effectivePriority: over.priority ?? 98,
      term: 3,
      master: "",
      masterPriority: 0,
      since: over.since ?? bootNow(),
      reason: "master-down-expired",
      addresses: ["172.16.100.1"],
      faultCauses: ["chk"],
      primaryAddress: "10.0.0.1",
      lastEventId: "0190-last",
      correlationId: "0190-story",
      traceparent: "",
      leaseConfirmed: true,
      masterAdvertMicros: 0,
      degraded: false,
      preemptHeldUntil: 0,
      staleTrackers: [],
    },
  },
});

test("each state runs its script with exactly its words, then the generic one with four more", async () => {
  const { say } = start(snapshot([instance({ notify: notes({ any: command(`${path("note")} any -x`) }) })]));
  say(vrrpEvent.backup());
  say(vrrpEvent.master());
  say(vrrpEvent.priority("VI_1", 99));
  say(vrrpEvent.fault());
  say(vrrpEvent.stop());
  await eventually(() => expect(calls().length).toBe(8));
  expect(calls()).toEqual([
    "backup",
    "any -x INSTANCE VI_1 BACKUP 100",
    "master",
    "any -x INSTANCE VI_1 MASTER 101",
    "fault",
    "any -x INSTANCE VI_1 FAULT 100",
    "stop",
    "any -x INSTANCE VI_1 STOP 100",
  ]);
});

test("FIFOs get a line for each change, for changed priorities where they are wanted, and for all states on reload", async () => {
  const fifos = { ...global().fifos, all: fifo("all"), vrrp: fifo("vrrp", command(path("reader"))) };
  writeScript("reader", 'exec cat "$1" > "$(dirname "$0")/read"');
  const VI_1 = instance({ notifyPriorityChanges: true });
  const { host, election, say, notifier } = start(snapshot([VI_1], { global: global({ fifos }), syncGroups: [group] }));
  say(vrrpEvent.backup());
  say(vrrpEvent.priority("VI_1", 99));
  say(vrrpEvent.master());
  const data = { group: "G", state: "master", term: 1, members: ["VI_1"], member: "VI_1", reason: "" };
  election.append({ kind: "group", id: "G" }, { type: "sync-group-changed", data });
  say(vrrpEvent.priority("VI_1", 98));
  for (const name of ["VI_1", "of another file"]) say(vrrpEvent.rival(name));
  say(vrrpEvent.stop("VI_1", "removed-from-configuration"));
  const lines = [
    'INSTANCE "VI_1" BACKUP 100',
    'INSTANCE "VI_1" BACKUP_PRIORITY 99',
    'INSTANCE "VI_1" MASTER 101',
    'GROUP "G" MASTER 0',
    'INSTANCE "VI_1" MASTER_PRIORITY 98',
    'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 98',
    'INSTANCE "VI_1" FAULT 98',
  ];
  const read = () => readFileSync(path("read"), "utf8").trim().split("\n");
  await eventually(() => expect(read()).toEqual(lines));
  host.applyConfig(
    snapshot([VI_1], { global: global({ fifos: { ...fifos, statesOnReload: true } }), syncGroups: [group] }, 2),
  );
  await eventually(() => expect(read().slice(lines.length)).toEqual(['GROUP "G" MASTER 0']));
  notifier.close();
  expect([existsSync(path("all")), existsSync(path("vrrp"))]).toEqual([false, false]);
});

test("STOP, which carries no priority, tells the last one heard of", async () => {
  const { say } = start(snapshot([instance({ notify: { ...noScripts, any: command(path("note")) } })]));
  say(vrrpEvent.priority("VI_1", 42));
  say(vrrpEvent.stop());
  await eventually(() => expect(calls()).toEqual(["INSTANCE VI_1 STOP 42"]));
});

test("under a burst of transitions: every state, in order, one at a time; instances do not wait for each other", async () => {
  writeScript(
    "slow",
    'echo "0 $1 begins" >> "$(dirname "$0")/record"; sleep 0.02; echo "0 $1 ends" >> "$(dirname "$0")/record"',
  );
  const slow = (name: string) => ({
    ...noScripts,
    master: command(`${path("slow")} ${name}-master`),
    backup: command(`${path("slow")} ${name}-backup`),
  });
  const { say, told } = start(
    snapshot([instance({ notify: slow("a") }), instance({ name: "VI_2", notify: slow("b") })]),
  );
  for (let round = 0; round < 10; round += 1) {
    say(vrrpEvent.master());
    say(vrrpEvent.master("VI_2"), "VI_2");
    say(vrrpEvent.backup());
    say(vrrpEvent.backup("VI_2"), "VI_2");
  }
  await eventually(() => expect(told().length).toBe(40));
  for (const name of ["a", "b"]) {
    const expected = Array.from({ length: 10 }, () => ["master", "backup"]).flat();
    expect(calls().filter((call) => call.startsWith(name))).toEqual(
      expected.flatMap((state) => [`${name}-${state} begins`, `${name}-${state} ends`]),
    );
  }
});

test("what became of it is told in the story and trace of the event", async () => {
  writeScript("talk", 'echo "restarting haproxy"; exit "$1"');
  const { host, election, told } = start(
    snapshot([
      instance({
        notify: { ...noScripts, master: command(`${path("talk")} 0`), backup: command(`${path("talk")} 3`) },
      }),
    ]),
  );
  const parent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const cause = election.append(
    { kind: "vrrp", id: "VI_1" },
    vrrpEvent.master(),
    { id: "c", correlationId: "story" },
    parent,
  );
  election.append({ kind: "vrrp", id: "VI_1" }, vrrpEvent.backup());
  await eventually(() => expect(told().length).toBe(2));
  expect(told()).toEqual([
    ["delivered", "MASTER", "restarting haproxy"],
    ["failed", "BACKUP", "exit 3: restarting haproxy"],
  ]);
  const delivered = host.appended.find(({ event }) => event.type === "notification-delivered");
  const [span, failedSpan] = host.spans;
  expect(delivered).toMatchObject({ causationId: cause.id, correlationId: "story", traceparent: span?.traceparent });
  expect(delivered?.aggregate).toEqual({ kind: "notification", id: "VI_1" });
  expect(span).toMatchObject({ name: "notification.deliver", parent });
  expect(failedSpan?.error).toBe("exit 3");
});

test("a script that is not there is said so, and the next one runs", async () => {
  const { say, told } = start(snapshot([instance({ notify: notes({ master: command("/no/such/script") }) })]));
  say(vrrpEvent.master());
  say(vrrpEvent.backup());
  await eventually(() => expect(calls()).toEqual(["backup"]));
  expect(told()[0]).toEqual(["failed", "MASTER", "spawn ENOENT"]);
});

test("a script that hangs holds up a later state for the grace, then goes with its children", async () => {
  writeScript("hang", 'sleep 600 & echo $! > "$(dirname "$0")/child"; wait');
  const config = snapshot([instance({ notify: notes({ master: command(path("hang")) }) })]);
  const { say, told } = start({ ...config, settings: { ...config.settings, notify: { scriptGraceSeconds: 0.2 } } });
  say(vrrpEvent.master());
  await eventually(() => expect(existsSync(path("child")) && readFileSync(path("child"), "utf8")).toMatch(/\d\n/));
  say(vrrpEvent.backup());
  await eventually(() => expect(calls()).toEqual(["backup"]));
  expect(told()[0]).toEqual(["failed", "MASTER", "signal SIGTERM"]);
  const child = Number(readFileSync(path("child"), "utf8"));
  await eventually(() => expect(existsSync(`/proc/${child}`)).toBe(false));
});

test("a later configuration is used for later states; a removed instance still tells that it is gone", async () => {
  const { host, say } = start(snapshot([instance({ notify: notes() })]));
  say(vrrpEvent.master());
  host.applyConfig(snapshot([instance({ notify: notes({ backup: command(`${path("note")} new-backup`) }) })], {}, 2));
  say(vrrpEvent.backup());
  host.applyConfig(snapshot([], {}, 3));
  say(vrrpEvent.stop("VI_1", "removed-from-configuration"));
  await eventually(() => expect(calls()).toEqual(["master", "new-backup", "fault"]));
});

test("a new instance's first state may be heard before its configuration", async () => {
  const { host, say } = start(snapshot([]));
  say(vrrpEvent.backup());
  host.applyConfig(snapshot([instance({ notify: notes() })], {}, 2));
  await eventually(() => expect(calls()).toEqual(["backup"]));
});

describe("once and never older (SAFETY S21)", () => {
  const config = () => snapshot([instance({ notify: notes() })]);

  test("an election that says again what it was changes nothing", async () => {
    const { say } = start(config());
    say(vrrpEvent.master());
    say(vrrpEvent.master("VI_1", { term: 8 }));
    say(vrrpEvent.backup());
    await eventually(() => expect(calls()).toEqual(["master", "backup"]));
  });

  test("a restarted notifier tells nothing when the state is the one it told", async () => {
    const first = start(config());
    first.say(vrrpEvent.master());
    await eventually(() => expect(calls()).toEqual(["master"]));
    first.notifier.close();
    const second = start(config(), { restarts: 1, states: [stateOf("master")] });
    second.say(vrrpEvent.backup());
    await eventually(() => expect(calls()).toEqual(["master", "backup"]));
  });

  test("a restarted notifier tells the current state once, as replayed, and none in between", async () => {
    const first = start(config());
    first.say(vrrpEvent.master());
    await eventually(() => expect(calls()).toEqual(["master"]));
    first.notifier.close();
    const second = start(config(), { restarts: 1, states: [stateOf("fault")] });
    await eventually(() => expect(second.told().length).toBe(1));
    expect(calls()).toEqual(["master", "fault"]);
    const delivered = second.host.appended.find(({ event }) => event.type === "notification-delivered");
    expect(delivered).toMatchObject({ causationId: "0190-last", correlationId: "0190-story" });
    expect(delivered?.event.data).toMatchObject({ state: "FAULT", replayed: true });
  });

  test("the first start of a node tells the state it finds, and that is no repetition", async () => {
    const node = start(config(), { states: [stateOf("backup")] });
    await eventually(() => expect(node.told().length).toBe(1));
    expect(calls()).toEqual(["backup"]);
    expect(node.host.appended.find(({ event }) => event.type === "notification-delivered")?.event.data).toMatchObject({
      replayed: false,
    });
  });

  test("a node that starts anew tells its states anew, as keepalived does", async () => {
    const first = start(config());
    first.say(vrrpEvent.backup());
    await eventually(() => expect(calls()).toEqual(["backup"]));
    first.notifier.close();
    const second = start(config());
    second.say(vrrpEvent.backup());
    await eventually(() => expect(calls()).toEqual(["backup", "backup"]));
  });

  test("but a master that only goes on under its lease is not told again", async () => {
    const first = start(config());
    first.say(vrrpEvent.master());
    // Told means recorded, too: one that is closed between the two tells again.
    await eventually(() => expect(first.told().length).toBe(1));
    first.notifier.close();
    const second = start(config());
    second.say(vrrpEvent.master("VI_1", { term: 8, reason: "resumed" }));
    second.say(vrrpEvent.backup());
    await eventually(() => expect(calls()).toEqual(["master", "backup"]));
  });

  test("an instance on its way is not told", async () => {
    const { say } = start(config(), { states: [stateOf("initialize")] });
    say(vrrpEvent.backup());
    await eventually(() => expect(calls()).toEqual(["backup"]));
  });

  test("after a gap: the state of the snapshot, if it differs", async () => {
    const { say, election } = start(config());
    say(vrrpEvent.master());
    election.states([stateOf("master")]);
    election.states([stateOf("backup")]);
    await eventually(() => expect(calls()).toEqual(["master", "backup"]));
  });
});

describe("when the node stops", () => {
  test("STOP scripts have run when leave resolves", async () => {
    writeScript("slowstop", 'sleep 0.2; echo "0 $*" >> "$(dirname "$0")/record"');
    const { say, notifier } = start(
      snapshot([instance({ notify: notes({ stop: command(`${path("slowstop")} stopped`) }) })]),
    );
    say(vrrpEvent.master());
    const left = notifier.leave();
    say(vrrpEvent.stop());
    await left;
    expect(calls()).toEqual(["master", "stopped"]);
  });
  test("a script that hangs does not keep STOP from running, nor the node from stopping", async () => {
    writeScript("hang", "exec sleep 4");
    const { say, notifier, told } = start(snapshot([instance({ notify: notes({ master: command(path("hang")) }) })]));
    say(vrrpEvent.master());
    say(vrrpEvent.stop());
    await notifier.leave();
    expect(calls()).toEqual(["stop"]);
    expect(told(), "the other one is still at it").toEqual([["delivered", "STOP", ""]]);
  });
});

describe("mail", () => {
  const alerting = () => snapshot([instance({ smtpAlert: true, notify: notes() })]);
  test("one for each change of state where smtp_alert asks for it", async () => {
    const { say, mails } = start(alerting());
    say(vrrpEvent.backup());
    say(vrrpEvent.master());
    say(vrrpEvent.master("VI_1", { term: 9 }));
    say(vrrpEvent.fault());
    say(vrrpEvent.stop());
    expect(mails.map(({ subject }) => subject.replace("[LVS_DEVEL] VRRP Instance VI_1 - ", ""))).toEqual([
      "Entering BACKUP state",
      "Entering MASTER state",
      "Entering FAULT state",
      "Stopping",
    ]);
    expect(mails[3]?.text).toMatch(/^reason: {6}SIGTERM$/m);
  });
  test("none without smtp_alert: a change told only by script", async () => {
    const { say, mails } = start(snapshot([instance({ notify: notes() })]));
    say(vrrpEvent.master());
    await eventually(() => expect(calls()).toEqual(["master"]));
    expect(mails).toEqual([]);
  });
  test("an instance that is removed while in fault is told once: DELETED is told as FAULT", async () => {
    const { say, mails } = start(alerting());
    say(vrrpEvent.fault());
    say(vrrpEvent.stop("VI_1", "removed-from-configuration"));
    say(vrrpEvent.backup());
    await eventually(() => expect(calls()).toEqual(["fault", "backup"]));
    expect(mails.length).toBe(2);
  });
  test("none of the state last mailed, though mail was off in between", async () => {
    const { host, say, mails } = start(alerting());
    say(vrrpEvent.master());
    host.applyConfig(snapshot([instance({ notify: notes() })], {}, 2));
    say(vrrpEvent.backup());
    host.applyConfig({ ...alerting(), generation: 3 });
    say(vrrpEvent.master());
    expect(mails.length).toBe(1);
    say(vrrpEvent.backup());
    expect(mails.length).toBe(2);
  });
});

test("from event to running script: measured", async () => {
  const { host, say } = start(snapshot([instance({ notify: notes() })]));
  const waits: number[] = [];
  for (let round = 0; round < 40; round += 1) {
    const event = say(round % 2 === 0 ? vrrpEvent.master() : vrrpEvent.backup());
    await eventually(() => expect(record().length).toBe(round + 1));
    // The script reads the clock itself, after bash and date have started.
    const ran = Number(record()[round]?.split(" ")[0]);
    waits.push((ran - (wallMicros() - (bootNow() - event.at))) / 1_000);
  }
  waits.sort((a, b) => a - b);
  const starts = host.lines
    .map(({ fields }) => Number(fields.sinceEventMs))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const at = (values: number[], share: number) => values[Math.floor(values.length * share)]?.toFixed(2);
  process.stdout.write(
    `event to process started: p50 ${at(starts, 0.5)} ms, p99 ${at(starts, 0.99)} ms; ` +
      `event to the script's own clock (bash and date included): p50 ${at(waits, 0.5)} ms, p99 ${at(waits, 0.99)} ms\n`,
  );
  expect(starts.length).toBe(40);
});

describe("the user's notify scripts", () => {
  const seeds = new URL("../../../../shared/seed-configs/", import.meta.url);
  const scripts = existsSync(seeds) ? readdirSync(seeds).filter((name) => name.endsWith(".sh")) : [];
  test.runIf(scripts.length === 0)("are not here: skipped", ({ skip }) => {
    process.stdout.write("the user's notify scripts are not beside the repository: their test is skipped\n");
    skip();
  });
  test.each(scripts)("%s runs as it is", async (name) => {
    writeFileSync(path(name), readFileSync(new URL(name, seeds)), { mode: 0o755 });
    const words = name === "notify-advanced.sh" ? "-n master -a 172.16.100.1" : "master";
    const { say, told } = start(
      snapshot([instance({ notify: { ...noScripts, master: command(`${path(name)} ${words}`) } })]),
    );
    say(vrrpEvent.master());
    await eventually(() => expect(told().length).toBe(1));
    const [outcome] = told();
    // Whether it ends well depends on mail(1), ifconfig(8) and an init script; that it ran does not: bash spoke.
    expect(outcome?.[2]).not.toMatch(/^spawn|not started/);
    expect(outcome?.[0] === "delivered" || /^exit \d+/.test(outcome?.[2] ?? "")).toBe(true);
  });
});
