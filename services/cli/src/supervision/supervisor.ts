// The shell around the supervisor's machine: feeds it what happens, carries out what it says, in order.
import { assertNever, type Instant, messageOf } from "@baton/domain";
import type { DumpKind } from "@baton/host";
import type { Diagnostic } from "@baton/keepalived-conf";
import type { Child, ChildListener, Launch, Successor } from "./children.ts";
import { initialState, isNeeded, step } from "./machine.ts";
import type { ChildName, Effect, Input, SupervisorState } from "./types.ts";

export interface Launcher {
  readonly launch: Launch;
  /** Starts the one that is to replace an adopted one, up to where it begins; undefined: a broker, which cannot wait. */
  readonly prepare: ((restarts: number) => Successor) | undefined;
  /** Starts by earlier supervisors. */
  readonly restarts: number;
  /** A process of an earlier supervisor that still does the work. */
  readonly adopted: Adopted | undefined;
}

export interface Adopted {
  readonly pid: number;
  kill(): void;
  onExit(handler: () => void): { close(): void };
}

export interface SupervisorDependencies {
  now(): Instant;
  readonly launches: ReadonlyMap<ChildName, Launcher>;
  readonly log: {
    info(message: string, fields?: Record<string, unknown>): void;
    warn(message: string, fields?: Record<string, unknown>): void;
    error(message: string, fields?: Record<string, unknown>): void;
  };
  /** Who runs has changed; `spared`: those that are not needed. Called before anything else can happen. */
  onRunning(children: ReadonlyMap<ChildName, { pid: number; restarts: number }>, spared: ReadonlySet<ChildName>): void;
  onReady(): void;
  onStopping(reason: string): void;
  onDeath(child: ChildName, pid: number, exit: string, restarts: number): void;
  onRejected(diagnostics: readonly Diagnostic[]): void;
  /** Before a child is told to stop: the last chance to use it. */
  beforeStop(child: ChildName): Promise<void>;
}

export interface Supervisor {
  stop(reason: string): void;
  reload(): void;
  /** Has control write one of keepalived's files; decides nothing, so the machine is not asked. */
  dump(what: DumpKind): void;
  /** Resolves with the exit code when every child is gone. */
  readonly ended: Promise<number>;
}

export function startSupervisor(dependencies: SupervisorDependencies): Supervisor {
  return new RunningSupervisor(dependencies);
}

class RunningSupervisor implements Supervisor {
  readonly ended: Promise<number>;
  readonly #dependencies: SupervisorDependencies;
  readonly #children = new Map<ChildName, Promise<Child>>();
  /** Referenced for as long as it watches: one that is collected hears nothing. */
  readonly #watches = new Map<ChildName, { close(): void }>();
  readonly #successors = new Map<ChildName, Successor>();
  readonly #inputs: Input[] = [];
  #state: SupervisorState;
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #end: (exitCode: number) => void = () => undefined;

  constructor(dependencies: SupervisorDependencies) {
    this.#dependencies = dependencies;
    const { launches } = dependencies;
    const known = [...launches].map(
      ([name, { restarts, adopted }]) => [name, { restarts, adopted: adopted?.pid }] as const,
    );
    this.#state = initialState(new Map(known));
    for (const [name, { adopted }] of launches) if (adopted !== undefined) this.#adopt(name, adopted);
    this.#tellRunning();
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#feed({ type: "begin" });
  }

  stop(reason: string): void {
    this.#feed({ type: "stop", reason, exitCode: 0 });
    this.#discardSuccessors();
  }

  reload(): void {
    this.#feed({ type: "reload" });
  }

