import { NodeStatus, type VirtualServerState } from "@baton/contracts";
import { expect, test } from "vitest";
import { balancingLines } from "./balancing-text.ts";

const second = 1_000_000;
const now = 1_000 * second;

type Server = Partial<VirtualServerState["servers"][number]>;

const server = (name: string, more: Server = {}): Server => ({
  server: name,
  alive: true,
  drain: "none",
  configuredWeight: 3,
  ...more,
});
const real = (name: string, weight = 3) => ({ server: name, role: "real", weight });

const few = NodeStatus.fromPartial({
  virtualServers: [
    {
      name: "[192.0.2.1]:tcp:80",
      quorum: 2,
      hysteresis: 1,
      quorumUp: true,
      since: now - 65 * second,
      servers: [
        server("10.0.0.1:80"),
        server("10.0.0.2:80", { alive: false, failing: ["TCP_CHECK 10.0.0.2:80", "MISC_CHECK x"] }),
        server("10.0.0.3:80", { drain: "draining", drainUntil: now + 90 * second }),
        server("10.0.0.4:80", { drain: "removed", alive: false }),
      ],
      liveWeight: 3,
      destinations: [real("10.0.0.1:80"), real("10.0.0.3:80", 0)],
    },
    {
      name: "FWM 5",
      quorum: 1,
      sorry: true,
      held: "10.0.0.9:80",
      servers: [server("10.0.0.9:80", { alive: false })],
      destinations: [{ server: "10.0.0.8:80", role: "sorry", weight: 1 }],
    },
  ],
  checkers: [
    {
      name: "TCP_CHECK 10.0.0.2:80",
      status: "down",
      lastFailure: "refused",
      checkedAt: now - 7 * second,
      latenessMicros: 2 * second,
    },
    { name: "MISC_CHECK x", status: "up", checkedAt: now - second },
    { name: "TCP_CHECK 10.0.0.3:80", status: "unknown" },
    { name: "TCP_CHECK 10.0.0.4:80", status: "up", checkedAt: 1, suspended: true, latenessMicros: 9 * second },
  ],
  balancers: [
    {
      engine: "ipvs",
      services: 2,
      destinations: 3,
      repairs: 2,
      programmedAt: now - 4 * second,
      errors: ["add -f 6: Operation not permitted"],
    },
  ],
});

test("who is down and why, who is drained, who stands in", () => {
  expect(balancingLines(few, now, false)).toEqual([
    "",
    "VIRTUAL SERVER      QUORUM  FOR        LIVE    WEIGHT  NEEDED",
    "[192.0.2.1]:tcp:80  yes     1 min 5 s  2 of 4  3       2 ± 1",
    "  10.0.0.2:80 is down (TCP_CHECK 10.0.0.2:80: refused; MISC_CHECK x)",
    "  10.0.0.3:80 is being drained, for 1 min 30 s at most",
    "  10.0.0.4:80 is down, and drained and taken out",
    "FWM 5               NO                 0 of 1  0       1",
    "  10.0.0.9:80 is down",
    "  10.0.0.9:80 stays in the service though it has failed, as nobody else is left",
    "  the sorry server serves: 10.0.0.8:80",
    "",
    "4 checks: 2 up, 1 down, 1 not known yet, 1 suspended; the oldest result is from 7 s ago",
    "  TCP_CHECK 10.0.0.2:80 began 2 s late",
    "",
    "balancer ipvs: 2 services, 3 destinations, programmed 4 s ago, repaired 2 times what somebody else had changed",
    "  add -f 6: Operation not permitted",
  ]);
});

test("with every server", () => {
  expect(balancingLines(few, now, true).slice(2, 7)).toEqual([
    "[192.0.2.1]:tcp:80  yes     1 min 5 s  2 of 4  3       2 ± 1",
    "  10.0.0.1:80  up    weight 3",
    "  10.0.0.2:80  down  not in the service       TCP_CHECK 10.0.0.2:80: refused; MISC_CHECK x",
    "  10.0.0.3:80  up    weight 0 (configured 3)  being drained, for 1 min 30 s at most",
    "  10.0.0.4:80  down  not in the service       drained and taken out",
  ]);
});

test("WEIGHT is what NEEDED is compared with, and not what everybody has now", () => {
  const status = NodeStatus.fromPartial({
    virtualServers: [
      // Slow start; a sorry server beside one that lives; one that is held.
      { name: "1", quorum: 5, quorumUp: true, liveWeight: 6, servers: [], destinations: [real("a", 3), real("b", 1)] },
      { name: "2", quorum: 5, sorry: true, liveWeight: 3, servers: [server("a")], destinations: [] },
      { name: "3", quorum: 1, liveWeight: 0, held: "a", servers: [], destinations: [real("a", 3)] },
    ],
  });
  const rows = balancingLines(status, now, true).filter((line) => /^\d/.test(line));
  expect(rows.map((row) => row.trim().split(/ +/).slice(-2))).toEqual([
    ["6", "5"],
    ["3", "5"],
    ["0", "1"],
  ]);
});

test("a server that its check gives weight 0 is held, too", () => {
  const held = NodeStatus.fromPartial({
    virtualServers: [{ name: "FWM 5", quorum: 1, held: "10.0.0.9:80", servers: [server("10.0.0.9:80")] }],
  });
  const words = "  10.0.0.9:80 stays in the service though its check wants weight 0, as nobody else is left";
  for (const all of [false, true]) expect(balancingLines(held, now, all)).toContain(words);
});

/** Every `nth` has a server that is down. */
const many = (count: number, nth: number): NodeStatus =>
  NodeStatus.fromPartial({
    virtualServers: Array.from({ length: count }, (_, index) => ({
      name: `[10.1.${index >> 8}.${index & 255}]:tcp:80`,
      quorum: 1,
      quorumUp: index % nth !== 0,
      servers: [
        server("10.0.0.1:80", { alive: index % nth !== 0 }),
        server("10.0.0.2:80", { alive: index % nth !== 0 }),
      ],
      destinations: index % nth === 0 ? [] : [real("10.0.0.1:80"), real("10.0.0.2:80")],
    })),
  });

test("of thousands: what is wrong, and that much of it that a screen has room for", () => {
  const lines = balancingLines(many(3_000, 100), now, false);
  expect(lines[1]).toBe("3000 virtual servers: 30 without quorum; 6000 real servers: 5940 live, 60 down, 0 drained");
  expect(lines).toHaveLength(1 + 1 + 1 + 20 * 3 + 1);
  expect(lines.at(-1)).toBe("and 10 more with something to say: baton status --servers has all");
  expect(balancingLines(many(3_000, 100), now, true).length).toBeGreaterThan(9_000);
});

test("of thousands that are well: one line", () => {
  expect(balancingLines(many(30, 31), now, false).slice(0, 2)).toEqual([
    "",
    "30 virtual servers: 1 without quorum; 60 real servers: 58 live, 2 down, 0 drained",
  ]);
  const well = many(30, 31);
  const rest = { ...well, virtualServers: well.virtualServers.slice(1) };
  expect(balancingLines(rest, now, false)).toEqual([
    "",
    "29 virtual servers: all have quorum; 58 real servers: 58 live, 0 down, 0 drained",
  ]);
});

test("a node without virtual servers says nothing of them", () => {
  expect(balancingLines(NodeStatus.fromPartial({}), now, true)).toEqual([]);
});
