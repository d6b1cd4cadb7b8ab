import { expect, test } from "vitest";
import type { AggregateKind, BatonEvent, EventEnvelope } from "./events.ts";
import { explain } from "./explain.ts";
import { refusedCheck } from "./testing/mod.ts";

const about = (kind: AggregateKind, event: BatonEvent): EventEnvelope => ({
  id: "1",
  time: "2026-01-01T00:00:00Z",
  at: 1,
  node: "r2",
  service: "election",
  aggregate: { kind, id: "VI_1" },
  epoch: 1,
  version: 1,
  correlationId: "1",
  causationId: "1",
  event,
});
const place = { instance: "VI_1", vrid: 51, interface: "eth0", term: 3 };

const failure = refusedCheck("TCP_CHECK 10.0.0.1:80");
const realServer = { virtualServer: "vs", server: "a", reason: "check", check: "chk", changed: true, told: "everyone" };
const quorum = {
  virtualServer: "vs",
  quorum: 2,
  hysteresis: 1,
  threshold: 3,
  weight: 4,
  reason: "servers",
  told: "everyone",
};

const rows: readonly [AggregateKind, BatonEvent, string][] = [
  [
    "vrrp",
    { type: "became-master", data: { ...place, priority: 100, reason: "master-down-expired", addresses: [] } },
    "r2 became master of VI_1 (term 3) because no advertisement came",
  ],
  [
    "vrrp",
    { type: "became-master", data: { ...place, priority: 100, reason: "some-new-token", addresses: [] } },
    "r2 became master of VI_1 (term 3) (some new token)",
  ],
  [
    "vrrp",
    { type: "became-backup", data: { ...place, priority: 99, reason: "", master: "10.0.0.1", masterPriority: 101 } },
    "r2 became backup of VI_1, following r1 at priority 101",
  ],
  [
    "vrrp",
    { type: "became-backup", data: { ...place, priority: 99, reason: "", master: "10.0.0.9", masterPriority: 7 } },
    "r2 became backup of VI_1, following 10.0.0.9 at priority 7",
  ],
  [
    "vrrp",
    { type: "entered-fault", data: { ...place, priority: 1, causes: ["eth0 down", "chk"] } },
    "r2 went to fault on VI_1 (eth0 down, chk)",
  ],
  [
    "vrrp",
    { type: "mastership-degraded", data: { ...place, priority: 1, detail: "10.0.0.100: EPERM" } },
    "r2 serves what it can of VI_1, because nobody else does: 10.0.0.100: EPERM",
  ],
  ["vrrp", { type: "mastership-restored", data: { ...place, priority: 100 } }, "r2 serves all of VI_1 again"],
  [
    "vrrp",
    { type: "rival-heard", data: { ...place, priority: 100, rival: "10.0.0.2", rivalPriority: 90 } },
    "r2, master of VI_1, heard 10.0.0.2 speak for it at priority 90",
  ],
  [
    "vrrp",
    { type: "preemption-held", data: { ...place, moves: 5, holdMs: 180_000 } },
    "r2 takes VI_1 from no lower master for 180 s, because it has moved 5 times in a short while",
  ],
  [
    "vrrp",
    { type: "tracker-stale", data: { instance: "VI_1", vrid: 51, kind: "script", tracker: "chk" } },
    "r2 has heard nothing of script chk for too long: its last value stands for VI_1, which pre-empts nobody meanwhile",
  ],
  [
    "vrrp",
    { type: "tracker-fresh", data: { instance: "VI_1", vrid: 51, kind: "script", tracker: "chk" } },
    "r2 hears of script chk again",
  ],
  [
    "service",
    {
      type: "foreign-vrid-seen",
      data: {
        interface: "eth0",
        vrid: 77,
        family: 4,
        source: "10.0.0.9",
        version: 2,
        priority: 9,
        reason: "unknown-vrid",
      },
    },
    "r2 heard 10.0.0.9 speak for VRID 77 on eth0 at priority 9 because no instance here has that VRID",
  ],
  [
    "address",
    { type: "drift-war", data: { instance: "VI_1", address: "10.0.0.100", interface: "eth0", term: 3, repairs: 5 } },
    "r2 repaired 10.0.0.100 on eth0 5 times, and somebody takes it away again and again",
  ],
  [
    "group",
    {
      type: "sync-group-changed",
      data: { group: "G", state: "backup", term: 2, members: ["A", "B"], member: "A", reason: "startup" },
    },
    "r2 moved the group G to backup, as A did because it has just started",
  ],
  [
    "vrrp",
    { type: "instance-stopped", data: { ...place, wasMaster: true, reason: "shutdown" } },
    "r2 stopped VI_1, of which it was master (shutdown)",
  ],
  [
    "vrrp",
    {
      type: "priority-changed",
      data: { instance: "VI_1", vrid: 51, from: 101, to: 99, base: 101, tracker: "chk", reason: "" },
    },
    "r2 lowered its priority on VI_1 from 101 to 99 because of chk",
  ],
  [
    "tracker",
    {
      type: "script-failed",
      data: { script: "chk", exit: "exit 1", durationMs: 1, output: "no haproxy\nbye", failures: 1 },
    },
    "script chk failed on r2 (exit 1): no haproxy",
  ],
  [
    "address",
    {
      type: "vip-added",
      data: { instance: "VI_1", address: "10.0.0.10/24", interface: "eth0", label: "", term: 3, elapsedMicros: 640 },
    },
    "r2 added 10.0.0.10/24 to eth0 in 0.6 ms",
  ],
  [
    "address",
    {
      type: "routes-added",
      data: { instance: "VI_1", routes: ["default via 10.0.0.1"], rules: [], term: 3, elapsedMicros: 900 },
    },
    "r2 added route default via 10.0.0.1 in 0.9 ms",
  ],
  [
    "address",
    {
      type: "routes-repaired",
      data: { instance: "VI_1", routes: ["a", "b"], rules: ["c", "d"], term: 3 },
    },
    "r2 put 2 routes and 2 rules (a; b; c; and 1 more) back, which had gone",
  ],
  [
    "address",
    {
      type: "routes-failed",
      data: { instance: "VI_1", routes: [], rules: ["from all lookup 7"], term: 3, error: "EPERM: no\nmore" },
    },
    "r2 could not add rule from all lookup 7: EPERM: no",
  ],
  [
    "address",
    {
      type: "routes-removed",
      data: { instance: "VI_1", routes: ["a"], rules: [], term: 3, reason: "" },
    },
    "r2 removed route a",
  ],
  [
    "address",
    {
      type: "garp-sent",
      data: {
        instance: "VI_1",
        interface: "eth0",
        term: 3,
        addresses: ["10.0.0.10"],
        count: 1,
        elapsedMicros: 9,
        reason: "",
      },
    },
    "r2 announced 10.0.0.10 on eth0 (1 gratuitous ARP)",
  ],
  ["checker", { type: "check-failed", data: failure }, "check TCP_CHECK 10.0.0.1:80 failed on r2 (refused)"],
  [
    "checker",
    { type: "check-attempt-failed", data: { ...failure, reason: "error", errno: "EPIPE", attempt: 2 } },
    "attempt 2 of check TCP_CHECK 10.0.0.1:80 failed on r2 (error EPIPE)",
  ],
  [
    "checker",
    { type: "check-failed", data: { ...failure, reason: "exit-status", status: 3, detail: "check.sh", excerpt: "no" } },
    "check TCP_CHECK 10.0.0.1:80 failed on r2 (exit status 3 (check.sh): no)",
  ],
  [
    "checker",
    { type: "check-succeeded", data: { check: failure.check, durationMs: 1 } },
    "check TCP_CHECK 10.0.0.1:80 succeeds on r2",
  ],
  ["virtual-server", { type: "realserver-up", data: realServer }, "r2 has a of vs up because chk succeeded"],
  [
    "virtual-server",
    { type: "realserver-up", data: { ...realServer, reason: "start", check: "" } },
    "r2 has a of vs up, as nothing speaks against it",
  ],
  [
    "virtual-server",
    { type: "realserver-down", data: { ...realServer, changed: false, held: false } },
    "r2 still has a of vs down because chk failed",
  ],
  [
    "virtual-server",
    { type: "realserver-down", data: { ...realServer, held: true } },
    "r2 has a of vs down because chk failed, and keeps it, as nobody else is left",
  ],
  [
    "virtual-server",
    { type: "realserver-down", data: { ...realServer, reason: "removed", check: "", held: false } },
    "r2 has a of vs down because it was removed from the configuration",
  ],
  [
    "virtual-server",
    { type: "realserver-down", data: { ...realServer, reason: "stop", check: "", held: false } },
    "r2 has a of vs down because the node is being stopped",
  ],
  [
    "virtual-server",
    { type: "realserver-up", data: { ...realServer, reason: "reload", check: "" } },
    "r2 has a of vs up (reload)",
  ],
  [
    "virtual-server",
    { type: "quorum-gained", data: quorum },
    "r2 has quorum for vs: its live servers weigh 4, needed is 3",
  ],
  [
    "virtual-server",
    { type: "quorum-lost", data: { ...quorum, weight: 0, threshold: 0 } },
    "r2 has no quorum for vs: its live servers weigh 0, needed is 1",
  ],
  [
    "virtual-server",
    { type: "quorum-lost", data: { ...quorum, reason: "stop" } },
    "r2 ended vs because the node is being stopped",
  ],
  [
    "virtual-server",
    { type: "quorum-lost", data: { ...quorum, reason: "removed" } },
    "r2 ended vs because it was removed from the configuration",
  ],
  [
    "virtual-server",
    { type: "sorry-server-added", data: { virtualServer: "vs", server: "s" } },
    "r2 serves vs by its sorry server s",
  ],
  [
    "virtual-server",
    { type: "sorry-server-removed", data: { virtualServer: "vs", server: "s" } },
    "r2 no longer serves vs by its sorry server s",
  ],
  [
    "virtual-server",
    {
      type: "destinations-changed",
      data: { virtualServer: "vs", set: [{ server: "a", role: "real", weight: 3 }], removed: ["b", "c", "d", "e"] },
    },
    "r2 serves vs by a (weight 3), without b, c, d, and 1 more",
  ],
  [
    "virtual-server",
    { type: "drain-started", data: { virtualServer: "vs", server: "a", deadlineMs: 60_000 } },
    "r2 drains a of vs, for 60 s at most",
  ],
  [
    "virtual-server",
    { type: "drain-started", data: { virtualServer: "vs", server: "a", deadlineMs: 0 } },
    "r2 drains a of vs",
  ],
  [
    "virtual-server",
    { type: "drain-finished", data: { virtualServer: "vs", server: "a", reason: "idle" } },
    "r2 took a out of vs because its connections have ended",
  ],
  [
    "virtual-server",
    { type: "drain-finished", data: { virtualServer: "vs", server: "a", reason: "deadline" } },
    "r2 took a out of vs because its time was over",
  ],
  [
    "virtual-server",
    { type: "drain-undone", data: { virtualServer: "vs", server: "a" } },
    "r2 drains a of vs no longer",
  ],
  [
    "balancer",
    {
      type: "balancer-programmed",
      data: { engine: "ipvs", changes: ["add a", "add b", "add c", "add d"], total: 9, reason: "", elapsedMicros: 1 },
    },
    "r2 programmed 9 changes (add a, add b, add c, …) into ipvs",
  ],
  [
    "balancer",
    { type: "balancer-repaired", data: { engine: "ipvs", changes: ["add a"], total: 1, elapsedMicros: 1 } },
    "r2 repaired 1 change (add a) in ipvs, which somebody else had changed",
  ],
  [
    "balancer",
    { type: "balancer-failed", data: { engine: "ipvs", changes: ["add a"], total: 1, error: "EINVAL" } },
    "r2 could not program 1 change (add a) into ipvs: EINVAL",
  ],
  [
    "balancer",
    { type: "server-idle", data: { engine: "ipvs", virtualServer: "vs", server: "a" } },
    "r2 has no connections to a of vs any more",
  ],
  [
    "notification",
    {
      type: "notification-delivered",
      data: {
        instance: "VI_1",
        state: "master",
        channel: "script",
        target: "/n.sh",
        attempts: 1,
        durationMs: 1,
        replayed: true,
        detail: "",
      },
    },
    'r2 delivered "VI_1 is master" by script to /n.sh (replayed)',
  ],
  [
    "config",
    {
      type: "config-applied",
      data: { generation: 2, hash: "h", file: "f", changes: ["1", "2", "3", "4", "5", "6"], warnings: 1 },
    },
    "r2 applied configuration 2: 1, 2, 3, 4, 5 and 1 more (1 warning)",
  ],
  [
    "config",
    { type: "config-applied", data: { generation: 2, hash: "h", file: "f", changes: [], warnings: 0 } },
    "r2 applied configuration 2: nothing changed",
  ],
  ["config", { type: "config-rejected", data: { file: "f", errors: ["a", "b"] } }, "r2 rejected f: a (and 1 more)"],
  [
    "service",
    { type: "service-died", data: { service: "health", pid: 1, exit: "SIGKILL", restarts: 1 } },
    "health died on r2 (SIGKILL)",
  ],
  // An event under the wrong aggregate is still an event.
  ["vrrp", { type: "lease-expired", data: { instance: "VI_1", term: 1, silentMs: 9 } }, "lease expired on r2"],
];