  dump(what: DumpKind): void {
    if (!this.#children.has("control")) this.#dependencies.log.warn("no control that could dump", { what });
    this.#tell("control", (child) => child.dump(what));
  }

  /** One input after the other: an effect may bring the next one. */
  #feed(input: Input): void {
    this.#inputs.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const { state, effects } = step(this.#state, next, this.#dependencies.now());
        this.#state = state;
        for (const effect of effects) this.#carryOut(effect);
      }
    } finally {
      this.#busy = false;
      this.#arm();
    }
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const { wakeAt } = this.#state;
    if (wakeAt === undefined) return;
    const millis = Math.max(0, (wakeAt - this.#dependencies.now()) / 1000);
    this.#timer = setTimeout(() => {
      // Timers run before messages are read: one turn more, so that whoever spoke is heard first (SAFETY S2).
      setImmediate(() => this.#feed({ type: "woke" }));
    }, Math.ceil(millis));
  }

  #carryOut(effect: Effect): void {
    const { log, onReady, onStopping, onDeath, onRejected } = this.#dependencies;
    switch (effect.type) {
      case "start":
        this.#start(effect.child, effect.restarts);
        return;
      case "ask-to-stop":
        void this.#askToStop(effect.child, effect.reason);
        return;
      case "kill":
        log.warn(`killing ${effect.child}: ${effect.why}`, { child: effect.child });
        this.#tell(effect.child, (child) => child.kill());
        return;
      case "reload-config":
        this.#tell("control", (child) => child.reload());
        return;
      case "announce-ready":
        onReady();
        return;
      case "announce-stopping":
        onStopping(effect.reason);
        return;
      case "note-death":
        onDeath(effect.child, effect.pid, effect.exit, effect.restarts);
        return;
      case "reject-config":
        onRejected(effect.diagnostics);
        return;
      case "end":
        clearTimeout(this.#timer);
        this.#discardSuccessors();
        this.#end(effect.exitCode);
        return;
      default:
        assertNever(effect);
    }
  }

  #adopt(name: ChildName, adopted: Adopted): void {
    const { pid } = adopted;
    // It was somebody else's child and hears no word of ours: see the machine.
    const deaf = (): void => undefined;
    this.#children.set(
      name,
      Promise.resolve({ pid, kill: () => void this.#makeRoom(name, adopted), stop: deaf, reload: deaf, dump: deaf }),
    );
    const watch = adopted.onExit(() => {
      this.#watches.delete(name);
      this.#children.delete(name);
      this.#feed({ type: "exited", child: name, exit: "unknown: it was started by another supervisor" });
      this.#tellRunning();
    });
    this.#watches.set(name, watch);
  }

  /** An adopted one works on until its successor has only to begin. */
  async #makeRoom(name: ChildName, adopted: Adopted): Promise<void> {
    const { prepare, restarts = 0 } = this.#dependencies.launches.get(name) ?? {};
    try {
      if (prepare !== undefined && this.#state.phase === "running") {
        const successor = prepare(restarts + 1);
        this.#successors.set(name, successor);
        await successor.prepared;
      }
    } catch (error) {
      this.#dependencies.log.warn(`no successor of ${name} can be prepared`, { cause: error });
    }
    adopted.kill();
  }

  #discardSuccessors(): void {
    for (const successor of this.#successors.values()) successor.discard();
    this.#successors.clear();
  }

  #launch(name: ChildName, restarts: number, listener: ChildListener): Promise<Child> | undefined {
    const successor = this.#successors.get(name);
    this.#successors.delete(name);
    if (successor?.isAlive()) return successor.begin(listener);
    return this.#dependencies.launches.get(name)?.launch(restarts, listener);
  }

  #start(name: ChildName, restarts: number): void {
    const child = this.#launch(name, restarts, {
      reported: (report) => this.#feed({ type: "reported", child: name, report }),
      exited: (exit) => {
        this.#children.delete(name);
        this.#feed({ type: "exited", child: name, exit });
        this.#tellRunning();
      },
    });
    if (child === undefined) return;
    this.#children.set(name, child);
    child.then(
      ({ pid }) => {
        this.#feed({ type: "started", child: name, pid });
        this.#tellRunning();
      },
      (error: unknown) => {
        this.#children.delete(name);
        this.#feed({
          type: "start-failed",
          child: name,
          error: messageOf(error),
        });
      },
    );
  }

  #tell(name: ChildName, action: (child: Child) => void): void {
    this.#children.get(name)?.then(action, () => undefined);
  }

  async #askToStop(name: ChildName, reason: string): Promise<void> {
    await this.#dependencies.beforeStop(name);
    this.#tell(name, (child) => child.stop(reason));
  }

  #tellRunning(): void {
    const running = [...this.#state.children].flatMap(([name, child]) =>
      child.kind === "down" || child.pid === 0
        ? []
        : [[name, { pid: child.pid, restarts: child.record.restarts }] as const],
    );
    const spared = [...this.#state.children.keys()].filter((name) => !isNeeded(this.#state, name));
    this.#dependencies.onRunning(new Map(running), new Set(spared));
  }
}
