// Routers and a client on one bridge, in network namespaces of their own. Nothing here touches the machine's own
// network, and nothing outlives the process that made it: see `destroy`, `startInit` and stale.ts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BatonNode, type BatonOptions, startBaton } from "./baton-node.ts";
import { type Capture, startCapture } from "./capture.ts";
import { must, run, runSync } from "./command.ts";
import { type Flood, type FloodOptions, startFlood } from "./flood.ts";
import { type KeepalivedNode, startKeepalived } from "./keepalived-node.ts";
import type { StartedProcess } from "./lab-process.ts";
import { type Loss, type LossShare, startLoss } from "./loss.ts";
import { createMachine, enterNamespace, enterRouter, type Machine, type RouterInit, startInit } from "./machine.ts";
import { type MailServer, startMailServer } from "./mail.ts";
import { type Probe, type ProbeOptions, realTimePrefix, script, startProbe } from "./prober.ts";
import { killQuietly, processesIn, startTimeOf } from "./proc.ts";
import { cleanStaleLabs, directoryPrefix, type Owner, ownerFile } from "./stale.ts";
import {
  buildCommands,
  cableCommands,
  type HostPlace,
  namespacesOf,
  planTopology,
  type RouterPlace,
  type Topology,
} from "./topology.ts";
import { waitFor } from "./wait.ts";

export interface LabOptions {
  /** Appears in the directory's name. */
  readonly name: string;
  readonly routers?: readonly string[];
  /** A management network with a machine of its own on it. */
  readonly hub?: boolean;
  /** Clean up on SIGINT, SIGTERM and SIGHUP (default); false for a program that does so itself. */
  readonly signals?: boolean;
}

export interface Router extends Machine {
  /** PID 1 of this router, as the machine knows it. */
  readonly initPid: number;
  startBaton(config: string, options?: BatonOptions): Promise<BatonNode>;
  /** `program`: another keepalived than the machine's own. */
  startKeepalived(config: string, program?: string, isTalkative?: boolean): Promise<KeepalivedNode>;
  /** Takes every mail on 127.0.0.1:25. */
  startMailServer(): Promise<MailServer>;
  /** SIGKILL to every process of this router at once; its kernel goes on. The responder goes too unless it is kept. */
  killEverything(options?: { keepResponder?: boolean }): Promise<void>;
  /** Answers the client's probes; runs from the start. */
  startResponder(): Promise<void>;
}

export interface Client extends Machine {
  probe(options: ProbeOptions): Promise<Probe>;
  /** Adverts in thousands that no router may believe. */
  flood(options: FloodOptions): Promise<Flood>;
}

export interface Hub extends Machine {
  /** A unix socket on the host that leads to a TCP port inside the hub's namespace. */
  relay(port: number, host?: string): Promise<string>;
}

export interface Lab {
  readonly id: string;
  readonly directory: string;
  readonly topology: Topology;
  readonly routers: readonly Router[];
  readonly client: Client;
  router(name: string): Router;
  hub(): Hub;
  /** `carrier` pulls the cable (default), `admin` is `ip link set eth0 down`. */
  linkDown(router: string, how?: "carrier" | "admin"): Promise<void>;
  linkUp(router: string): Promise<void>;
  /** Drops VRRP, and nothing else, between the routers; `from` one router only. */
  cutVrrp(from?: string): Promise<void>;
  healVrrp(): Promise<void>;
  /** From now on so many of the adverts that come to the routers are lost. */
  loseVrrp(shares: readonly LossShare[]): Promise<Loss>;
  /** So many more cables, each a bridge of its own, `v1` and on to whoever is on it: the routers, and the client if asked. */
  addCables(count: number, options?: { readonly client: boolean }): Promise<void>;
  /** Records on an interface of a router, or on the bridge (`br0`) when none is named. */
  capture(options?: { router?: string; interface?: string; filter?: string }): Promise<Capture>;
  /** What every process said, for the message of a failed test. */
  logs(): string;
  destroy(): Promise<void>;
}

interface Build {
  readonly topology: Topology;
  readonly directory: string;
  readonly processes: Set<StartedProcess>;
  readonly inits: Map<string, RouterInit>;
}

/** Labs of this process that still stand; `count` makes their names different. */
const standing = { labs: new Set<Build>(), count: 0 };

export async function createLab(options: LabOptions): Promise<Lab> {
  await cleanStaleLabs();
  const build = prepare(options);
  standing.labs.add(build);
  if (options.signals !== false) onSignals();
  onExit();
  try {
    return await raise(build);
  } catch (error) {
    await destroy(build);
    throw error;
  }
}

