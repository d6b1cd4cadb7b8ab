// `baton up`: one node in the foreground. What it starts and restarts is decided in `supervision/`; here it is put
// together, and what a user can put right is said in one sentence before anything is touched.
import { resolve } from "node:path";
import { messageOf } from "@baton/domain";
import { prepareBus } from "@baton/event-log";
import { type Configuration, type Host, paths, readSnapshot, startHost } from "@baton/host";
import { formatDiagnostic } from "@baton/keepalived-conf";
import { bootNow, killExact, processStartTime, resolveUser, sdNotify, setProcessName, watchExit } from "@baton/linux";
import { scriptEnvironment } from "@baton/script";
import type { AsKeepalived, UpCommand } from "../arguments/parse-arguments.ts";
import { natsCommand, redisCommand } from "../supervision/brokers.ts";
import { launchService, prepareService, type ServiceChild, serviceCommand } from "../supervision/children.ts";
import { chooseOrphans, endOrphans, findStrays, type Orphan, recordedOrphans } from "../supervision/orphans.ts";
import { type Brokers, openBrokers } from "../supervision/own-brokers.ts";
import {
  readServices,
  removeFile,
  runFiles,
  type ServicesFile,
  writePrivateFile,
  writeServices,
} from "../supervision/run-directory.ts";
import { createServiceStates } from "../supervision/service-states.ts";
import { type Adopted, type Launcher, type Supervisor, startSupervisor } from "../supervision/supervisor.ts";
import type { ChildName } from "../supervision/types.ts";
import type { Console } from "./console.ts";
import { keepalivedPidFiles, runningUnder } from "./keepalived-pids.ts";
import { type NodeScriptParts, runNodeScript } from "./node-script.ts";
import { removePidFile, writePidFile } from "./pid-file.ts";
import { type Env, type NodePlaces, occupy, prepare, Refusal } from "./preparation.ts";
import { dumpSignals } from "./signals.ts";

export interface UpDependencies {
  readonly console: Console;
  readonly env: Env;
  readonly hostName: string;
  readonly userId: number;
  readonly pid: number;
  /** Where a service's compiled composition root is. */
  mainOf(service: ServiceChild): string;
  /** A number: a real-time signal. False: it cannot be heard, and still ends the process. */
  onSignal(signal: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR1" | "SIGUSR2" | number, handler: () => void): boolean;
}

export async function up(command: UpCommand, dependencies: UpDependencies): Promise<number> {
  const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));
  const name = command.name ?? dependencies.hostName;
  const node: NodePlaces = {
    name,
    // keepalived's default is the name of its machine, cut like this; ours may stand for another one.
    configId: command.id ?? name.split(".")[0] ?? "",
    config: resolve(command.config),
    netNamespace: command.asKeepalived?.netNamespace,
    settings: absolute(command.settings),
    keepsServices: command.asKeepalived?.keepsServices === true,
    runDir: resolve(command.runDir),
    stateDir: resolve(command.stateDir),
    readyFile: absolute(command.readyFile),
    pidFiles: command.pidFiles.map((file) => resolve(file)),
  };
  const { console, env, userId } = dependencies;
  try {
    const configuration = prepare(node, env, userId);
    const other = command.asKeepalived && otherKeepalived(command.asKeepalived, configuration, dependencies.pid);
    if (other !== undefined) {
      console.error(`a keepalived is already running, with pid ${other}`);
      return 0;
    }
    const lock = occupy(node, userId);
    try {
      const { name: processName } = configuration.config.global.processes;
      if (processName !== undefined) setProcessName(processName);
      const files = command.asKeepalived && keepalivedPidFiles(command.asKeepalived, configuration.config);
      const pidFiles = [...node.pidFiles, ...(files ?? [])];
      return await runNode({ ...node, pidFiles }, configuration, command, dependencies);
    } finally {
      lock.close();
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    return error.exitCode;
  }
}

/** keepalived ends without a fault when another one is there: a second start of a unit is none. */
const otherKeepalived = (as: AsKeepalived, { config }: Configuration, self: number): number | undefined =>
  runningUnder(keepalivedPidFiles(as, config), self);

