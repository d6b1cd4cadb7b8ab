// Stories of one virtual server each: what is told, and what the table is to hold after it. keepalived's behaviour, and
// what goes beyond it.
import { instant, micros } from "@baton/domain";
import { describe, expect, test } from "vitest";
import type { CheckNews, WeightPart } from "../check/types.ts";
import { nextPoolDeadline, startPool, stepPool } from "./pool.ts";
import type { Drain, Pool, PoolCheck, PoolConfig, PoolEffect, PoolStep } from "./types.ts";
import { wantedDestinations } from "./wanted.ts";

const second = 1_000_000;
const at = (seconds: number) => instant(Math.round((100 + seconds) * second));
const server = (name: string, weight = 1, inhibitOnFailure = false) => ({ server: name, weight, inhibitOnFailure });
const config: PoolConfig = {
  name: "[10.0.0.9]:tcp:80",
  quorum: 1,
  hysteresis: 0,
  omega: false,
  servers: [server("a"), server("b")],
  sorryServer: undefined,
  startNotices: false,
  panicGuard: false,
  slowStart: micros(0),
};
const sorryServer = { server: "s", inhibit: false };
const check = (name: string, up = true, weight?: WeightPart): PoolCheck => ({ check: name, up, weight });
/** One check each, called as the server is, up unless it is in `down`. */
const checksOf = (made: PoolConfig, down: readonly string[] = []) =>
  new Map(made.servers.map(({ server: name }) => [name, [check(name, !down.includes(name))]]));

const words = ({ event }: PoolEffect): string => {
  const { type, data } = event;
  switch (type) {
    case "realserver-up":
    case "realserver-down": {
      const held = type === "realserver-down" && data.held ? " held" : "";
      return `${data.server} ${type.slice(11)} (${data.reason}, ${data.told})${data.changed ? "" : " again"}${held}`;
    }
    case "quorum-gained":
    case "quorum-lost":
      return `${type} ${data.weight} of ${data.threshold} (${data.reason}, ${data.told})`;
    case "sorry-server-added":
    case "sorry-server-removed":
      return `${type} ${data.server}`;
  }
};
const told = (step: PoolStep): string => step.effects.map(words).join(", ");
const table = (pool: Pool): string =>
  wantedDestinations(pool)
    .map(({ server: name, weight, role }) => `${name}${role === "sorry" ? "!" : ""}=${weight}`)
    .join(" ");
const shown = (step: PoolStep): string => `${told(step)} | ${table(step.state)}`;

const report = (pool: Pool, name: string, up: boolean, news: CheckNews = "changed", weight?: WeightPart, now = 0) =>
  stepPool(pool, { type: "check-reported", server: name, report: { check: name, up, weight }, news }, at(now));
/** `a down`, `b up`: one check after another. */
function story(made: PoolConfig, down: readonly string[], changes: readonly string[]): string[] {
  let step = startPool(made, checksOf(made, down));
  return [
    shown(step),
    ...changes.map((change) => {
      const [name = "", verdict] = change.split(" ");
      step = report(step.state, name, verdict === "up");
      return shown(step);
    }),
  ];
}
const started = (over: Partial<PoolConfig> = {}, down: readonly string[] = []): Pool => {
  const made = { ...config, ...over };
  return startPool(made, checksOf(made, down)).state;
};
const drain = (pool: Pool, name: string, how: Drain) =>
  stepPool(pool, { type: "drain", server: name, drain: how }, at(0));

describe("start", () => {
  test("servers are up without a word, and the quorum is gained with one", () => {
    expect(story(config, [], [])).toEqual([
      "a up (start, nobody), b up (start, nobody), quorum-gained 2 of 1 (start, everyone) | a=1 b=1",
    ]);
  });

  test("rs_init_notifies: everyone is told of servers too", () => {
    expect(story({ ...config, startNotices: true }, ["b"], [])).toEqual([
      "a up (start, everyone), quorum-gained 1 of 1 (start, everyone) | a=1",
    ]);
  });

  test("alpha: nothing is said until the quorum is gained", () => {
    expect(story(config, ["a", "b"], ["b up"])).toEqual([
      " | ",
      "b up (check, everyone), quorum-gained 1 of 1 (servers, everyone) | b=1",
    ]);
  });

  test("alpha with a sorry server: the loss is told, and it stands in", () => {
    expect(story({ ...config, sorryServer }, ["a", "b"], ["b up"])).toEqual([
      "quorum-lost 0 of 1 (start, everyone), sorry-server-added s | s!=1",
      "b up (check, everyone), quorum-gained 1 of 1 (servers, everyone), sorry-server-removed s | b=1",
    ]);
  });

  test("a server without checks is alive", () => {
    expect(told(startPool(config, new Map()))).toBe(
      "a up (start, nobody), b up (start, nobody), quorum-gained 2 of 1 (start, everyone)",
    );
  });
});

