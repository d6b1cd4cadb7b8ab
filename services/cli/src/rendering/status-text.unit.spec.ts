import { NodeStatus } from "@baton/contracts";
import { expect, test } from "vitest";
import { statusText } from "./status-text.ts";
import { table } from "./words.ts";

const minute = 60_000_000;

const status = NodeStatus.fromPartial({
  node: "r1",
  version: "0.1.0",
  ready: true,
  uptimeMicros: 75 * minute,
  config: { generation: 3, file: "/etc/keepalived/keepalived.conf" },
  instances: [
    {
      name: "VI_1",
      state: "master",
      vrid: 51,
      interface: "eth0",
      basePriority: 101,
      effectivePriority: 103,
      since: 60 * minute,
      degraded: true,
      preemptHeldUntil: 64 * minute,
      staleTrackers: ["script:chk_haproxy"],
    },
    {
      name: "VI_2",
      state: "fault",
      vrid: 52,
      interface: "eth1",
      basePriority: 100,
      effectivePriority: 100,
      master: "172.16.1.2",
      masterPriority: 101,
      faultCauses: ["interface-down"],
    },
  ],
  trackers: [
    { name: "chk_haproxy", kind: "script", status: "up", lastExit: "code 0" },
    { name: "chk_down", kind: "script", status: "down", lastExit: "code 1" },
  ],
  addresses: [
    {
      instance: "VI_1",
      addresses: [
        { address: "172.16.100.1/16", interface: "eth0", present: true },
        { address: "172.16.100.2/16", interface: "eth0", present: false, error: "EPERM" },
      ],
      routing: [
        { kind: "route", text: "default via 172.16.0.254 table 10", present: true },
        { kind: "rule", text: "from 172.16.100.1 table 10", present: false, error: "EEXIST" },
      ],
    },
  ],
  services: [
    { name: "election", status: "running", pid: 12, restarts: 0 },
    { name: "health", status: "running", pid: 1234, restarts: 2 },
  ],
  bus: { connected: true, backlog: 4 },
});

test("what a person wants to know", () => {
  expect(statusText(status, 62 * minute + 5_000_000)).toBe(
    [
      "r1: ready, up 1 h 15 min, baton 0.1.0",
      "configuration 3 from /etc/keepalived/keepalived.conf",
      "bus connected, 4 events wait",
      "",
      "INSTANCE  STATE   FOR        PRIORITY        VRID  INTERFACE  MASTER",
      "VI_1      master  2 min 5 s  103 (base 101)  51    eth0       itself",
      "VI_2      fault              100             52    eth1       172.16.1.2, priority 101",
      "  VI_1 is degraded: it serves what it can, because nobody else serves anything",
      "  VI_1 has moved too often: no pre-emption for 1 min 55 s",
      "  VI_1 has stale trackers: script:chk_haproxy",
      "  VI_2 is in fault: interface-down",
      "",
      "addresses",
      "  172.16.100.1/16 on eth0 (VI_1): here",
      "  172.16.100.2/16 on eth0 (VI_1): not here: EPERM",
      "",
      "routes and rules",
      "  route default via 172.16.0.254 table 10 (VI_1): here",
      "  rule from 172.16.100.1 table 10 (VI_1): not here: EEXIST",
      "",
      "trackers",
      "  script chk_haproxy: up",
      "  script chk_down: down (code 1)",
      "",
      "services",
      "  election  running  pid 12",
      "  health    running  pid 1234  restarts 2",
      "",
    ].join("\n"),
  );
});

test("a node that has only just started", () => {
  const text = statusText(NodeStatus.fromPartial({ node: "r1", version: "0.1.0" }), 0);
  expect(text).toBe("r1: not ready yet, up 0 s, baton 0.1.0\nbus away\n\nno instances\n");
});

test("a table has columns as wide as they must be", () => {
  expect(
    table([
      ["a", "b"],
      ["long", "c"],
    ]),
  ).toEqual(["a     b", "long  c"]);
});