test.each(rows)("%s: %o", (kind, event, sentence) => {
  expect(explain(about(kind, event), { nameOf: (address) => (address === "10.0.0.1" ? "r1" : undefined) })).toBe(
    sentence,
  );
});

test("a reason that is the name of an object's own method is no phrase", () => {
  const event: BatonEvent = {
    type: "became-master",
    data: { ...place, priority: 1, reason: "constructor", addresses: [] },
  };
  expect(explain(about("vrrp", event))).toBe("r2 became master of VI_1 (term 3) (constructor)");
});

test("a new master that outranks the old one says so", () => {
  const event: BatonEvent = {
    type: "became-master",
    data: { ...place, priority: 101, reason: "preempt", addresses: [] },
  };
  expect(explain(about("vrrp", event))).toContain("because its priority is higher than that of the master");
  expect(explain(about("vrrp", event), { previousMaster: "r1" })).toContain("higher than that of r1");
});

test("a reader who knows the previous master gets its name", () => {
  const event: BatonEvent = {
    type: "became-master",
    data: { ...place, priority: 1, reason: "master-down-expired", addresses: [] },
  };
  expect(explain(about("vrrp", event), { previousMaster: "r1" })).toBe(
    "r2 became master of VI_1 (term 3) because r1's advertisements stopped",
  );
});
