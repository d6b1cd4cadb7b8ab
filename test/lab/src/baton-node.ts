// One Baton node on a router: `baton up` as a user starts it, and its services by name for tests that hurt them.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Envelope, fromWire, NodeServiceClient, type NodeStatus } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { credentials, Metadata } from "@grpc/grpc-js";
import { keepalivedConfigFile } from "./keepalived-node.ts";
import type { Exit, LabProcess } from "./lab-process.ts";
import type { Machine } from "./machine.ts";
import { isAlive, killQuietly, outerPid } from "./proc.ts";
import { waitFor } from "./wait.ts";

export interface BatonOptions {
  /** The node's name; the router's when not given. */
  readonly name?: string;
  /** Text of baton.yaml. */
  readonly settings?: string;
  /** Where the configuration is put; keepalived's own place when not given. */
  readonly configFile?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface BatonNode {
  readonly name: string;
  readonly runDir: string;
  readonly stateDir: string;
  /** The supervisor's, as the machine knows it. */
  readonly pid: number;
  readonly process: LabProcess;
  /** Every instance has left its initial state. */
  waitReady(deadlineMs?: number): Promise<void>;
  status(): Promise<NodeStatus>;
  /** Waits until an instance (the first when not named) is in a state. */
  waitState(state: string, instance?: string, deadlineMs?: number): Promise<void>;
  /** Stored events, oldest first. */
  events(limit?: number): Promise<EventEnvelope[]>;
  /** Hands on stored events and then each new one. */
  follow(onEvent: (envelope: EventEnvelope) => void, onEnd?: (error: Error | undefined) => void): { close(): void };
  waitEvent(match: (envelope: EventEnvelope) => boolean, what: string, deadlineMs?: number): Promise<EventEnvelope>;
  /** Writes another configuration (where one is given) and sends SIGHUP. */
  reload(config?: string): void;
  /** SIGTERM, as systemd does it. */
  stop(deadlineMs?: number): Promise<Exit>;
  /** SIGKILL of the supervisor alone: the services go on (SAFETY S19). */
  killSupervisor(): Promise<Exit>;
  /** SIGKILL of the supervisor and every service and broker of this node, as near to at once as can be. */
  kill(): Promise<void>;
  /** As the machine knows it. Names are those of services.json: election, dataplane, …, nats, redis. */
  servicePid(service: string): number;
  /** The names with their pids. */
  servicePids(): Map<string, number>;
  signalService(service: string, signal: NodeJS.Signals): void;
  stopService(service: string): void;
  continueService(service: string): void;
  killService(service: string): void;
  /** Waits until another process does the work of a service that was killed. */
  waitRestarted(service: string, pidBefore: number, deadlineMs?: number): Promise<number>;
}

const command = fileURLToPath(new URL("../../../services/cli/bin/baton.js", import.meta.url));

export async function startBaton(
  router: Machine,
  initPid: number,
  config: string,
  options: BatonOptions = {},
): Promise<BatonNode> {
  const configFile = options.configFile ?? keepalivedConfigFile;
  const name = options.name ?? router.name;
  const runDir = join(router.directory, `${name}-run`);
  const stateDir = join(router.directory, `${name}-state`);
  const readyFile = join(router.directory, `${name}-ready`);
  router.writeFile(configFile, config);
  mkdirSync(router.directory, { recursive: true });
  rmSync(readyFile, { force: true }); // left by a node that was killed
  const settings = options.settings === undefined ? [] : ["--settings", writeSettings(router, name, options.settings)];
  const flags = ["--name", name, "--run-dir", runDir, "--state-dir", stateDir, "--ready-file", readyFile, ...settings];
  const child = await router.spawn(
    "baton",
    [process.execPath, command, "up", "--config", configFile, ...flags],
    options.env === undefined ? {} : { env: options.env },
  );
  const services = servicesOf(runDir, initPid);
  return {
    name,
    runDir,
    stateDir,
    pid: child.pid,
    process: child,
    ...queriesOf(runDir, child),
    ...services,
    async waitReady(deadlineMs = 20_000) {
      await waitFor(
        `${name} to be ready`,
        () => {
          if (!child.running) throw new Error(`baton up has ended:\n${child.log().slice(-4000)}`);
          return existsSync(readyFile);
        },
        { deadlineMs },
      );
    },
    reload(text) {
      if (text !== undefined) router.writeFile(configFile, text);
      child.signal("SIGHUP");
    },
    stop: (deadlineMs = 20_000) => child.stop(deadlineMs),
    killSupervisor: () => child.kill(),
    async kill() {
      const pids = [child.pid, ...services.servicePids().values()];
      for (const pid of pids) killQuietly(pid, "SIGKILL");
      await waitFor(`${name} to be gone`, () => !pids.some(isAlive));
    },
  };
}

function writeSettings(router: Machine, name: string, text: string): string {
  const file = join(router.directory, `${name}.yaml`);
  writeFileSync(file, text);
  return file;
}

// --- its services -----------------------------------------------------------------------------------------------------

interface ServicesFile {
  readonly services: Readonly<Record<string, { readonly pid: number }>>;
}

type Services = Pick<
  BatonNode,
  "servicePid" | "servicePids" | "signalService" | "stopService" | "continueService" | "killService" | "waitRestarted"
>;

function servicesOf(runDir: string, initPid: number): Services {
  const innerPids = (): [string, number][] => {
    const { services } = JSON.parse(readFileSync(join(runDir, "services.json"), "utf8")) as ServicesFile;
    return Object.entries(services).map(([name, { pid }]) => [name, pid]);
  };
  const find = (service: string): number | undefined => {
    const inner = innerPids().find(([name]) => name === service)?.[1];
    return inner === undefined ? undefined : outerPid(initPid, inner);
  };
  const servicePid = (service: string): number => {
    const pid = find(service);
    if (pid === undefined) throw new Error(`${service} does not run`);
    return pid;
  };
  const signalService = (service: string, signal: NodeJS.Signals): void => {
    process.kill(servicePid(service), signal);
  };
  return {
    servicePid,
    servicePids: () =>
      new Map(
        innerPids().flatMap(([name, inner]) => {
          const pid = outerPid(initPid, inner);
          return pid === undefined ? [] : [[name, pid] as const];
        }),
      ),
    signalService,
    stopService: (service) => signalService(service, "SIGSTOP"),
    continueService: (service) => signalService(service, "SIGCONT"),
    killService: (service) => signalService(service, "SIGKILL"),
    waitRestarted: (service, pidBefore, deadlineMs = 15_000) =>
      waitFor(
        `${service} to be started again`,
        () => {
          const pid = find(service);
          return pid === pidBefore ? undefined : pid;
        },
        { deadlineMs },
      ),
  };
}

// --- what it says about itself ----------------------------------------------------------------------------------------

type Queries = Pick<BatonNode, "status" | "waitState" | "events" | "follow" | "waitEvent">;

function queriesOf(runDir: string, child: LabProcess): Queries {
  const open = (): NodeServiceClient =>
    new NodeServiceClient(`unix:${join(runDir, "node.sock")}`, credentials.createInsecure());

  const status = (): Promise<NodeStatus> => {
    const client = open();
    return new Promise<NodeStatus>((resolve, reject) => {
      client.getStatus({ summary: false }, new Metadata(), { deadline: Date.now() + 5000 }, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    }).finally(() => client.close());
  };

  const stream = (
    request: { follow: boolean; limit: number },
    onEvent: (envelope: EventEnvelope) => void,
    onEnd: (error: Error | undefined) => void,
  ): { close(): void } => {
    const client = open();
    const call = client.streamEvents({ ...request, sinceId: "", type: "", aggregateKind: "", aggregateId: "" });
    call.on("data", (wire: Envelope) => {
      const envelope = fromWire(wire);
      if (envelope !== undefined) onEvent(envelope);
    });
    call.on("error", (error) => {
      client.close();
      onEnd(error);
    });
    call.on("end", () => {
      client.close();
      onEnd(undefined);
    });
    return { close: () => call.cancel() };
  };

  const events = (limit = 10_000): Promise<EventEnvelope[]> =>
    new Promise((resolve, reject) => {
      const found: EventEnvelope[] = [];
      stream(
        { follow: false, limit },
        (envelope) => found.push(envelope),
        (error) => (error === undefined ? resolve(found) : reject(error)),
      );
    });

  return {
    status,
    events,
    follow: (onEvent, onEnd = () => undefined) => stream({ follow: true, limit: 10_000 }, onEvent, onEnd),
    async waitState(state, instance, deadlineMs = 15_000) {
      await waitFor(
        `${instance ?? "the instance"} to be ${state}`,
        async () => {
          if (!child.running) throw new Error(`baton up has ended:\n${child.log().slice(-4000)}`);
          const { instances } = await status().catch(() => ({ instances: [] }));
          return instances.some((each) => each.state === state && (instance === undefined || each.name === instance));
        },
        { deadlineMs },
      );
    },
    waitEvent: (match, what, deadlineMs = 10_000) =>
      waitFor(what, async () => (await events().catch(() => [])).find(match), { deadlineMs, everyMs: 50 }),
  };
}
