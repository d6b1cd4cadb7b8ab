import { addMicros, millisToMicros, secondsToMicros } from "@baton/domain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allChildren, Scene } from "../testing/scene.ts";
import { initialState } from "./machine.ts";
import type { ChildName, Input } from "./types.ts";

/** Everybody who is named was left behind by a supervisor that was killed, and had been restarted twice. */
const adopting = (adopted = allChildren, known = allChildren): Scene => {
  const children = known.map(
    (name) => [name, { restarts: 2, adopted: adopted.includes(name) ? 7 : undefined }] as const,
  );
  return new Scene(initialState(new Map(children))).feed({ type: "begin" });
};
const ready = (child: ChildName): Input => ({ type: "reported", child, report: { type: "ready" } });
const config: Input = { type: "reported", child: "control", report: { type: "config", generation: 1 } };
const rejected: Input = {
  type: "reported",
  child: "control",
  report: { type: "config-failed", exitCode: 5, diagnostics: [] },
};
const leasesKnown: Input = { type: "leases-known" };
const stop: Input = { type: "stop", reason: "SIGTERM", exitCode: 0 };
const brokers = ["nats", "redis"] as const;

/** Brokers and control are replaced. */
const configured = (scene = adopting()): Scene => {
  for (const broker of brokers) scene.die(broker, "SIGKILL");
  return scene.die("control", "SIGKILL").feed(config).feed(ready("control"));
};
/** Dataplane too, and the old election has found it. */
const reclaimed = (): Scene => configured().die("dataplane", "SIGKILL").feed(ready("dataplane")).feed(leasesKnown);
const taken = (scene: Scene): Scene => {
  scene.take();
  return scene;
};

describe("one after the other", () => {
  test("each is ended just before its successor is started, which is counted as a restart and no death", () => {
    const scene = adopting();
    expect(scene.take()).toEqual(["kill nats"]);
    expect(scene.die("nats", "SIGKILL").take()).toEqual(["start nats 3", "kill redis"]);
    expect(scene.die("redis", "SIGKILL").take()).toEqual(["start redis 3", "kill control"]);
    expect(scene.die("control", "SIGKILL").take()).toEqual(["start control 3"]);
    // Not before it is known what is to be applied, and control serves.
    expect(scene.feed(config).take()).toEqual([]);
    expect(scene.feed(ready("control")).take()).toEqual(["kill dataplane"]);
    expect(scene.die("dataplane", "SIGKILL").take()).toEqual(["start dataplane 3"]);
    expect(scene.feed(ready("dataplane")).take()).toEqual(["await-leases"]);
    expect(scene.feed(leasesKnown).take()).toEqual(["kill election"]);
    for (const [name, next] of [
      ["election", "health"],
      ["health", "notifier"],
      ["notifier", "uplink"],
    ] as const) {
      expect(scene.die(name, "SIGKILL").take()).toEqual([`start ${name} 3`]);
      expect(scene.feed(ready(name)).take()).toContain(`kill ${next}`);
    }
    scene.die("uplink", "SIGKILL").feed(ready("uplink"));
    expect(scene.take()).toEqual(["start uplink 3", "note-taken-over"]);
    expect(scene.state.takeover).toBeUndefined();
    expect(scene.pass(60_000).take()).toEqual([]);
  });

  test("the node is ready when all that are new are", () => {
    const scene = taken(reclaimed().die("election").feed(ready("election")).die("health").feed(ready("health")));
    expect(scene.die("notifier").take()).toEqual(["start notifier 3"]);
    expect(scene.feed(ready("notifier")).take()).toEqual(["announce-ready", "kill uplink"]);
  });

  test("the old election is waited for until it has claimed its leases anew, but not for ever: it may be dead", () => {
    const scene = taken(configured().die("dataplane").feed(ready("dataplane")));
    expect(scene.pass(2_900).take()).toEqual([]);
    expect(scene.pass(200).take()).toEqual(["kill election"]);
    expect(scene.feed(leasesKnown).take()).toEqual([]);
  });

  test("an answer about leases that nobody has asked for says nothing", () => {
    const scene = taken(configured());
    expect(scene.feed(leasesKnown).take()).toEqual([]);
    expect(scene.die("dataplane").feed(leasesKnown).take()).toEqual(["start dataplane 3"]);
  });

  test("one that does not serve holds up the next for a while only", () => {
    const scene = taken(configured().die("dataplane"));
    expect(scene.pass(4_900).take()).toEqual([]);
    expect(scene.pass(200).take()).toEqual(["await-leases"]);
    expect(scene.pass(3_000).take()).toEqual(["kill election"]);
    // It is killed and does not go: the next have their turn, and it is never doubled.
    expect(scene.pass(5_000).take()).toEqual(["kill health"]);
    expect(scene.die("election").take()).toEqual(["start election 3"]);
  });

  test("without a configuration nobody is touched who works on the last one", () => {
    const scene = taken(adopting().die("nats").die("redis").die("control"));
    expect(scene.pass(600_000).take()).toEqual([]);
    expect(scene.kind("election")).toBe("adopted");
  });

  test("who is late himself gives everybody the time that was his", () => {
    const scene = taken(configured().die("dataplane").feed(ready("dataplane")));
    scene.now = addMicros(scene.now, secondsToMicros(600));
    expect(scene.feed({ type: "woke" }).take()).toEqual([]);
    expect(scene.feed(leasesKnown).take()).toEqual(["kill election"]);
  });
});