function prepare(options: LabOptions): Build {
  const letter = String.fromCharCode(97 + (standing.count % 26));
  const round = Math.floor(standing.count / 26);
  standing.count += 1;
  const id = `bt${process.pid}${letter}${round === 0 ? "" : round}`;
  const topology = planTopology({ id, routers: options.routers ?? ["r1", "r2"], hub: options.hub === true });
  const directory = mkdtempSync(join(tmpdir(), `${directoryPrefix}${options.name}-`));
  const owner: Owner = {
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? "",
    namespaces: namespacesOf(topology),
  };
  writeFileSync(join(directory, ownerFile), JSON.stringify(owner));
  return { topology, directory, processes: new Set(), inits: new Map() };
}

async function raise(build: Build): Promise<Lab> {
  const { topology, directory } = build;
  for (const command of buildCommands(topology)) await must(["ip", ...command.split(" ")]);
  await Promise.all(
    topology.routers.map(async (place) => {
      build.inits.set(place.name, await startInit({ ...place, directory: directoryOf(build, place.name) }));
    }),
  );
  const routers = topology.routers.map((place) => createRouter(build, place));
  await Promise.all(routers.map((router) => router.startResponder()));
  const client = createClient(build);
  const bridge = plainMachine(build, { name: "bridge", namespace: topology.bridge, interface: "br0", address: "" });
  const { hub } = topology;
  const hubMachine = hub === undefined ? undefined : createHub(build, hub);
  const router = (name: string): Router => {
    const found = routers.find((each) => each.name === name);
    if (found === undefined) throw new Error(`this lab has no router ${name}`);
    return found;
  };
  return {
    id: topology.id,
    directory,
    topology,
    routers,
    client,
    router,
    hub() {
      if (hubMachine === undefined) throw new Error("this lab was made without a hub");
      return hubMachine;
    },
    ...disturbances(build, router),
    async addCables(count, options = { client: false }) {
      for (const command of cableCommands(topology, count, options)) await must(["ip", ...command.split(" ")]);
    },
    loseVrrp: (shares) => startLoss(routers, shares),
    capture({ router: name, interface: networkInterface, filter = "" } = {}) {
      if (name === undefined) return startCapture(bridge, networkInterface ?? "br0", filter);
      return startCapture(router(name), networkInterface ?? "eth0", filter);
    },
    logs: () => [...build.processes].map(({ name, log }) => `--- ${name}\n${log().slice(-4000)}`).join("\n"),
    destroy: () => destroy(build),
  };
}

// --- machines ---------------------------------------------------------------------------------------------------------

function directoryOf(build: Build, name: string): string {
  const directory = join(build.directory, name);
  mkdirSync(directory, { recursive: true });
  return directory;
}

function plainMachine(build: Build, host: HostPlace): Machine {
  const place = {
    name: host.name,
    namespace: host.namespace,
    address: host.address,
    directory: directoryOf(build, host.name),
    enter: enterNamespace(host.namespace),
    entersByFork: false,
    root: "",
  };
  return createMachine(place, (child) => build.processes.add(child));
}

function createRouter(build: Build, host: RouterPlace): Router {
  const init = build.inits.get(host.name);
  if (init === undefined) throw new Error(`router ${host.name} has not been started`);
  const directory = directoryOf(build, host.name);
  const place = {
    name: host.name,
    namespace: host.namespace,
    address: host.address,
    directory,
    enter: enterRouter(init),
    entersByFork: true,
    root: `/proc/${init.pid}/root`,
  };
  const machine = createMachine(place, (child) => build.processes.add(child));
  // The responder lives in the router's network but not among its processes: it stands for the service behind the
  // address, and must go on when the node's own processes are killed for a test.
  const outside = plainMachine(build, { ...host, name: `${host.name}-responder` });
  const responder: { child: StartedProcess | undefined } = { child: undefined };
  return {
    ...machine,
    initPid: init.pid,
    startBaton: (config, options) => startBaton(machine, init.pid, config, options),
    startKeepalived: (config, program, isTalkative) => startKeepalived(machine, config, program, isTalkative),
    startMailServer: () => startMailServer(machine),
    async killEverything({ keepResponder = false } = {}) {
      if (!keepResponder) void responder.child?.kill();
      // -1: every process of this PID namespace but PID 1, in one system call.
      await machine.exec(["bash", "-c", "kill -KILL -1"]);
    },
    async startResponder() {
      const state = { started: false };
      const argv = [...(await realTimePrefix(outside)), process.execPath, script("responder"), host.name];
      const child = await outside.spawn("responder", argv, {
        onMessage: () => {
          state.started = true;
        },
      });
      responder.child = child as StartedProcess;
      await waitFor(`the responder of ${host.name}`, () => {
        if (!child.running) throw new Error(`the responder of ${host.name} has ended: ${child.log()}`);
        return state.started;
      });
    },
  };
}

