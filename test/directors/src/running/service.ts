// One service of Baton's as `baton up` runs it: a process of its own, told and heard by the channel, started again when it dies.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ServiceReport, SupervisorCommand } from "@baton/host";
import { until, within } from "../scene/network.ts";

export type ServiceName = "control" | "health" | "balancer";

/** Resolved, never imported: a service is a process of its own. */
const mains: Readonly<Record<ServiceName, string>> = {
  control: fileURLToPath(new URL("main.js", import.meta.resolve("@baton/control"))),
  health: fileURLToPath(new URL("main.js", import.meta.resolve("@baton/health-service"))),
  balancer: fileURLToPath(new URL("main.js", import.meta.resolve("@baton/balancer"))),
};
/** As services that carry out no takeover are started. */
const flags = ["--single-threaded-gc", "--max-semi-space-size=4"];

/** A process, and its end. */
export interface Life {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
}

export function startLife(namespace: string, argv: readonly string[], log: number, env: NodeJS.ProcessEnv): Life {
  const [program = "", ...words] = argv;
  const child = within(namespace, () =>
    spawn(program, words, { cwd: "/", detached: true, stdio: ["ignore", log, log, "ipc"], env }),
  );
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  return { child, ended };
}

export interface ServicePlace {
  readonly namespace: string;
  /** Descriptor of the log. */
  readonly log: number;
  readonly env: NodeJS.ProcessEnv;
  reported(report: ServiceReport): void;
}

export class Service {
  readonly name: ServiceName;
  readonly #place: ServicePlace;
  #life: Life | undefined;
  /** Was asked to end, and has not yet. */
  #ending: Life | undefined;
  #isReady = false;
  #restarts = 0;

  constructor(name: ServiceName, place: ServicePlace) {
    this.name = name;
    this.#place = place;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get pid(): number | undefined {
    return this.#life?.child.pid;
  }

  /** Nothing where it runs. One that still ends is waited for. */
  start(): void {
    if (this.#life !== undefined) return;
    if (this.#ending !== undefined) return void this.#ending.ended.then(() => this.start());
    const { namespace, log, env, reported } = this.#place;
    const argv = [process.execPath, ...flags, mains[this.name]];
    const life = startLife(namespace, argv, log, { ...env, BATON_RESTARTS: String(this.#restarts) });
    this.#life = life;
    life.child.on("message", (message) => {
      const report = message as ServiceReport;
      if (report.type === "ready") this.#isReady = true;
      reported(report);
    });
    void life.ended.then(() => {
      this.#isReady = false;
      // Somebody has ended it who was not asked to: `end` forgets it first.
      if (this.#life !== life) return;
      this.#life = undefined;
      this.#restarts += 1;
      this.start();
    });
  }

  tell(command: SupervisorCommand): void {
    this.#life?.child.send(command, () => undefined);
  }

  /** SIGKILL. Fulfilled when it is gone and another one has been started, which has yet to load. */
  async kill(): Promise<void> {
    const life = this.#life;
    life?.child.kill("SIGKILL");
    await life?.ended;
  }

  /** Asked to, as the supervisor asks; fulfilled when it is gone. Nobody takes its place. */
  async end(reason: string): Promise<void> {
    const life = this.#life;
    this.tell({ type: "stop", reason });
    this.#life = undefined;
    if (life === undefined) return;
    this.#ending = life;
    await life.ended;
    this.#ending = undefined;
  }

  /** Where it or its successor has loaded and does its work. */
  waitReady(seconds: number, log: () => string): Promise<boolean> {
    return until(`${this.name} to be ready`, () => this.#isReady, seconds).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${log().slice(-4000)}`);
    });
  }
}
