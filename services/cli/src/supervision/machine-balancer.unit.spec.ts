// The child that is there only where the configuration has something for it to do.
import { describe, expect, test } from "vitest";
import { everybody, fresh, Scene, told } from "../testing/machine-scene.ts";
import { initialState } from "./machine.ts";

describe("the balancer", () => {
  const scene = (): Scene => new Scene(fresh(everybody));

  test("is started with the others where the configuration has virtual servers, and not where it has none", () => {
    const begun = scene().feed({ type: "begin" });
    begun.take();
    begun.feed(told(true));
    expect(begun.take()).toContain("start balancer");
    const without = scene().feed({ type: "begin" });
    without.take();
    without.feed(told(false));
    expect(without.take()).not.toContain("start balancer");
    const others = ["dataplane", "health", "notifier", "control", "election"] as const;
    for (const child of others) without.feed({ type: "reported", child, report: { type: "ready" } });
    expect(without.take()).toEqual(["announce-ready"]);
  });

  test("a reload that brings the first virtual server starts it, one that removes the last tells it to stop", () => {
    const running = scene().configured().feed(told(true));
    expect(running.take()).toEqual(["start balancer"]);
    running.feed(told(true));
    expect(running.take()).toEqual([]);
    running.feed(told(false));
    expect(running.effects).toEqual([{ type: "ask-to-stop", child: "balancer", reason: "not needed any more" }]);
    running.take();
    running.die("balancer", "code 0").pass(60_000);
    expect(running.take()).toEqual([]);
  });

  test("one that is needed again while it stops is started anew when it is gone", () => {
    const running = scene().configured(true).feed(told(false)).feed(told(true));
    running.take();
    running.die("balancer", "code 0");
    expect(running.take()).toEqual(["start balancer"]);
  });

  test("one that does not stop is killed, and another clears up; the next configuration tells it to stop", () => {
    const running = scene().configured(true).feed(told(false));
    running.take();
    running.pass(8_100);
    expect(running.take()).toEqual(["kill balancer"]);
    running.die("balancer", "SIGKILL").pass(60_000);
    expect(running.take()).toEqual(["died balancer", "start balancer 1"]);
    running.feed(told(false));
    expect(running.take()).toEqual(["stop balancer"]);
    running.die("balancer", "code 0").pass(60_000);
    expect(running.take()).toEqual([]);
  });

  test("one that has died has a successor that clears up, although it has nothing else to do any more", () => {
    const running = scene().configured(true).die("balancer").die("balancer").feed(told(false));
    running.take();
    running.pass(60_000);
    expect(running.take()).toEqual(["start balancer 2"]);
  });

  test("of an earlier supervisor is replaced in its turn", () => {
    const children = everybody.map(
      (name) => [name, { restarts: 0, adopted: name === "balancer" ? 7 : undefined }] as const,
    );
    const running = new Scene(initialState(new Map(children))).feed({ type: "begin" }).feed(told(true));
    expect(running.take()).toContain("kill balancer");
    running.die("balancer", "SIGKILL");
    expect(running.take()).toEqual(["start balancer 1"]);
  });
});
