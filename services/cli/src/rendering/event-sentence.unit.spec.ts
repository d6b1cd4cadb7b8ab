import { eventTypes } from "@baton/contracts";
import type { BatonEvent, EventEnvelope } from "@baton/domain";
import { refusedCheck } from "@baton/domain/testing";
import { expect, test } from "vitest";
import { eventLine, eventSentence } from "./event-sentence.ts";

const vrrp = { instance: "VI_1", vrid: 51, interface: "eth0", term: 3, priority: 101 };
const routing = {
  instance: "VI_1",
  routes: ["default via 10.0.0.1", "blackhole 10.9.0.0/16"],
  rules: ["from all lookup 7 priority 9"],
  term: 3,
};
const vip = { instance: "VI_1", address: "172.16.100.1/16", interface: "eth0", term: 3 };
const mail = { instance: "VI_1", state: "MASTER", channel: "script", target: "notify.sh", attempts: 1 };

const failure = refusedCheck("HTTP_GET 10.0.0.1:80");
const realServer = {
  virtualServer: "[10.0.0.9]:tcp:80",
  server: "[10.0.0.1]:tcp:80",
  reason: "check",
  check: failure.check,
  changed: true,
  told: "everyone",
};
const quorum = {
  virtualServer: "[10.0.0.9]:tcp:80",
  quorum: 2,
  hysteresis: 1,
  threshold: 3,
  weight: 4,
  reason: "servers",
  told: "everyone",
};

