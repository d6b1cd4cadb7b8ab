import { type Instant, instant, micros } from "@baton/domain";
import { describe, expect, test } from "vitest";
import {
  matchesProcess,
  type ProcessTracker,
  type ProcessTrackerConfig,
  type ProcessTrackerInput,
  startProcessTracker,
  stepProcess,
} from "./process-tracker.ts";

const config = (over: Partial<ProcessTrackerConfig> = {}): ProcessTrackerConfig => ({
  name: "web",
  path: "nginx",
  parameters: [],
  match: "none",
  fullCommand: false,
  quorum: 1,
  quorumMax: undefined,
  terminateDelay: micros(0),
  forkDelay: micros(0),
  ...over,
});

type Timed = readonly [at: number, input: ProcessTrackerInput];
const counted = (running: number, delayed = true): ProcessTrackerInput => ({ type: "counted", running, delayed });

/** What is said, with the time. */
function tell(of: ProcessTrackerConfig, inputs: readonly Timed[]): { told: string[]; state: ProcessTracker } {
  const told: string[] = [];
  const state = inputs.reduce((before, [at, input]) => {
    const { state, event } = stepProcess(before, input, instant(at));
    if (event !== undefined) told.push(`${at} ${event.type} ${event.data.running} of ${event.data.wanted}`);
    return state;
  }, startProcessTracker(of));
  return { told, state };
}

describe("the quorum", () => {
  test("the first count decides at once, whatever the delays", () => {
    const slow = config({ terminateDelay: micros(500), forkDelay: micros(500) });
    expect(tell(slow, [[0, counted(0)]]).told).toEqual(["0 process-quorum-lost 0 of at least 1"]);
    expect(tell(slow, [[0, counted(2)]]).told).toEqual(["0 process-quorum-gained 2 of at least 1"]);
  });

  test("only a change of status is told", () => {
    const inputs: Timed[] = [
      [0, counted(1)],
      [1, counted(3)],
      [2, counted(0)],
      [3, counted(0)],
      [4, counted(1)],
    ];
    expect(tell(config(), inputs).told.map((each) => each.slice(0, 24))).toEqual([
      "0 process-quorum-gained ",
      "2 process-quorum-lost 0 ",
      "4 process-quorum-gained ",
    ]);
  });

  test.each([
    [config({ quorum: 2, quorumMax: 3 }), [1, 2, 3, 4], ["down", "up", "up", "down"], "2 to 3"],
    [config({ quorum: 0, quorumMax: 0 }), [0, 1], ["up", "down"], "none"],
    [config({ quorum: 2, quorumMax: 2 }), [1, 2, 3], ["down", "up", "down"], "2"],
  ])("from quorum to quorum_max: %#", (of, counts, statuses, wanted) => {
    expect(counts.map((count) => tell(of, [[0, counted(count)]]).state.status)).toEqual(statuses);
    expect(tell(of, [[0, counted(0)]]).told[0]).toContain(`of ${wanted}`);
  });

  test("a loss counts after terminate_delay, unless it ends before", () => {
    const slow = config({ terminateDelay: micros(100) });
    const deadline = { type: "deadline-reached" } as const;
    const lost = tell(slow, [
      [0, counted(1)],
      [10, counted(0)],
      [50, counted(0)],
      [109, deadline],
      [110, deadline],
    ]);
    expect(lost.told.at(-1)).toBe("110 process-quorum-lost 0 of at least 1");
    const saved = tell(slow, [
      [0, counted(1)],
      [10, counted(0)],
      [60, counted(1)],
      [110, deadline],
    ]);
    expect(saved.told).toHaveLength(1);
    expect(saved.state).toMatchObject({ status: "up", changesAt: undefined });
  });

  test("fork_delay is for forks: a program that was started counts at once", () => {
    const slow = config({ forkDelay: micros(100) });
    const before: Timed = [0, counted(0)];
    expect(tell(slow, [before, [10, counted(1)]]).state).toMatchObject({ status: "down", changesAt: 110 as Instant });
    expect(tell(slow, [before, [10, counted(1, false)]]).state.status).toBe("up");
  });

  test("a reload weighs the same count by the new numbers", () => {
    const wider: ProcessTrackerInput = { type: "configure", config: config({ quorum: 3 }) };
    expect(
      tell(config(), [
        [0, counted(2)],
        [5, wider],
      ]).told.at(-1),
    ).toBe("5 process-quorum-lost 2 of at least 3");
    expect(tell(config(), [[5, wider]]).told).toEqual([]);
  });
});

describe("whether a process is one of them", () => {
  const nginx = { name: "nginx", commandLine: ["/usr/sbin/nginx", "-g", "daemon off;"] };
  test.each<[Partial<ProcessTrackerConfig>, boolean]>([
    [{ path: "nginx" }, true],
    [{ path: "/usr/sbin/nginx" }, false],
    [{ path: "/usr/sbin/nginx", fullCommand: true }, true],
    [{ path: "nginx", fullCommand: true }, false],
    [{ path: "/usr/sbin/nginx", fullCommand: true, match: "exact", parameters: ["-g", "daemon off;"] }, true],
    [{ path: "/usr/sbin/nginx", fullCommand: true, match: "exact", parameters: ["-g"] }, false],
    [{ path: "/usr/sbin/nginx", fullCommand: true, match: "exact", parameters: [] }, false],
    [{ path: "/usr/sbin/nginx", fullCommand: true, match: "partial", parameters: ["-g"] }, true],
    [{ path: "/usr/sbin/nginx", fullCommand: true, match: "partial", parameters: ["-g", "daemon"] }, false],
    [{ path: "/usr/sbin/nginx", fullCommand: true, match: "initial", parameters: ["-g", "daemon"] }, true],
    [{ path: "/usr/sbin/nginx", fullCommand: true, match: "initial", parameters: ["-g", "x"] }, false],
    [{ path: "/usr/sbin/nginx", fullCommand: true, match: "initial", parameters: ["-g", "daemon off;", ""] }, false],
  ])("%j: %j", (over, expected) => {
    expect(matchesProcess(config(over), nginx)).toBe(expected);
  });

  test("the kernel's own threads have no command line", () => {
    const thread = { name: "kthreadd", commandLine: [] };
    expect(matchesProcess(config({ path: "kthreadd" }), thread)).toBe(true);
    expect(matchesProcess(config({ path: "", fullCommand: true }), thread)).toBe(false);
  });
});
