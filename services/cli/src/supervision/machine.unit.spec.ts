import { addMicros, secondsToMicros } from "@baton/domain";
import { describe, expect, test } from "vitest";
import { all, config, everybody, fresh, Scene } from "../testing/machine-scene.ts";
import { initialState, limits, stopOrder } from "./machine.ts";
import type { ChildName, Input } from "./types.ts";

describe("starting", () => {
  test("brokers and control first, the others when the configuration is known", () => {
    const scene = new Scene().feed({ type: "begin" });
    expect(scene.take()).toEqual(["start nats", "start redis", "start control"]);
    scene.feed({ type: "reported", child: "control", report: config(7) });
    expect(scene.take()).toEqual([
      "start dataplane",
      "start health",
      "start election",
      "start notifier",
      "start uplink",
    ]);
    scene.feed({ type: "reported", child: "control", report: config(8) });
    expect(scene.take()).toEqual([]);
  });

  test("brokers that the settings name elsewhere, and no hub, are left out", () => {
    const scene = new Scene(fresh(["control", "dataplane", "health", "election", "notifier"])).feed({ type: "begin" });
    expect(scene.take()).toEqual(["start control"]);
  });

  test("restarts are counted on from an earlier supervisor", () => {
    const scene = new Scene(initialState(new Map([["control", { restarts: 3 }]]))).feed({ type: "begin" });
    expect(scene.take()).toEqual(["start control 3"]);
  });

  const others = ["dataplane", "health", "notifier", "control"] as const;
  const isReady = { type: "ready" } as const;

  test("ready when election and all others are, once; the brokers and the uplink are not asked", () => {
    const scene = new Scene().configured();
    for (const child of others) scene.feed({ type: "reported", child, report: isReady });
    expect(scene.take()).toEqual([]);
    scene.feed({ type: "reported", child: "election", report: isReady });
    expect(scene.take()).toEqual(["announce-ready"]);
    scene.die("election").feed({ type: "reported", child: "election", report: isReady });
    expect(scene.take()).toEqual(["died election", "start election 1"]);
  });

  test("who is not ready holds the node up for a while only", () => {
    const scene = new Scene().configured().feed({ type: "reported", child: "election", report: isReady });
    scene.pass(4_900);
    expect(scene.take()).toEqual([]);
    scene.pass(200);
    expect(scene.take()).toEqual(["announce-ready"]);
    scene.pass(20_000);
    for (const child of others) scene.feed({ type: "reported", child, report: isReady });
    expect(scene.take()).toEqual([]);
  });

  test("without election no node is ready", () => {
    const scene = new Scene().configured();
    for (const child of others) scene.feed({ type: "reported", child, report: isReady });
    scene.pass(60_000);
    expect(scene.take()).toEqual([]);
  });

  test("a rejected configuration ends it with keepalived's exit code", () => {
    const scene = new Scene().feed({ type: "begin" });
    scene.take();
    const report = { type: "config-failed", exitCode: 5, diagnostics: [] } as const;
    scene.feed({ type: "reported", child: "control", report });
    expect(scene.take()).toEqual(["reject-config", "announce-stopping", "stop control"]);
    scene.die("control").die("redis").die("nats");
    expect(scene.take()).toEqual(["stop redis", "stop nats", "end 5"]);
  });

  test("one that is rejected later changes nothing", () => {
    const scene = new Scene().configured();
    const report = { type: "config-failed", exitCode: 5, diagnostics: [] } as const;
    scene.feed({ type: "reported", child: "control", report });
    expect(scene.take()).toEqual(["reject-config"]);
    expect(scene.state.phase).toBe("running");
  });

  test("control that dies again and again before the configuration is known ends it", () => {
    const scene = new Scene().feed({ type: "begin" });
    scene.die("control").die("control").pass(200).die("control").pass(1000).die("control");
    expect(scene.state).toMatchObject({ phase: "stopping", exitCode: 70 });
  });
});

describe("deaths", () => {
  test("a dead service is started again: at once, after 0.2, 1 and then every 5 s", () => {
    const scene = new Scene().configured();
    const startsWithin = (millis: number): string[] => {
      scene.take();
      scene.pass(millis);
      return scene.take();
    };
    scene.die("election");
    expect(scene.take()).toEqual(["died election", "start election 1"]);
    for (const [pause, restart] of [
      [200, 2],
      [1000, 3],
      [5000, 4],
      [5000, 5],
    ] as const) {
      scene.die("election");
      expect(startsWithin(pause - 1)).toEqual([]);
      expect(startsWithin(1)).toEqual([`start election ${restart}`]);
    }
  });

  test("who lived for a minute is started at once again", () => {
    const scene = new Scene().configured();
    scene.die("health").die("health").pass(200);
    scene.take();
    scene.pass(60_000).die("health");
    expect(scene.take()).toEqual(["died health", "start health 3"]);
  });

  test("the death of one is no other's business", () => {
    const scene = new Scene().configured().die("nats").die("dataplane");
    expect(scene.take()).toEqual(["died nats", "start nats 1", "died dataplane", "start dataplane 1"]);
  });

  test("what cannot be started is tried again later", () => {
    const scene = new Scene().configured();
    scene.feed({ type: "start-failed", child: "redis", error: "EAGAIN" });
    scene.feed({ type: "start-failed", child: "redis", error: "EAGAIN" });
    expect(scene.take()).toEqual(["died redis", "start redis 1", "died redis"]);
    scene.pass(200);
    expect(scene.take()).toEqual(["start redis 2"]);
  });
});

