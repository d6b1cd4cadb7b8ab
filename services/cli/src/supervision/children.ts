// How each child is started and told to stop. Children have sessions of their own: no signal of the supervisor's
// terminal or service manager reaches them, only the supervisor ends them (SAFETY S6).
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { DumpKind } from "@baton/host";
import type { ChildName, Report } from "./types.ts";

export interface Child {
  readonly pid: number;
  /** Asks; its end comes by `exited`. */
  stop(reason: string): void;
  kill(): void;
  reload(): void;
  dump(what: DumpKind): void;
}

export interface ChildListener {
  reported(report: Report): void;
  exited(exit: string): void;
}

/** Rejects when it cannot be started. */
export type Launch = (restarts: number, listener: ChildListener) => Promise<Child>;

/** A child that is a service of ours: a Node process. */
export type ServiceChild = Exclude<ChildName, "nats" | "redis">;

export interface ServiceSpec {
  readonly service: ServiceChild;
  /** Compiled composition root of the service. */
  readonly main: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A process that has loaded its program and waits for its turn: whom it replaces is missed for that much less. */
export interface Successor {
  /** Resolves when it waits, has ended, or takes too long. */
  readonly prepared: Promise<void>;
  isAlive(): boolean;
  /** Its turn, also when it is not prepared yet. */
  begin(listener: ChildListener): Promise<Child>;
  discard(): void;
}

/** How long a successor may take, in ms: less than a replacement may (`limits.replacement`). */
const preparationMs = 4_000;

/**
 * V8 collects garbage with helper threads, for which the main thread waits: on a busy machine they have no processor when
 * it has, and pauses of milliseconds become seconds (4,000 takeovers at once on two loaded cores: a third of election's
 * time). One thread does it in less time than it takes to find the others.
 */
const collector = "--single-threaded-gc";
/**
 * V8 takes time in which little happens for time to spare: it goes through the whole heap several times, to give memory
 * back, and forgets code that has not run lately. In the services of a takeover that is more than all they do in a minute,
 * and a takeover runs what has not run lately.
 */
const stayReady = ["--no-memory-reducer", "--no-flush-bytecode"];
/**
 * Megabytes that new objects may fill before they are looked through: many takeovers at once are one look or two in the
 * services that carry them out; what tells of them may take its time, and memory counts more.
 */
const youngMegabytes = { ofTakeovers: 32, ofOthers: 4 } as const;

const takesOver = (service: ServiceChild): boolean => service === "election" || service === "dataplane";

export const serviceCommand = (service: ServiceChild, main: string): string[] => [
  process.execPath,
  collector,
  ...(takesOver(service) ? stayReady : []),
  `--max-semi-space-size=${takesOver(service) ? youngMegabytes.ofTakeovers : youngMegabytes.ofOthers}`,
  main,
];

export const launchService =
  (spec: ServiceSpec): Launch =>
  (restarts, listener) =>
    serviceChild(spawnService(spec, { BATON_RESTARTS: String(restarts) }), listener);

/** The service is started up to where it would begin its work, and waits there (`startHost`). */
export function prepareService(spec: ServiceSpec, restarts: number): Successor {
  const child = spawnService(spec, { BATON_RESTARTS: String(restarts), BATON_STANDBY: "1" });
  const prepared = new Promise<void>((resolve) => {
    child.once("message", () => resolve());
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
    setTimeout(resolve, preparationMs).unref();
  });
  return {
    prepared,
    isAlive: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    begin: (listener) => {
      tell(child, { type: "begin" });
      return serviceChild(child, listener);
    },
    discard: () => child.kill("SIGKILL"),
  };
}

function spawnService({ service, main, env }: ServiceSpec, more: Readonly<Record<string, string>>): ChildProcess {
  const [command = "", ...args] = serviceCommand(service, main);
  return spawn(command, args, {
    detached: true,
    cwd: "/",
    // Standard output and error are our error output: log lines, which live on when we do not.
    stdio: ["ignore", 2, 2, "ipc"],
    env: { ...env, ...more },
  });
}

async function serviceChild(child: ChildProcess, listener: ChildListener): Promise<Child> {
  child.on("message", (message) => {
    const report = readReport(message);
    if (report !== undefined) listener.reported(report);
  });
  const pid = await started(child, listener);
  return {
    pid,
    stop: (reason) => tell(child, { type: "stop", reason }),
    kill: () => child.kill("SIGKILL"),
    reload: () => tell(child, { type: "reload" }),
    dump: (what) => tell(child, { type: "dump", what }),
  };
}

/** A child that ended meanwhile cannot be told anything; its end is on its way. */
function tell(child: ChildProcess, message: object): void {
  if (child.connected) child.send(message, () => undefined);
}

export interface BrokerSpec {
  readonly argv: readonly string[];
  /** Taken over: closed when the broker has its own copy. */
  readonly log: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export async function launchBroker(spec: BrokerSpec, listener: ChildListener): Promise<Child> {
  const [command = "", ...args] = spec.argv;
  const child = spawn(command, args, {
    detached: true,
    cwd: "/",
    stdio: ["ignore", spec.log, spec.log],
    env: { ...spec.env },
  });
  closeSync(spec.log);
  const pid = await started(child, listener);
  return {
    pid,
    stop: () => child.kill("SIGTERM"),
    kill: () => child.kill("SIGKILL"),
    reload: () => undefined,
    dump: () => undefined,
  };
}

function started(child: ChildProcess, listener: ChildListener): Promise<number> {
  return new Promise((resolve, reject) => {
    // An error after the start concerns a message that could not be sent: the exit tells the rest.
    child.on("error", reject);
    child.on("exit", (code, signal) => listener.exited(signal ?? `code ${code ?? "unknown"}`));
    const { pid } = child;
    if (pid !== undefined) resolve(pid);
  });
}

const reportTypes: ReadonlySet<string> = new Set<Report["type"]>([
  "ready",
  "alive",
  "stopped",
  "config",
  "config-failed",
]);

/** Services are our own; what is none of their messages is dropped all the same. */
function readReport(message: unknown): Report | undefined {
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  return typeof message.type === "string" && reportTypes.has(message.type) ? (message as Report) : undefined;
}