describe("quorum", () => {
  test("without hysteresis and sorry server: lost with the last server, who leaves the table all the same", () => {
    expect(story(config, [], ["a down", "b down", "a up"]).slice(1)).toEqual([
      "a down (check, everyone) | b=1",
      "b down (check, everyone), quorum-lost 0 of 1 (servers, everyone) | ",
      "a up (check, everyone), quorum-gained 1 of 1 (servers, everyone) | a=1",
    ]);
  });

  test("gained at quorum + hysteresis, lost below quorum - hysteresis; live servers stay without a sorry server", () => {
    const made = { ...config, quorum: 3, hysteresis: 1, servers: ["a", "b", "c", "d"].map((name) => server(name)) };
    expect(story(made, ["d"], ["d up", "d down", "c down", "b down", "b up", "c up", "d up"])).toEqual([
      "a up (start, nobody), b up (start, nobody), c up (start, nobody) | a=1 b=1 c=1",
      "d up (check, everyone), quorum-gained 4 of 4 (servers, everyone) | a=1 b=1 c=1 d=1",
      "d down (check, everyone) | a=1 b=1 c=1",
      "c down (check, everyone) | a=1 b=1",
      "b down (check, everyone), quorum-lost 1 of 2 (servers, everyone) | a=1",
      "b up (check, everyone) | a=1 b=1",
      "c up (check, everyone) | a=1 b=1 c=1",
      "d up (check, everyone), quorum-gained 4 of 4 (servers, everyone) | a=1 b=1 c=1 d=1",
    ]);
  });

  test("hysteresis as large as the quorum: lost when nothing is left", () => {
    const made = { ...config, quorum: 1, hysteresis: 1 };
    expect(story(made, [], ["a down", "b down"]).slice(1)).toEqual([
      "a down (check, everyone) | b=1",
      "b down (check, everyone), quorum-lost 0 of 0 (servers, everyone) | ",
    ]);
  });

  test("the sorry server takes the place of the live ones, who come back together", () => {
    const made = { ...config, quorum: 2, sorryServer };
    expect(story(made, [], ["a down", "b down", "b up", "a up"]).slice(1)).toEqual([
      "a down (check, everyone), quorum-lost 1 of 2 (servers, everyone), sorry-server-added s | s!=1",
      "b down (check, everyone) | s!=1",
      "b up (check, everyone) | s!=1",
      "a up (check, everyone), quorum-gained 2 of 2 (servers, everyone), sorry-server-removed s | a=1 b=1",
    ]);
  });
});

describe("inhibit", () => {
  const inhibited = { ...config, servers: [server("a", 5, true), server("b", 6, true)] };

  test("a failed server stays with weight 0, from the start on", () => {
    expect(story(inhibited, ["a", "b"], ["a up", "a down"]).map((line) => line.split(" | ")[1])).toEqual([
      "a=0 b=0",
      "a=5 b=0",
      "a=0 b=0",
    ]);
  });

  test("live servers have weight 0 while the sorry server serves, and it has while they do", () => {
    const made = { ...inhibited, sorryServer: { server: "s", inhibit: true }, quorum: 7 };
    expect(story(made, [], ["a down", "a up"]).map((line) => line.split(" | ")[1])).toEqual([
      "a=5 b=6 s!=0",
      "a=0 b=0 s!=1",
      "a=5 b=6 s!=0",
    ]);
  });

  test("a real server that is the sorry server too", () => {
    const both = { ...inhibited, sorryServer: { server: "b", inhibit: true }, quorum: 7 };
    expect(story(both, [], ["a down"]).map((line) => line.split(" | ")[1])).toEqual(["a=5 b=6", "a=0 b=1"]);
    const plain = { ...config, sorryServer: { server: "b", inhibit: false }, quorum: 2 };
    expect(story(plain, [], ["a down", "a up"]).map((line) => line.split(" | ")[1])).toEqual([
      "a=1 b=1",
      "b!=1",
      "a=1 b=1",
    ]);
  });
});

