// `baton up`: one node in the foreground. What it starts and restarts is decided in `supervision/`; here it is put
// together, and what a user can put right is said in one sentence before anything is touched.
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { prepareBus } from "@baton/event-log";
import { type Configuration, type Host, paths, readConfiguration, startHost } from "@baton/host";
import { formatDiagnostic } from "@baton/keepalived-conf";
import { bootNow, killExact, lockFile, processStartTime, sdNotify, watchExit } from "@baton/linux";
import type { UpCommand } from "../arguments.ts";
import { natsCommand, redisCommand } from "../supervision/brokers.ts";
import { type Launch, launchService, serviceCommand } from "../supervision/children.ts";
import { endOrphans, findStrays, recordedOrphans } from "../supervision/orphans.ts";
import { type Brokers, openBrokers } from "../supervision/own-brokers.ts";
import {
  makePrivateDirectory,
  readServices,
  removeFile,
  runFiles,
  writePrivateFile,
  writeServices,
} from "../supervision/run-directory.ts";
import { createServiceStates } from "../supervision/service-states.ts";
import { type Supervisor, startSupervisor } from "../supervision/supervisor.ts";
import type { ChildName } from "../supervision/types.ts";
import type { Console } from "./console.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface UpDependencies {
  readonly console: Console;
  readonly env: Env;
  readonly hostName: string;
  readonly userId: number;
  readonly pid: number;
  /** Where a service's compiled composition root is. */
  mainOf(service: ServiceChild): string;
  onSignal(signal: "SIGTERM" | "SIGINT" | "SIGHUP", handler: () => void): void;
}

export type ServiceChild = Exclude<ChildName, "nats" | "redis">;

/** What a user can put right: one sentence, exit code 1. */
class Refusal extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "Refusal";
    this.exitCode = exitCode;
  }
}

/** One node, with every path absolute: services run in another directory. */
interface Node {
  readonly name: string;
  readonly config: string;
  readonly settings: string | undefined;
  readonly runDir: string;
  readonly stateDir: string;
  readonly readyFile: string | undefined;
}

export async function up(command: UpCommand, dependencies: UpDependencies): Promise<number> {
  const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));
  const node: Node = {
    name: command.name ?? dependencies.hostName,
    config: resolve(command.config),
    settings: absolute(command.settings),
    runDir: resolve(command.runDir),
    stateDir: resolve(command.stateDir),
    readyFile: absolute(command.readyFile),
  };
  try {
    const configuration = readFiles(node, dependencies);
    checkMachine(configuration, dependencies);
    return await runLocked(node, configuration, dependencies);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    dependencies.console.error(error.message);
    return error.exitCode;
  }
}

// --- before anything is touched ---------------------------------------------------------------------------------------

/** Control validates again and is the one that applies; this is so that a wrong file does not end a running node's orphans. */
function readFiles(node: Node, { env }: UpDependencies): Configuration {
  const result = readConfiguration({ file: node.config, settingsFile: node.settings, env });
  const { configuration, diagnostics, exitCode } = result;
  if (configuration !== undefined) return configuration;
  throw new Refusal(diagnostics.map(formatDiagnostic).join("\n"), exitCode === 0 ? 1 : exitCode);
}

function checkMachine({ settings }: Configuration, { env, userId }: UpDependencies): void {
  if (userId !== 0) throw new Refusal("baton up needs root: raw sockets, addresses, users of scripts");
  const needed = [
    ...(settings.nats === undefined ? ["nats-server"] : []),
    ...(settings.redis === undefined ? ["redis-server"] : []),
    "nft",
  ];
  const missing = needed.filter((program) => !isInPath(program, env));
  if (missing.length > 0)
    throw new Refusal(`missing on this machine: ${missing.join(", ")} (deploy/bootstrap installs them)`);
}

const isInPath = (program: string, env: Env): boolean =>
  (env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, program)));

// --- under the lock ---------------------------------------------------------------------------------------------------