const rows: readonly [event: BatonEvent, sentence: string][] = [
  [
    { type: "became-master", data: { ...vrrp, reason: "priority-zero-received", addresses: ["172.16.100.1"] } },
    "r1 became master of VI_1 with priority 101: the master said that it leaves",
  ],
  [
    {
      type: "became-backup",
      data: { ...vrrp, reason: "higher-priority-advert", master: "172.16.1.2", masterPriority: 110 },
    },
    "r1 became backup of VI_1 (master: 172.16.1.2, priority 110): a master with a higher priority was heard",
  ],
  [
    { type: "became-backup", data: { ...vrrp, reason: "startup", master: "", masterPriority: 0 } },
    "r1 became backup of VI_1: it has started",
  ],
  [
    { type: "entered-fault", data: { ...vrrp, causes: ["interface-down", "script chk"] } },
    "r1 is in fault for VI_1: the interface is down, script chk",
  ],
  [
    { type: "instance-stopped", data: { ...vrrp, wasMaster: true, reason: "stop" } },
    "r1 stopped VI_1, of which it was master: the node is being stopped",
  ],
  [
    {
      type: "priority-changed",
      data: {
        instance: "VI_1",
        vrid: 51,
        from: 103,
        to: 101,
        base: 101,
        tracker: "chk_haproxy",
        reason: "tracker-down",
      },
    },
    "VI_1 has priority 101 instead of 103: chk_haproxy is down",
  ],
  [
    { type: "mastership-degraded", data: { ...vrrp, priority: 1, detail: "172.16.100.1: EPERM" } },
    "r1 serves only part of VI_1, as nobody else serves any of it: 172.16.100.1: EPERM",
  ],
  [{ type: "mastership-restored", data: vrrp }, "r1 serves all of VI_1 again"],
  [
    {
      type: "preemption-held",
      data: { instance: "VI_1", vrid: 51, interface: "eth0", term: 3, moves: 5, holdMs: 180_000 },
    },
    "VI_1 has moved 5 times: r1 takes over from no lower master for 180 s",
  ],
  [
    { type: "rival-heard", data: { ...vrrp, priority: 100, rival: "10.0.0.2", rivalPriority: 90 } },
    "10.0.0.2 speaks for VI_1 at priority 90, though r1 is master at priority 100",
  ],
  [
    { type: "tracker-stale", data: { instance: "VI_1", vrid: 51, kind: "script", tracker: "chk" } },
    "script chk of VI_1 has not been confirmed for too long: its last value stands",
  ],
  [
    { type: "tracker-fresh", data: { instance: "VI_1", vrid: 51, kind: "script", tracker: "chk" } },
    "script chk of VI_1 is confirmed again",
  ],
  [
    {
      type: "foreign-vrid-seen",
      data: {
        interface: "eth0",
        vrid: 77,
        family: 4,
        source: "172.16.1.9",
        version: 2,
        priority: 100,
        reason: "unknown-vrid",
      },
    },
    "172.16.1.9 speaks for VRID 77 on eth0, heard by r1: no instance here has that number",
  ],
  [
    { type: "drift-war", data: { ...vip, repairs: 5 } },
    "172.16.100.1/16 on eth0 was repaired 5 times within a minute: somebody else wants it otherwise",
  ],
  [
    {
      type: "sync-group-changed",
      data: { group: "G", state: "fault", term: 2, members: ["A", "B"], member: "A", reason: "interface-down" },
    },
    "r1 has the group G in state fault, as A: the interface is down",
  ],
  [
    {
      type: "script-failed",
      data: { script: "chk", exit: "code 1", durationMs: 3, output: "no\nprocess", failures: 1 },
    },
    "script chk failed (code 1, once, said: no)",
  ],
  [
    { type: "script-failed", data: { script: "chk", exit: "timeout", durationMs: 3, output: "", failures: 3 } },
    "script chk failed (timeout, 3 times in a row)",
  ],
  [{ type: "script-succeeded", data: { script: "chk", durationMs: 3, successes: 1 } }, "script chk succeeds"],
  [{ type: "file-changed", data: { file: "load", path: "/run/load", value: -5 } }, "file load (/run/load) says -5"],
  [
    { type: "bfd-session-up", data: { session: "core", neighbor: "10.0.0.2", diagnostic: "none" } },
    "BFD session core with 10.0.0.2 is up",
  ],
  [
    { type: "bfd-session-down", data: { session: "core", neighbor: "10.0.0.2", diagnostic: "detection-time-expired" } },
    "BFD session core with 10.0.0.2 is down: detection time expired",
  ],
  [
    {
      type: "check-failed",
      data: { ...failure, reason: "wrong-status", status: 503, excerpt: "no backend", attempt: 3, durationMs: 12.34 },
    },
    "check HTTP_GET 10.0.0.1:80 failed (attempt 3, 12.3 ms): wrong status 503: no backend",
  ],
  [
    { type: "check-attempt-failed", data: failure },
    "an attempt of check HTTP_GET 10.0.0.1:80 failed (attempt 1, 1.0 ms): refused",
  ],
  [
    { type: "check-succeeded", data: { check: failure.check, durationMs: 0.96 } },
    "check HTTP_GET 10.0.0.1:80 succeeds, in 1.0 ms",
  ],
  [
    { type: "realserver-up", data: realServer },
    "[10.0.0.1]:tcp:80 of [10.0.0.9]:tcp:80 is up: HTTP_GET 10.0.0.1:80 succeeded",
  ],
  [
    { type: "realserver-up", data: { ...realServer, reason: "start", check: "" } },
    "[10.0.0.1]:tcp:80 of [10.0.0.9]:tcp:80 is up: nothing speaks against it",
  ],
  [
    { type: "realserver-down", data: { ...realServer, held: true } },
    "[10.0.0.1]:tcp:80 of [10.0.0.9]:tcp:80 is down: HTTP_GET 10.0.0.1:80 failed; it stays in the service, as nobody else is left",
  ],
  [
    { type: "realserver-down", data: { ...realServer, reason: "removed", check: "", held: false } },
    "[10.0.0.1]:tcp:80 of [10.0.0.9]:tcp:80 is down: it was removed from the configuration",
  ],
  [{ type: "quorum-gained", data: quorum }, "[10.0.0.9]:tcp:80 has quorum: its live servers weigh 4, needed is 3"],
  [
    { type: "quorum-lost", data: { ...quorum, weight: 0, threshold: 0 } },
    "[10.0.0.9]:tcp:80 has no quorum: its live servers weigh 0, needed is 1",
  ],
  [{ type: "quorum-lost", data: { ...quorum, reason: "stop" } }, "[10.0.0.9]:tcp:80 ended: the node is being stopped"],
  [
    { type: "sorry-server-added", data: { virtualServer: quorum.virtualServer, server: "[10.0.0.8]:tcp:80" } },
    "[10.0.0.9]:tcp:80 is served by its sorry server [10.0.0.8]:tcp:80",
  ],
  [
    { type: "sorry-server-removed", data: { virtualServer: quorum.virtualServer, server: "[10.0.0.8]:tcp:80" } },
    "[10.0.0.9]:tcp:80 is no longer served by its sorry server [10.0.0.8]:tcp:80",
  ],
  [
    {
      type: "destinations-changed",
      data: { virtualServer: "vs", set: [{ server: "a", role: "real", weight: 3 }], removed: ["b"] },
    },
    "serves vs by a (weight 3), without b",
  ],
  [
    { type: "drain-started", data: { virtualServer: "vs", server: "a", deadlineMs: 60_000 } },
    "draining a of vs, for 60 s at most",
  ],
  [
    { type: "drain-finished", data: { virtualServer: "vs", server: "a", reason: "deadline" } },
    "a was drained and taken out of vs: its time was over",
  ],
  [{ type: "drain-undone", data: { virtualServer: "vs", server: "a" } }, "a of vs is drained no longer"],
  [
    {
      type: "balancer-programmed",
      data: { engine: "ipvs", changes: ["add a"], total: 1, reason: "start", elapsedMicros: 1500 },
    },
    "programmed ipvs: 1 change (add a) in 1.5 ms",
  ],
  [
    { type: "balancer-repaired", data: { engine: "ipvs", changes: ["add a"], total: 1, elapsedMicros: 1 } },
    "repaired ipvs, which somebody else had changed: 1 change (add a)",
  ],
  [
    { type: "balancer-failed", data: { engine: "nftables", changes: ["add a"], total: 1, error: "no" } },
    "nftables could not be programmed: 1 change (add a): no",
  ],
  [
    { type: "server-idle", data: { engine: "ipvs", virtualServer: "vs", server: "a" } },
    "a of vs has no connections any more",
  ],
  [
    { type: "process-quorum-lost", data: { process: "nginx", running: 0, wanted: "at least 1" } },
    "process nginx is missing: 0 running, wanted at least 1",
  ],
  [
    { type: "process-quorum-gained", data: { process: "nginx", running: 2, wanted: "1 to 3" } },
    "process nginx is there: 2 running, wanted 1 to 3",
  ],
  [
    { type: "vip-added", data: { ...vip, label: "eth0:0", elapsedMicros: 612 } },
    "172.16.100.1/16 is on eth0 of r1, 0.6 ms after the decision",
  ],
  [
    { type: "vip-removed", data: { ...vip, reason: "let-go" } },
    "172.16.100.1/16 on eth0 was removed: the successor has taken over",
  ],
  [{ type: "vip-failed", data: { ...vip, error: "EPERM" } }, "172.16.100.1/16 on eth0 could not be added: EPERM"],
  [
    {
      type: "garp-sent",
      data: { ...vip, addresses: ["172.16.100.1"], count: 5, elapsedMicros: 900, reason: "second-burst" },
    },
    "172.16.100.1 announced on eth0 (5 gratuitous ARP, 0.9 ms after the decision): once more after a while",
  ],
  [
    { type: "drift-repaired", data: { ...vip, kind: "removed" } },
    "172.16.100.1/16 on eth0 is as it should be again: somebody had changed it (removed)",
  ],
  [
    { type: "routes-added", data: { ...routing, elapsedMicros: 900 } },
    "2 routes and 1 rule (default via 10.0.0.1; blackhole 10.9.0.0/16; from all lookup 7 priority 9) are in the kernel of r1, 0.9 ms after the decision",
  ],
  [
    { type: "routes-removed", data: { ...routing, rules: [], routes: ["10.9.0.0/16 dev eth0"], reason: "released" } },
    "route 10.9.0.0/16 dev eth0 was removed: election has released it",
  ],
  [
    { type: "routes-failed", data: { ...routing, routes: [], error: "ENODEV: there is no interface eth9" } },
    "rule from all lookup 7 priority 9 could not be added: ENODEV: there is no interface eth9",
  ],
  [
    { type: "routes-repaired", data: { ...routing, routes: ["a", "b", "c", "d", "e"] } },
    "5 routes and 1 rule (a; b; c; and 3 more) are there again: somebody had removed them, or a link or address had gone",
  ],
  [
    { type: "lease-expired", data: { instance: "VI_1", term: 3, silentMs: 2000 } },
    "the lease of VI_1 expired: election was silent for 2000 ms",
  ],
  [
    { type: "claim-refused", data: { instance: "VI_1", term: 2, reason: "an older term" } },
    "a claim on VI_1 was refused: an older term",
  ],
  [
    { type: "notification-delivered", data: { ...mail, durationMs: 12, replayed: true, detail: "" } },
    "script notify.sh for VI_1 MASTER: done (again, after a restart)",
  ],
  [
    { type: "notification-failed", data: { ...mail, attempts: 2, final: false, error: "refused\nat x" } },
    "script notify.sh for VI_1 MASTER: failed at attempt 2, will be tried again: refused",
  ],
  [
    {
      type: "config-applied",
      data: { generation: 2, hash: "x", file: "k.conf", changes: ["VI_1: address added"], warnings: 1 },
    },
    "configuration 2 from k.conf applied (VI_1: address added, 1 warning)",
  ],
  [
    { type: "config-rejected", data: { file: "k.conf", errors: ["k.conf:1:1: error: x\n  hint: y"] } },
    "configuration k.conf rejected: k.conf:1:1: error: x",
  ],
  [
    { type: "service-started", data: { service: "health", pid: 7, version: "1", restarts: 2 } },
    "health started (pid 7, restart 2)",
  ],
  [{ type: "service-stopped", data: { service: "health", reason: "SIGTERM" } }, "health stopped: SIGTERM"],
  [
    { type: "service-died", data: { service: "health", pid: 7, exit: "SIGKILL", restarts: 1 } },
    "health (pid 7) died: SIGKILL",
  ],
  [
    { type: "events-lost", data: { service: "health", count: 3, reason: "disk-full" } },
    "3 events of health were lost: disk full",
  ],
];

test.each(rows)("%o", (event, sentence) => {
  expect(eventSentence("r1", event)).toBe(sentence);
});

test("every event of the catalogue has its sentence", () => {
  expect(new Set(rows.map(([{ type }]) => type))).toEqual(new Set(eventTypes));
});

test("a line is one line, with the node's time in milliseconds", () => {
  const [event] = rows[0] ?? [];
  if (event === undefined) throw new Error("no event");
  const envelope = { time: "2026-03-01T12:00:00.123456Z", node: "r1", event } as EventEnvelope;
  expect(eventLine(envelope)).toMatch(/^2026-03-01 12:00:00\.123Z {2}r1 became master/);
});