describe("not everybody is there", () => {
  test("who had died is started at once, and who is there waits for his turn", () => {
    const scene = adopting(["dataplane", "election"]);
    expect(scene.take()).toEqual(["start nats 2", "start redis 2", "start control 2"]);
    scene.feed(config);
    expect(scene.take()).toEqual(["start health 2", "start notifier 2", "start uplink 2"]);
    scene.feed(ready("control"));
    expect(scene.take()).toEqual(["kill dataplane"]);
  });

  test("an election without a dataplane is replaced when it has had time to find the new one", () => {
    const scene = taken(adopting(["election"]).feed(config).feed(ready("control")));
    expect(scene.feed(ready("dataplane")).take()).toEqual(["await-leases"]);
    expect(scene.feed(leasesKnown).take()).toEqual(["kill election"]);
  });

  test("a dataplane without an election waits for nobody's claims", () => {
    const scene = taken(adopting(["dataplane"]).feed(config).feed(ready("control")).die("dataplane"));
    expect(scene.feed(ready("dataplane")).feed(ready("election")).take()).toEqual([]);
    expect(scene.state.takeover?.queue[0]).toBe("health");
  });

  test("one that dies before its turn is a death: started at once, or when the configuration is there", () => {
    const scene = taken(adopting());
    expect(scene.die("election", "SIGSEGV").take()).toEqual(["died election"]);
    configured(scene);
    expect(scene.take()).toContain("start election 3");
    expect(scene.die("health", "SIGSEGV").take()).toEqual(["died health", "start health 3"]);
    // Its successor is not ended again.
    scene.die("dataplane").feed(ready("dataplane")).feed(ready("election")).feed(ready("health"));
    expect(scene.take()).toEqual(["start dataplane 3", "kill notifier"]);
  });

  test("the election that dies while its claims are awaited is not awaited any more", () => {
    const scene = taken(configured().die("dataplane").feed(ready("dataplane")));
    expect(scene.die("election", "SIGSEGV").take()).toEqual(["died election", "start election 3"]);
    expect(scene.feed(ready("election")).take()).toEqual(["kill health"]);
  });

  test("brokers elsewhere and no hub", () => {
    const known = ["control", "dataplane", "health", "election", "notifier"] as const;
    expect(adopting(allChildren, known).take()).toEqual(["kill control"]);
  });

  test("a node that nobody left behind is no takeover", () => {
    expect(adopting([]).state.takeover).toBeUndefined();
  });

  test("nobody is taken for hung before it could say that it lives", () => {
    const scene = taken(adopting());
    expect(scene.pass(4_900).take()).toEqual([]);
    expect(scene.kind("election")).toBe("adopted");
  });
});