async function runNode(
  node: NodePlaces,
  configuration: Configuration,
  command: UpCommand,
  dependencies: UpDependencies,
): Promise<number> {
  const { env, pid } = dependencies;
  const childEnv = childEnvOf(node, env);
  const host = await startHost({ service: "supervisor", env: childEnv, signals: "leave" });
  const brokers = await openBrokers({
    node: node.name,
    runDir: node.runDir,
    stateDir: node.stateDir,
    settings: configuration.settings,
    env: childEnv,
    prepare: (admin) => prepareBus({ node: node.name, admin }),
    onProblem: (message, error) => host.log.warn(message, { cause: error }),
  }).catch(refuse);
  if (node.readyFile !== undefined) removeFile(node.readyFile);
  const launches = launchesOf(brokers, configuration, childEnv, dependencies);
  const earlier = readServices(node.runDir);
  const orphans = chooseOrphans(
    findOrphans(node, earlier, dependencies),
    (name) => launches.has(name),
    processStartTime,
  );
  await endOrphans(orphans.end, { kill: killExact, watchExit }).catch(refuse);
  const launchers = [...launches].map(([name, launch]) => {
    const adopted = adoptedOf(orphans.adopt.get(name));
    return [
      name,
      { ...launch, adopted, restarts: adopted === undefined ? 0 : (earlier[name]?.restarts ?? 0) },
    ] as const;
  });
  if (orphans.adopt.size > 0) {
    host.log.warn("taking over what an earlier run left behind", { services: [...orphans.adopt.keys()] });
  }
  const { startupScript } = configuration.config.global;
  const scriptParts = scriptPartsOf(configuration, dependencies, host);
  const beforeTheStart = new AbortController();
  let supervisor: Supervisor | undefined;
  hearSignals(command, dependencies, host, {
    stop: (reason) => (supervisor === undefined ? beforeTheStart.abort() : supervisor.stop(reason)),
    // The files are read, and the dumps are written, by services that have not started then.
    reload: () => supervisor?.reload(),
    dump: (what) => supervisor?.dump(what),
  });
  // What goes on from an earlier run has started before.
  if (orphans.adopt.size === 0)
    await runNodeScript("startup_script", startupScript, { ...scriptParts, giveUp: beforeTheStart.signal });
  let exitCode = 0;
  let last = configuration;
  if (!beforeTheStart.signal.aborted) {
    supervisor = supervise(node, new Map(launchers), host, dependencies);
    placePidFiles(node, pid, host);
    exitCode = await supervisor.ended;
    last = await lastApplied(node, configuration, host);
  }
  await runShutdownScript(last, dependencies, host);
  for (const file of node.pidFiles) removePidFile(file, pid);
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

/** A reload may have changed it; what was never applied counts for nothing. */
async function lastApplied({ stateDir }: NodePlaces, first: Configuration, { log }: Host): Promise<Configuration> {
  try {
    return (await readSnapshot(stateDir)) ?? first;
  } catch (error) {
    log.warn("what was applied last cannot be read: shutdown_script is that of the start", { cause: error });
    return first;
  }
}

const runShutdownScript = (last: Configuration, dependencies: UpDependencies, host: Host): Promise<void> =>
  runNodeScript("shutdown_script", last.config.global.shutdownScript, scriptPartsOf(last, dependencies, host));

const childEnvOf = (node: NodePlaces, env: Env): Env => ({
  ...env,
  // For this process alone.
  NOTIFY_SOCKET: undefined,
  BATON_NODE: node.name,
  BATON_RUN_DIR: node.runDir,
  BATON_STATE_DIR: node.stateDir,
  BATON_CONFIG: node.config,
  BATON_CONFIG_ID: node.configId,
  BATON_NET_NAMESPACE: node.netNamespace,
  BATON_SETTINGS: node.settings,
  BATON_KEEP_SERVICES: node.keepsServices ? "1" : undefined,
});

function hearSignals(
  { asKeepalived }: UpCommand,
  { onSignal }: UpDependencies,
  { log }: Host,
  { stop, reload, dump }: Pick<Supervisor, "stop" | "reload" | "dump">,
): void {
  onSignal("SIGTERM", () => stop("SIGTERM"));
  onSignal("SIGINT", () => (asKeepalived?.ignoresInterrupt === true ? undefined : stop("SIGINT")));
  onSignal("SIGHUP", reload);
  const unheard = dumpSignals.filter(({ signal, what }) => !onSignal(signal, () => dump(what)));
  if (unheard.length > 0)
    log.warn("this Node hears no real-time signals", { unheard: unheard.map((each) => each.what) });
}

const scriptPartsOf = ({ config }: Configuration, { env, userId }: UpDependencies, { log }: Host): NodeScriptParts => ({
  scriptUser: config.global.scriptUser,
  lookup: resolveUser,
  own: { uid: userId, gid: process.getgid?.() ?? 0 },
  environment: scriptEnvironment(env),
  log,
  graceMillis: 2_000,
});

/** Where they cannot be written nobody finds us by them, which is no reason to keep addresses from anybody. */
function placePidFiles({ pidFiles }: NodePlaces, pid: number, { log }: Host): void {
  for (const file of pidFiles) {
    try {
      writePidFile(file, pid);
    } catch (error) {
      log.error("a pid file cannot be written", { file, cause: error });
    }
  }
}

const refuse = (error: unknown): never => {
  throw new Refusal(messageOf(error));
};

const serviceChildren: readonly ServiceChild[] = [
  "control",
  "dataplane",
  "health",
  "balancer",
  "election",
  "notifier",
  "uplink",
];

function findOrphans(node: NodePlaces, earlier: ReturnType<typeof readServices>, { mainOf }: UpDependencies): Orphan[] {
  const commands = new Map<ChildName, readonly string[]>([
    ["nats", natsCommand(runFiles.natsConfig(node.runDir))],
    ["redis", redisCommand(runFiles.redisConfig(node.runDir))],
    ...serviceChildren.map((name) => [name, serviceCommand(name, mainOf(name))] as const),
  ]);
  return [...recordedOrphans(earlier), ...findStrays(commands, node.runDir, processStartTime)];
}

function adoptedOf(orphan: Orphan | undefined): Adopted | undefined {
  if (orphan === undefined) return undefined;
  const { pid, startTime } = orphan;
  return {
    pid,
    kill: () => void killExact(pid, startTime, "SIGKILL"),
    onExit: (handler) => watchExit(pid, startTime, handler),
  };
}

function launchesOf(
  brokers: Brokers,
  { settings }: Configuration,
  env: Env,
  { mainOf }: UpDependencies,
): Map<ChildName, Pick<Launcher, "launch" | "prepare">> {
  const launches = new Map<ChildName, Pick<Launcher, "launch" | "prepare">>();
  if (brokers.nats !== undefined) launches.set("nats", { launch: brokers.nats, prepare: undefined });
  if (brokers.redis !== undefined) launches.set("redis", { launch: brokers.redis, prepare: undefined });
  const services = serviceChildren.filter((service) => service !== "uplink" || settings.hub !== undefined);
  for (const service of services) {
    const spec = { service, main: mainOf(service), env };
    launches.set(service, {
      launch: launchService(spec),
      prepare: (restarts) => prepareService(spec, restarts),
    });
  }
  return launches;
}

// --- what the supervisor tells the world --------------------------------------------------------------------------------

type Launches = Parameters<typeof startSupervisor>[0]["launches"];

function supervise(
  node: NodePlaces,
  launches: Launches,
  host: Host,
  { console, env, pid }: UpDependencies,
): Supervisor {
  const self = { pid, startTime: processStartTime(pid) ?? 0 };
  // A full disk must not end the supervisor: who is missing from the record is found by its command.
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      host.log.error(`${what} failed`, { cause: error });
    }
  };
  const notify = (state: string): void => {
    const socket = env.NOTIFY_SOCKET ?? "";
    if (socket !== "") attempt("telling the service manager", () => sdNotify(socket, state));
  };
  const record = (services: ServicesFile["services"]): void =>
    attempt("writing services.json", () => writeServices(node.runDir, { supervisor: self, services }));
  const states = createServiceStates(launches.keys(), bootNow);
  void host.serveWatch({ states: states.states }).catch((error: unknown) => {
    host.log.warn("the state of the services cannot be watched", { cause: error });
  });
  host.log.info("starting", { runDir: node.runDir, stateDir: node.stateDir, config: node.config });
  return startSupervisor({
    now: bootNow,
    launches,
    log: host.log,
    onRunning(children, spared) {
      const services = [...children].flatMap(([name, child]) => {
        const startTime = processStartTime(child.pid);
        return startTime === undefined ? [] : [[name, { ...child, startTime }] as const];
      });
      states.update(children, spared);
      record(Object.fromEntries(services));
    },
    onReady() {
      host.log.info("ready");
      const { readyFile } = node;
      if (readyFile !== undefined)
        attempt("writing the ready file", () => writePrivateFile(readyFile, `${node.name}\n`));
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