describe("taking over from a supervisor that was killed", () => {
  const adopting = (names: readonly ChildName[] = all): Scene => {
    const children = all.map((name) => [name, { restarts: 2, adopted: names.includes(name) ? 7 : undefined }] as const);
    return new Scene(initialState(new Map(children)));
  };
  const ready = (child: ChildName): Input => ({ type: "reported", child, report: { type: "ready" } });
  const isConfigured: Input = { type: "reported", child: "control", report: config(1) };

  test("brokers and control at once, then one after the other, election first", () => {
    const scene = adopting().feed({ type: "begin" });
    expect(scene.take()).toEqual(["kill nats", "kill redis", "kill control"]);
    scene.die("nats", "SIGKILL").die("control", "SIGKILL").die("redis", "SIGKILL");
    // No deaths: they made room.
    expect(scene.take()).toEqual(["start nats 3", "start control 3", "start redis 3"]);
    scene.feed(isConfigured);
    expect(scene.take()).toEqual(["kill election"]);
    scene.die("election", "SIGKILL");
    expect(scene.take()).toEqual(["start election 3"]);
    for (const [before, next] of [
      ["election", "dataplane"],
      ["dataplane", "health"],
      ["health", "notifier"],
      ["notifier", "uplink"],
    ] as const) {
      scene.feed(ready(before));
      expect(scene.take()).toEqual([`kill ${next}`]);
      scene.die(next, "SIGKILL");
      expect(scene.take()).toEqual([`start ${next} 3`]);
    }
    scene.feed(ready("uplink")).feed(ready("control"));
    expect(scene.take()).toEqual(["announce-ready"]);
  });

  test("one that does not become ready holds up the next for a while only", () => {
    const scene = adopting().feed({ type: "begin" }).die("control").feed(isConfigured).die("election");
    scene.take();
    scene.pass(9_900);
    expect(scene.take()).toEqual([]);
    scene.pass(200);
    expect(scene.take()).toEqual(["kill dataplane"]);
  });

  test("what is not there is started, what is there waits for its turn", () => {
    const scene = adopting(["dataplane", "election"]).feed({ type: "begin" }).feed(isConfigured);
    expect(scene.take()).toEqual([
      "start nats 2",
      "start redis 2",
      "start control 2",
      "start health 2",
      "start notifier 2",
      "start uplink 2",
      "kill election",
    ]);
  });

  test("one that dies before its turn is a death, and waits for the configuration", () => {
    const scene = adopting().feed({ type: "begin" });
    scene.take();
    scene.die("dataplane", "SIGSEGV");
    expect(scene.take()).toEqual(["died dataplane"]);
    scene.die("control").feed(isConfigured);
    expect(scene.take()).toEqual(["start control 3", "start dataplane 3", "kill election"]);
  });

  test("nobody is taken for hung before it could say that it lives", () => {
    const scene = adopting().feed({ type: "begin" });
    scene.take();
    scene.pass(60_000);
    expect(scene.take()).toEqual([]);
  });

  test("a stop in the middle kills whom it cannot ask, in order", () => {
    const scene = adopting().feed({ type: "begin" }).die("nats").die("redis").die("control").feed(isConfigured);
    scene.die("election");
    scene.take();
    scene.feed({ type: "stop", reason: "SIGTERM", exitCode: 0 });
    expect(scene.take()).toEqual(["announce-stopping", "stop election"]);
    scene.die("election");
    expect(scene.take()).toEqual(["kill dataplane"]);
    scene
      .die("dataplane")
      .die("balancer")
      .die("health")
      .die("notifier")
      .die("control")
      .die("uplink")
      .die("redis")
      .die("nats");
    expect(scene.state.phase).toBe("ended");
  });
});