function createClient(build: Build): Client {
  const machine = plainMachine(build, build.topology.client);
  return {
    ...machine,
    flood: (options) => startFlood(machine, options),
    async probe(options) {
      const prefix = await realTimePrefix(machine);
      return startProbe(options, async (argv, onMessage) => {
        const child = await machine.spawn("prober", [...prefix, ...argv], { onMessage });
        return child as StartedProcess;
      });
    },
  };
}

function createHub(build: Build, host: HostPlace): Hub {
  const machine = plainMachine(build, host);
  return {
    ...machine,
    async relay(port, address = "127.0.0.1") {
      const socket = join(machine.directory, `relay-${port}.sock`);
      const state = { started: false };
      const child = await machine.spawn("relay", [process.execPath, script("relay"), socket, address, String(port)], {
        onMessage: () => {
          state.started = true;
        },
      });
      await waitFor("the relay to listen", () => {
        if (!child.running) throw new Error(`the relay has ended: ${child.log()}`);
        return state.started;
      });
      return socket;
    },
  };
}

// --- disturbances -----------------------------------------------------------------------------------------------------

const cutTable = "baton_lab_cut";

function disturbances(
  { topology }: Build,
  router: (name: string) => Router,
): Pick<Lab, "linkDown" | "linkUp" | "cutVrrp" | "healVrrp"> {
  const place = (name: string): RouterPlace => {
    const found = topology.routers.find((each) => each.name === router(name).name);
    if (found === undefined) throw new Error(`this lab has no router ${name}`);
    return found;
  };
  const set = (namespace: string, link: string, state: "up" | "down"): Promise<string> =>
    must(["ip", "-n", namespace, "link", "set", link, state]);
  const nft = (input: string): Promise<string> =>
    must(["ip", "netns", "exec", topology.bridge, "nft", "-f", "-"], { input });
  return {
    async linkDown(name, how = "carrier") {
      const { namespace, port, interface: networkInterface } = place(name);
      await (how === "carrier" ? set(topology.bridge, port, "down") : set(namespace, networkInterface, "down"));
    },
    async linkUp(name) {
      const { namespace, port, interface: networkInterface } = place(name);
      await set(topology.bridge, port, "up");
      await set(namespace, networkInterface, "up");
    },
    async cutVrrp(from) {
      const match = from === undefined ? "" : `iifname "${place(from).port}" `;
      await nft(
        `table bridge ${cutTable} { chain forward { type filter hook forward priority 0; ${match}ip protocol 112 drop; }; }`,
      );
    },
    healVrrp: async () => {
      await nft(`table bridge ${cutTable}\ndelete table bridge ${cutTable}`);
    },
  };
}

// --- the end ----------------------------------------------------------------------------------------------------------

async function destroy(build: Build): Promise<void> {
  if (!standing.labs.delete(build)) return;
  for (const child of build.processes) child.signal("SIGKILL");
  await Promise.all([...build.inits.values()].map((init) => init.end()));
  await Promise.all([...build.processes].map((child) => child.exited.catch(() => undefined)));
  for (const namespace of namespacesOf(build.topology)) {
    for (const pid of processesIn(namespace)) killQuietly(pid, "SIGKILL");
    await run(["ip", "netns", "del", namespace]);
  }
  rmSync(build.directory, { recursive: true, force: true, maxRetries: 3 });
}

/** The same where nothing can be awaited any more. */
function destroyAllNow(): void {
  for (const build of standing.labs) {
    standing.labs.delete(build);
    for (const child of build.processes) child.signal("SIGKILL");
    for (const init of build.inits.values()) init.endNow();
    for (const namespace of namespacesOf(build.topology)) {
      for (const pid of processesIn(namespace)) killQuietly(pid, "SIGKILL");
      runSync(["ip", "netns", "del", namespace]);
    }
    rmSync(build.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

function onExit(): void {
  if (!process.listeners("exit").includes(destroyAllNow)) process.on("exit", destroyAllNow);
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function onSignal(signal: NodeJS.Signals): void {
  destroyAllNow();
  process.removeListener(signal, onSignal);
  // Whoever else listens decides what happens next; if nobody does, the signal does what it always does.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function onSignals(): void {
  for (const signal of signals) {
    if (!process.listeners(signal).includes(onSignal)) process.on(signal, onSignal);
  }
}
