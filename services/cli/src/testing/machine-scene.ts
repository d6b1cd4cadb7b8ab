// The supervisor's machine with a clock of its own, for its tests.
import { addMicros, type Instant, instant, millisToMicros, secondsToMicros } from "@baton/domain";
import { initialState, step } from "../supervision/machine.ts";
import type { ChildName, Effect, Input, SupervisorState } from "../supervision/types.ts";

export const all: readonly ChildName[] = [
  "nats",
  "redis",
  "control",
  "dataplane",
  "health",
  "election",
  "notifier",
  "uplink",
];
export const fresh = (names = all) => initialState(new Map(names.map((name) => [name, { restarts: 0 }])));

export const everybody: readonly ChildName[] = [...all, "balancer"];
export const config = (generation: number, balances = false) => ({ type: "config", generation, balances }) as const;
export const told = (balances: boolean): Input => ({ type: "reported", child: "control", report: config(2, balances) });

/** A supervisor with a clock of its own: starts succeed and get a pid, in the same turn as in life. */
export class Scene {
  state: SupervisorState;
  now: Instant = instant(1_000_000_000);
  effects: Effect[] = [];
  pids = 100;

  constructor(state = fresh()) {
    this.state = state;
  }

  feed(input: Input): this {
    const { state, effects } = step(this.state, input, this.now);
    this.state = state;
    this.effects.push(...effects);
    for (const effect of effects) {
      if (effect.type === "start") this.feed({ type: "started", child: effect.child, pid: this.pids++ });
    }
    return this;
  }

  /** Sleeps and wakes as the state asks, and everybody who runs says each second that it lives. */
  pass(millis: number, silent: readonly ChildName[] = []): this {
    const end = addMicros(this.now, millisToMicros(millis));
    const second = secondsToMicros(1);
    for (let next = addMicros(this.now, second); this.now < end; next = addMicros(next, second)) {
      const until = instant(Math.min(next, end));
      while (this.state.wakeAt !== undefined && this.state.wakeAt <= until) {
        this.now = instant(Math.max(this.state.wakeAt, this.now));
        this.feed({ type: "woke" });
      }
      this.now = until;
      for (const [child, { kind }] of this.state.children) {
        if (kind === "up" && !silent.includes(child)) this.feed({ type: "reported", child, report: { type: "alive" } });
      }
    }
    return this;
  }

  configured(balances = false): this {
    this.feed({ type: "begin" }).feed({
      type: "reported",
      child: "control",
      report: config(1, balances),
    });
    this.take();
    return this;
  }

  die(child: ChildName, exit = "code 1"): this {
    return this.feed({ type: "exited", child, exit });
  }

  /** What was done since the last time, in order; deaths and announcements left out unless asked for. */
  take(): string[] {
    const texts = this.effects.map((effect) => {
      switch (effect.type) {
        case "start":
          return `start ${effect.child}${effect.restarts > 0 ? ` ${effect.restarts}` : ""}`;
        case "ask-to-stop":
          return `stop ${effect.child}`;
        case "kill":
          return `kill ${effect.child}`;
        case "end":
          return `end ${effect.exitCode}`;
        case "note-death":
          return `died ${effect.child}`;
        default:
          return effect.type;
      }
    });
    this.effects = [];
    return texts;
  }

  kind(child: ChildName): string | undefined {
    return this.state.children.get(child)?.kind;
  }
}