describe("checks", () => {
  test("down with the first failed check, back with the last; others say nothing", () => {
    const made = { ...config, servers: [server("a")] };
    const checks = new Map([["a", [check("x"), check("y")]]]);
    let pool = startPool(made, checks).state;
    const say = (name: string, up: boolean) => {
      const input = { type: "check-reported", server: "a", report: check(name, up), news: "changed" } as const;
      const step = stepPool(pool, input, at(0));
      pool = step.state;
      return told(step);
    };
    expect(say("x", false)).toMatch(/^a down/);
    expect(say("y", false)).toBe("");
    expect(say("x", true)).toBe("");
    expect(say("y", true)).toMatch(/^a up/);
  });

  test("a first result that confirms is told again", () => {
    expect(told(report(started({}, ["a"]), "a", false, "confirmed"))).toBe("a down (check, everyone) again");
    expect(told(report(started(), "a", true, "confirmed"))).toBe("a up (check, everyone) again");
  });

  test("a check or a server that is not of this pool is nobody's business", () => {
    const pool = started();
    expect(report(pool, "z", false)).toEqual({ state: pool, effects: [] });
    const input = { type: "check-reported", server: "a", report: check("z", false), news: "changed" } as const;
    expect(stepPool(pool, input, at(0))).toEqual({ state: pool, effects: [] });
  });

  test("weights of checks count at once, for the table and for the quorum", () => {
    const pool = started({ quorum: 10, servers: [server("a", 10), server("b", 1)], sorryServer });
    const less = report(pool, "a", true, "weight", { kind: "instead", weight: 4 });
    expect(shown(less)).toBe("quorum-lost 5 of 10 (servers, everyone), sorry-server-added s | s!=1");
    const more = report(less.state, "b", true, "weight", { kind: "added", weight: 20 });
    expect(shown(more)).toBe("quorum-gained 25 of 10 (servers, everyone), sorry-server-removed s | a=4 b=21");
  });
});

describe("end", () => {
  const stop = (over: Partial<PoolConfig>, down: readonly string[] = [], flush = false) =>
    shown(stepPool(started(over, down), { type: "stop", flush }, at(0)));

  test("without omega SNMP alone is told, with it everyone", () => {
    expect(stop({})).toBe("a down (stop, traps), b down (stop, traps), quorum-lost 0 of 1 (stop, traps) | ");
    expect(stop({ omega: true }, ["a"])).toBe("b down (stop, everyone), quorum-lost 0 of 1 (stop, everyone) | ");
  });

  test("the end of a service is told even if it was down; servers behind a sorry server are not in the table", () => {
    expect(stop({ omega: true }, ["a", "b"])).toBe("quorum-lost 0 of 1 (stop, everyone) | ");
    expect(stop({ omega: true, quorum: 2, sorryServer }, ["a"])).toBe(
      "sorry-server-removed s, quorum-lost 0 of 2 (stop, everyone) | ",
    );
  });

  test("lvs_flush_on_stop: only the service is told of", () => {
    expect(stop({ omega: true }, [], true)).toBe("quorum-lost 2 of 1 (stop, everyone) | ");
  });

  test("removed at a reload: everyone is told whatever omega says, of a loss only if there is one", () => {
    const remove = (down: readonly string[], flush = false) =>
      told(stepPool(started({}, down), { type: "remove", flush }, at(0)));
    expect(remove(["b"])).toBe("a down (removed, everyone), quorum-lost 0 of 1 (removed, everyone)");
    expect(remove(["a", "b"])).toBe("");
    expect(remove([], true)).toBe("");
  });

  test("after it nothing happens any more", () => {
    const ended = stepPool(started(), { type: "stop", flush: false }, at(0)).state;
    expect(report(ended, "a", true)).toEqual({ state: ended, effects: [] });
    expect(nextPoolDeadline(ended)).toBeUndefined();
  });
});