async function runLocked(node: Node, configuration: Configuration, dependencies: UpDependencies): Promise<number> {
  for (const directory of [node.runDir, node.stateDir]) {
    try {
      makePrivateDirectory(directory);
    } catch (error) {
      throw new Refusal(`cannot use ${directory}: ${messageOf(error)}`);
    }
  }
  const lock = lockFile(runFiles.lock(node.runDir));
  if (lock === undefined)
    throw new Refusal(`baton is already running on ${node.runDir}; another node needs another --run-dir`);
  try {
    return await runNode(node, configuration, dependencies);
  } finally {
    lock.close();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function runNode(node: Node, configuration: Configuration, dependencies: UpDependencies): Promise<number> {
  const { env, onSignal } = dependencies;
  const earlier = readServices(node.runDir);
  const orphans = await endEarlier(node, earlier, dependencies);
  if (node.readyFile !== undefined) removeFile(node.readyFile);

  const childEnv: Env = {
    ...env,
    // For this process alone.
    NOTIFY_SOCKET: undefined,
    BATON_NODE: node.name,
    BATON_RUN_DIR: node.runDir,
    BATON_STATE_DIR: node.stateDir,
    BATON_CONFIG: node.config,
    BATON_SETTINGS: node.settings,
  };
  const host = await startHost({ service: "supervisor", env: childEnv, signals: "leave" });
  if (orphans.length > 0) host.log.warn("ended what an earlier run left behind", { services: orphans });
  const brokers = await openBrokers({
    node: node.name,
    runDir: node.runDir,
    stateDir: node.stateDir,
    settings: configuration.settings,
    env: childEnv,
    prepare: (admin) => prepareBus({ node: node.name, admin }),
    onProblem: (message, error) => host.log.warn(message, { cause: error }),
  }).catch((error: unknown) => {
    throw new Refusal(messageOf(error));
  });
  const launches = launchesOf(brokers, configuration, childEnv, dependencies);
  // An orphan's place is taken over, not started anew: election must know that it was restarted (SAFETY S5).
  const restarts = (name: ChildName): number => (orphans.includes(name) ? (earlier[name]?.restarts ?? 0) + 1 : 0);
  const withRestarts = [...launches].map(([name, launch]) => [name, { launch, restarts: restarts(name) }] as const);
  const supervisor = supervise(node, new Map(withRestarts), host, dependencies);
  onSignal("SIGTERM", () => supervisor.stop("SIGTERM"));
  onSignal("SIGINT", () => supervisor.stop("SIGINT"));
  onSignal("SIGHUP", () => supervisor.reload());

  const exitCode = await supervisor.ended;
  await host.stop("stopped");
  if (node.readyFile !== undefined) removeFile(node.readyFile);
  for (const file of [
    paths.credentials(node.runDir),
    runFiles.natsConfig(node.runDir),
    runFiles.redisConfig(node.runDir),
  ]) {
    removeFile(file);
  }
  return exitCode;
}

const serviceChildren: readonly ServiceChild[] = ["control", "dataplane", "health", "election", "notifier", "uplink"];

function endEarlier(
  node: Node,
  earlier: ReturnType<typeof readServices>,
  { mainOf }: UpDependencies,
): Promise<ChildName[]> {
  const commands = new Map<ChildName, readonly string[]>([
    ["nats", natsCommand(runFiles.natsConfig(node.runDir))],
    ["redis", redisCommand(runFiles.redisConfig(node.runDir))],
    ...serviceChildren.map((name) => [name, serviceCommand(mainOf(name))] as const),
  ]);
  const found = [...recordedOrphans(earlier), ...findStrays(commands, node.runDir, processStartTime)];
  return endOrphans(found, { kill: killExact, watchExit });
}

function launchesOf(
  brokers: Brokers,
  { settings }: Configuration,
  env: Env,
  { mainOf }: UpDependencies,
): Map<ChildName, Launch> {
  const launches = new Map<ChildName, Launch>();
  if (brokers.nats !== undefined) launches.set("nats", brokers.nats);
  if (brokers.redis !== undefined) launches.set("redis", brokers.redis);
  const services = serviceChildren.filter((service) => service !== "uplink" || settings.hub !== undefined);
  for (const service of services) launches.set(service, launchService({ main: mainOf(service), env }));
  return launches;
}

// --- what the supervisor tells the world --------------------------------------------------------------------------------

type Launches = Parameters<typeof startSupervisor>[0]["launches"];

function supervise(node: Node, launches: Launches, host: Host, { console, env, pid }: UpDependencies): Supervisor {
  const self = { pid, startTime: processStartTime(pid) ?? 0 };
  const notify = (state: string): void => {
    if (env.NOTIFY_SOCKET === undefined || env.NOTIFY_SOCKET === "") return;
    try {
      sdNotify(env.NOTIFY_SOCKET, state);
    } catch (error) {
      host.log.warn("the service manager does not listen", { cause: error });
    }
  };
  writeServices(node.runDir, { supervisor: self, services: {} });
  const states = createServiceStates(launches.keys(), bootNow);
  void host.serveWatch({ states: states.states }).catch((error: unknown) => {
    host.log.warn("the state of the services cannot be watched", { cause: error });
  });
  host.log.info("starting", { runDir: node.runDir, stateDir: node.stateDir, config: node.config });
  return startSupervisor({
    now: bootNow,
    launches,
    log: host.log,
    onRunning(children) {
      const services = [...children].flatMap(([name, child]) => {
        const startTime = processStartTime(child.pid);
        return startTime === undefined ? [] : [[name, { ...child, startTime }] as const];
      });
      states.update(children);
      writeServices(node.runDir, { supervisor: self, services: Object.fromEntries(services) });
    },
    onReady() {
      host.log.info("ready");
      if (node.readyFile !== undefined) writePrivateFile(node.readyFile, `${node.name}\n`);
      notify("READY=1");
    },
    onStopping(reason) {
      host.log.info("stopping", { reason });
      notify("STOPPING=1");
    },
    onDeath(service, childPid, exit, restarts) {
      host.log.error(`${service} died`, { child: service, pid: childPid, exit, restarts });
      const data = { service, pid: childPid, exit, restarts };
      host.events.append({ kind: "service", id: "supervisor" }, { type: "service-died", data });
    },
    onRejected(diagnostics) {
      for (const diagnostic of diagnostics) console.error(formatDiagnostic(diagnostic));
    },
    async beforeStop(child) {
      // The last of our own events, while there is still a stream that takes them.
      if (child === "nats") await host.stop("stopped");
    },
  });
}