describe("ends in the middle", () => {
  test("a stop waits until there are only children of our own, who can be asked", () => {
    const scene = taken(configured());
    expect(scene.feed(stop).take()).toEqual(["announce-stopping"]);
    expect(scene.feed(stop).take()).toEqual([]);
    scene.die("dataplane").feed(ready("dataplane")).feed(leasesKnown);
    for (const name of ["election", "health", "notifier"] as const) scene.die(name).feed(ready(name));
    scene.take();
    expect(scene.die("uplink").feed(ready("uplink")).take()).toEqual([
      "start uplink 3",
      "note-taken-over",
      "stop election",
    ]);
  });

  test("but not for ever; then who cannot be asked is killed, in order", () => {
    const scene = taken(adopting().die("nats").die("redis").die("control"));
    scene.feed(stop).pass(19_900);
    expect(scene.take()).toEqual(["announce-stopping"]);
    expect(scene.pass(200).take()).toEqual(["kill election"]);
    expect(scene.die("election").take()).toEqual(["kill notifier"]);
    for (const name of ["notifier", "dataplane", "health"] as const) scene.die(name);
    expect(scene.take()).toEqual(["kill dataplane", "kill health", "stop control"]);
    scene.die("control").die("uplink").die("redis").die("nats");
    expect(scene.take().slice(-1)).toEqual(["end 0"]);
  });

  test("a configuration that is rejected ends nothing more: what is left works on", () => {
    const scene = taken(adopting().die("nats").die("redis").die("control"));
    expect(scene.feed(rejected).take()).toEqual(["reject-config", "announce-stopping", "abandon 5"]);
    // Whatever comes now is the next supervisor's business.
    expect(scene.die("control").feed(stop).pass(60_000).take()).toEqual([]);
  });

  test("so does a control that does not start", () => {
    const scene = taken(adopting().die("nats").die("redis").die("control"));
    scene.die("control").pass(200).die("control").pass(1_000).die("control").pass(5_000).die("control");
    expect(scene.take().slice(-2)).toEqual(["announce-stopping", "abandon 70"]);
  });

  test("unless it was told to stop", () => {
    const scene = taken(adopting().die("nats").die("redis").die("control").feed(stop));
    expect(scene.feed(rejected).take()).toEqual(["reject-config", "kill election"]);
  });
});

describe("whatever happens", () => {
  const child = fc.constantFrom(...allChildren);
  const input: fc.Arbitrary<Input> = fc.oneof(
    fc.constant<Input>({ type: "woke" }),
    fc.record({ type: fc.constant("exited" as const), child, exit: fc.constant("code 1") }),
    child.map(ready),
    fc.constantFrom(config, rejected, leasesKnown, stop),
  );
  const story = fc.array(fc.tuple(input, fc.integer({ min: 0, max: 8_000 })), { maxLength: 200 });

  test("two of one service never run", () => {
    fc.assert(
      fc.property(story, fc.subarray([...allChildren]), (inputs, adopted) => {
        const scene = adopting(adopted);
        const running = new Set<ChildName>([...adopted, ...allChildren.filter((name) => scene.kind(name) === "up")]);
        scene.take();
        for (const [each, millis] of inputs) {
          scene.now = addMicros(scene.now, millisToMicros(millis));
          // Only what runs can end.
          if (each.type === "exited" && !running.delete(each.child)) continue;
          scene.feed(each);
          for (const effect of scene.effects) {
            if (effect.type !== "start") continue;
            expect(running.has(effect.child)).toBe(false);
            running.add(effect.child);
          }
          scene.effects = [];
        }
      }),
    );
  });

  test("a takeover always comes to its end, if control says what is to be applied", () => {
    fc.assert(
      fc.property(fc.subarray([...allChildren], { minLength: 1 }), fc.boolean(), (adopted, isReady) => {
        const scene = adopting(adopted);
        for (let round = 0; round < 200 && scene.state.takeover !== undefined; round++) {
          for (const [name, { kind }] of scene.state.children) {
            if (kind === "replaced") scene.die(name);
            if (kind === "up" && isReady) scene.feed(ready(name));
          }
          if (scene.kind("control") === "up") scene.feed(config);
          scene.pass(500);
        }
        expect(scene.state.takeover).toBeUndefined();
        expect([...scene.state.children.values()].every(({ kind }) => kind === "up")).toBe(true);
      }),
    );
  });
});