describe("reload", () => {
  const reload = (pool: Pool, over: Partial<PoolConfig>, down: readonly string[] = []) => {
    const made = { ...pool.config, ...over };
    return stepPool(pool, { type: "reload", config: made, checks: checksOf(made, down) }, at(0));
  };

  test("to the same: nothing", () => {
    const pool = started({ sorryServer }, ["a"]);
    expect(reload(pool, {}, ["a"])).toEqual({ state: pool, effects: [] });
  });

  test("who goes is told of, who comes is not, unless rs_init_notifies says so", () => {
    expect(shown(reload(started(), { servers: [server("b"), server("c", 3)] }))).toBe(
      "a down (removed, everyone), c up (reload, nobody) | b=1 c=3",
    );
    const next = { servers: [server("a"), server("b"), server("c")], startNotices: true };
    expect(shown(reload(started(), next, ["c"]))).toBe(" | a=1 b=1");
    expect(shown(reload(started(), next))).toBe("c up (reload, everyone) | a=1 b=1 c=1");
  });

  test("who goes while the sorry server serves goes silently: it was not in the table", () => {
    const serving = started({ quorum: 2, sorryServer }, ["a"]);
    expect(shown(reload(serving, { servers: [server("a")] }, ["a"]))).toBe(" | s!=1");
  });

  test("all servers replaced by others: the service was never down", () => {
    expect(shown(reload(started(), { servers: [server("c")] }))).toBe(
      "a down (removed, everyone), b down (removed, everyone), c up (reload, nobody) | c=1",
    );
  });

  test("a server whose failed check is gone is up, and one whose new check has failed is down", () => {
    expect(shown(reload(started({}, ["a"]), {}, ["b"]))).toBe(
      "a up (reload, everyone), b down (reload, everyone) | a=1",
    );
  });

  test("a changed quorum counts", () => {
    expect(told(reload(started(), { quorum: 5 }))).toBe("quorum-lost 2 of 5 (start, everyone)");
    expect(told(reload(started({ quorum: 5 }), { quorum: 2 }))).toBe("quorum-gained 2 of 2 (start, everyone)");
  });

  test("sorry servers come, go and change; one that is not needed changes silently", () => {
    expect(shown(reload(started({}, ["a", "b"]), { sorryServer }, ["a", "b"]))).toBe(
      "quorum-lost 0 of 1 (start, everyone), sorry-server-added s | s!=1",
    );
    const serving = started({ quorum: 2, sorryServer }, ["a"]);
    expect(shown(reload(serving, { sorryServer: undefined }, ["a"]))).toBe("sorry-server-removed s | b=1");
    expect(shown(reload(serving, { sorryServer: { server: "t", inhibit: false } }, ["a"]))).toBe(
      "sorry-server-removed s, quorum-lost 1 of 2 (start, everyone), sorry-server-added t | t!=1",
    );
    expect(shown(reload(serving, { sorryServer: { server: "s", inhibit: true } }, ["a"]))).toBe(" | s!=1");
    expect(shown(reload(started({ sorryServer }), { sorryServer: undefined }))).toBe(" | a=1 b=1");
  });
});

describe("drain", () => {
  test("weight 0, then out of the table, and back", () => {
    const draining = drain(started({ servers: [server("a", 3), server("b", 2, true)] }), "a", "draining");
    expect(shown(draining)).toBe(" | a=0 b=2");
    expect(shown(drain(draining.state, "a", "removed"))).toBe(" | b=2");
    expect(shown(drain(draining.state, "a", "none"))).toBe(" | a=3 b=2");
    expect(shown(drain(draining.state, "b", "removed"))).toBe("quorum-lost 0 of 1 (servers, everyone) | a=0");
  });

  test("it lasts through failures and reloads, and its connections through a sorry server", () => {
    const draining = drain(started({ quorum: 2, sorryServer }), "a", "draining");
    expect(shown(draining)).toBe("quorum-lost 1 of 2 (servers, everyone), sorry-server-added s | a=0 s!=1");
    const failed = report(draining.state, "a", false);
    expect(table(failed.state)).toBe("s!=1");
    const back = report(failed.state, "a", true);
    const made = { ...config, quorum: 1 };
    const again = stepPool(back.state, { type: "reload", config: made, checks: checksOf(made) }, at(0));
    expect(table(again.state)).toBe("a=0 b=1");
  });
});

describe("panic guard", () => {
  const guarded = { ...config, panicGuard: true, servers: [server("a", 3), server("b", 2, true)] };

  test("the last live server stays, and goes as soon as another one serves", () => {
    expect(story(guarded, [], ["a down", "b down", "a up", "a down"]).slice(1)).toEqual([
      "a down (check, everyone) | b=2",
      "b down (check, everyone) held, quorum-lost 0 of 1 (servers, everyone) | b=2",
      "a up (check, everyone), quorum-gained 3 of 1 (servers, everyone) | a=3 b=0",
      "a down (check, everyone) held, quorum-lost 0 of 1 (servers, everyone) | a=3 b=0",
    ]);
  });

  test("it serves whatever weight its checks leave it", () => {
    const held = report(started({ ...guarded, servers: [server("a", 3)] }), "a", false).state;
    expect(table(report(held, "a", false, "weight", { kind: "added", weight: -9 }).state)).toBe("a=1");
  });

  test("a sorry server is better than a failed one", () => {
    expect(story({ ...guarded, sorryServer }, ["b"], ["a down"])[1]).toMatch(/\| b=0 s!=1$/);
  });

  test("who has a weight of 0 in the configuration is not held", () => {
    const held = report(started({ ...guarded, servers: [server("a", 3)] }), "a", false).state;
    const made = { ...guarded, servers: [server("a", 0)] };
    for (const [pool, down] of [
      [held, ["a"]],
      [started({ ...guarded, servers: [server("a", 3)] }), []],
    ] as const) {
      const next = stepPool(pool, { type: "reload", config: made, checks: checksOf(made, down) }, at(0)).state;
      expect([next.held, table(next)]).toEqual([undefined, down.length > 0 ? "" : "a=0"]);
    }
  });

  test("whom the operator drains or takes out of the configuration goes", () => {
    const held = report(started({ ...guarded, servers: [server("a", 3)] }), "a", false).state;
    expect(table(held)).toBe("a=3");
    expect(table(drain(held, "a", "draining").state)).toBe("");
    const made = { ...guarded, servers: [server("b")] };
    const input = { type: "reload", config: made, checks: checksOf(made, ["b"]) } as const;
    expect(table(stepPool(held, input, at(0)).state)).toBe("");
  });
});