describe("the watchdog", () => {
  test("a silent service is killed, and another started only when it is gone", () => {
    const scene = new Scene().configured().pass(1_000).pass(14_900, ["election"]);
    expect(scene.take()).toEqual([]);
    scene.pass(200, ["election"]);
    expect(scene.take()).toEqual(["kill election"]);
    scene.pass(10_000);
    expect(scene.take()).toEqual([]);
    scene.die("election", "SIGKILL");
    expect(scene.take()).toEqual(["died election", "start election 1"]);
  });

  test("one that has not spoken yet has longer: it loads", () => {
    const scene = new Scene().configured().die("election");
    scene.take();
    scene.pass(89_900, ["election"]);
    expect(scene.take()).toEqual([]);
    scene.pass(200, ["election"]);
    expect(scene.take()).toEqual(["kill election"]);
  });

  test("a service that stops for less is left to the lease", () => {
    const scene = new Scene().configured().pass(12_000, ["election", "dataplane"]).pass(60_000);
    expect(scene.take()).toEqual([]);
  });

  test("brokers say nothing and are not killed for it", () => {
    const scene = new Scene().configured().pass(120_000, ["nats", "redis"]);
    expect(scene.take()).toEqual([]);
  });

  test("a supervisor that was itself not scheduled accuses nobody", () => {
    const scene = new Scene().configured().pass(1_000);
    scene.now = addMicros(scene.now, secondsToMicros(600));
    scene.feed({ type: "woke" });
    expect(scene.take()).toEqual([]);
    scene.pass(14_000, all);
    expect(scene.take()).toEqual([]);
    scene.pass(2_000, all);
    expect(scene.take().filter((text) => text.startsWith("kill"))).toHaveLength(6);
  });
});

describe("stopping", () => {
  test("one after the other, election first, the bus last", () => {
    const scene = new Scene(fresh(everybody)).configured(true);
    scene.feed({ type: "stop", reason: "SIGTERM", exitCode: 0 });
    expect(scene.take()).toEqual(["announce-stopping", "stop election"]);
    for (const [index, child] of stopOrder.entries()) {
      scene.die(child, "code 0");
      const next = stopOrder[index + 1];
      expect(scene.take()).toEqual([next === undefined ? "end 0" : `stop ${next}`]);
    }
    expect(scene.state.phase).toBe("ended");
  });

  test("who does not stop in time is killed, and the next waits for its end", () => {
    const scene = new Scene().configured().feed({ type: "stop", reason: "SIGTERM", exitCode: 0 });
    scene.take();
    scene.pass(7_900);
    expect(scene.take()).toEqual([]);
    scene.pass(200);
    expect(scene.take()).toEqual(["kill election"]);
    scene.die("election", "SIGKILL");
    expect(scene.take()).toEqual(["stop dataplane"]);
  });

  test("who dies meanwhile stays dead", () => {
    const scene = new Scene().configured().feed({ type: "stop", reason: "SIGTERM", exitCode: 0 });
    scene.die("notifier").die("nats");
    scene.take();
    scene.die("election");
    expect(scene.take()).toEqual(["stop dataplane"]);
  });

  test("a second stop, a reload and late reports change nothing", () => {
    const scene = new Scene().configured().feed({ type: "stop", reason: "SIGTERM", exitCode: 0 });
    scene.take();
    scene.feed({ type: "stop", reason: "SIGINT", exitCode: 1 }).feed({ type: "reload" });
    scene.feed({ type: "reported", child: "election", report: { type: "ready" } });
    scene.feed({ type: "reported", child: "control", report: config(2) });
    expect(scene.take()).toEqual([]);
    expect(scene.state.exitCode).toBe(0);
  });

  test("before anything is configured", () => {
    const scene = new Scene().feed({ type: "begin" }).feed({ type: "stop", reason: "SIGINT", exitCode: 0 });
    scene.die("control").die("redis").die("nats");
    expect(scene.take().slice(-4)).toEqual(["stop control", "stop redis", "stop nats", "end 0"]);
  });
});

describe("a reload", () => {
  const answer = { type: "reported", child: "control", report: config(9) } as const;

  test("goes to control", () => {
    const scene = new Scene().configured().feed({ type: "reload" });
    expect(scene.take()).toEqual(["reload-config"]);
  });

  test("that comes while control is dead waits for the next one, which reads no file by itself", () => {
    const scene = new Scene().configured().die("control").die("control");
    scene.take();
    scene.feed({ type: "reload" });
    expect(scene.take()).toEqual([]);
    scene.pass(200);
    expect(scene.take()).toEqual(["start control 2", "reload-config"]);
  });

  test("of which a control that dies has said nothing is asked for again, one that was answered is not", () => {
    const scene = new Scene().configured().feed({ type: "reload" }).die("control");
    expect(scene.take()).toEqual(["reload-config", "died control", "start control 1", "reload-config"]);
    scene.feed(answer).die("control");
    scene.pass(200);
    expect(scene.take()).toEqual(["died control", "start control 2"]);
  });

  test("that control has refused is not asked for again when it dies later", () => {
    const scene = new Scene().configured().feed({ type: "reload" });
    scene.pass(11_000);
    scene.die("control");
    expect(scene.take()).toEqual(["reload-config", "died control", "start control 1"]);
  });
});

test("the bound of the watchdog is above every lease", () => {
  // SAFETY S3: a lease is 10 s at most.
  expect(limits.silence).toBeGreaterThan(secondsToMicros(10));
});