describe("slow start", () => {
  const slow = { ...config, slowStart: micros(10 * second), servers: [server("a", 100), server("b", 100)] };

  test("who comes back to others gets its weight in tenths; the quorum counts it whole", () => {
    const pool = report(started({ ...slow, quorum: 200 }, ["b"]), "b", true);
    expect(shown(pool)).toBe("b up (check, everyone), quorum-gained 200 of 200 (servers, everyone) | a=100 b=10");
    expect(nextPoolDeadline(pool.state)).toBe(at(1));
    const next = stepPool(pool.state, { type: "deadline-reached" }, at(1)).state;
    expect(table(next)).toBe("a=100 b=20");
    const late = stepPool(next, { type: "deadline-reached" }, at(5.5)).state;
    expect(table(late)).toBe("a=100 b=60");
    expect(nextPoolDeadline(late)).toBe(at(6));
    const over = stepPool(late, { type: "deadline-reached" }, at(9)).state;
    expect(table(over)).toBe("a=100 b=100");
    expect(nextPoolDeadline(over)).toBeUndefined();
  });

  test("a ramp goes on through a reload", () => {
    const ramping = report(started(slow, ["b"]), "b", true).state;
    const again = stepPool(ramping, { type: "reload", config: slow, checks: checksOf(slow) }, at(0.5)).state;
    expect(again).toEqual(ramping);
  });

  test("each deadline is a step, however short the ramp", () => {
    const short = { ...slow, slowStart: micros(7) };
    let pool = report(started(short, ["b"]), "b", true).state;
    const weights: string[] = [];
    for (let due = nextPoolDeadline(pool); due !== undefined && weights.length < 20; due = nextPoolDeadline(pool)) {
      pool = stepPool(pool, { type: "deadline-reached" }, due).state;
      weights.push(table(pool));
    }
    expect(weights.length).toBeLessThan(10);
    expect(weights.at(-1)).toBe("a=100 b=100");
  });

  test("an empty pool is never ramped, nor one that nobody else serves any more", () => {
    expect(table(report(started(slow, ["a", "b"]), "a", true).state)).toBe("a=100");
    const ramped = report(started(slow, ["b"]), "b", true).state;
    expect(table(report(ramped, "a", false).state)).toBe("b=100");
  });

  test("whose drain is undone is ramped, where somebody else serves and it lives", () => {
    const undone = (pool: Pool): Pool => drain(drain(pool, "b", "draining").state, "b", "none").state;
    const back = undone(started(slow));
    expect([table(back), nextPoolDeadline(back)]).toEqual(["a=100 b=10", at(1)]);
    expect(table(undone(report(started(slow), "a", false).state))).toBe("b=100");
    expect(nextPoolDeadline(undone(started(slow, ["b"])))).toBeUndefined();
    const never = drain(started(slow), "b", "none").state;
    expect(table(never)).toBe("a=100 b=100");
  });

  test("at the start nobody is ramped, at a reload only who is new; without slow_start nobody any more", () => {
    expect(table(started(slow))).toBe("a=100 b=100");
    const made = { ...slow, servers: [...slow.servers, server("c", 50)] };
    const reloaded = stepPool(started(slow), { type: "reload", config: made, checks: checksOf(made) }, at(0)).state;
    expect(table(reloaded)).toBe("a=100 b=100 c=5");
    const off = { ...made, slowStart: micros(0) };
    expect(table(stepPool(reloaded, { type: "reload", config: off, checks: checksOf(off) }, at(0)).state)).toBe(
      "a=100 b=100 c=50",
    );
  });
});
