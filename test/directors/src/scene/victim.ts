// Inside the machine: a director to be robbed of its processes. A whole node, as `baton up` starts it, or (much sooner there)
// as much of it as balancing needs.
import { fileURLToPath } from "node:url";
import { RunningBaton, type RunningName } from "../running/running-baton.ts";
import { startBaton } from "./director.ts";
import { command, until } from "./network.ts";

export interface Victim {
  /** Who can be killed. */
  readonly services: readonly string[];
  /** SIGKILL of all of them at once, in this order. Hands out what waits until each is back and has begun its work. */
  kill(services: readonly string[]): Promise<() => Promise<void>>;
  reload(text: string): Promise<void>;
  /** Stored events of virtual servers, in their order: type and what it is about. */
  events(): Promise<string[]>;
  /** SIGTERM; fulfilled when it is gone. */
  stop(): Promise<void>;
  log(): string;
}

/** Emulated, a process needs half a minute to come back beside others. */
export const patienceSeconds = 900;
const batonCommand = fileURLToPath(new URL("../../../../services/cli/bin/baton.js", import.meta.url));

export const startVictim = (name: string, text: string, isWhole: boolean): Promise<Victim> =>
  isWhole ? startWhole(name, text) : startPart(name, text);

const linesWith = (log: string, ...words: readonly string[]): number =>
  log.split("\n").filter((line) => words.every((word) => line.includes(word))).length;

const timesFound = (log: string): number => linesWith(log, `"message":"bus connected"`);

async function startWhole(name: string, text: string): Promise<Victim> {
  const director = startBaton(name, text);
  await director.waitReady();
  /** How often a service has begun its work after a death; a broker: how often somebody has found it. */
  const begun = (service: string): number =>
    service === "nats"
      ? timesFound(director.log())
      : linesWith(director.log(), `"service":"${service}"`, "the last run ended without a stop");
  return {
    services: ["health", "balancer", "nats", "dataplane"],
    async kill(services) {
      const before = services.map((service) => ({ service, pid: director.pidOf(service), begun: begun(service) }));
      await command(`kill -9 ${before.map(({ pid }) => pid).join(" ")}`);
      const isBack = (one: (typeof before)[number]): boolean => {
        const pid = director.pidOf(one.service);
        return pid !== undefined && pid !== one.pid && begun(one.service) > one.begun;
      };
      return async () => {
        for (const one of before) await until(`${one.service} to be back`, () => isBack(one), patienceSeconds, 500);
      };
    },
    reload: async (changed) => director.reload(changed),
    events: () => eventsOf(director.runDirectory),
    stop: director.stop,
    log: director.log,
  };
}

async function startPart(name: string, text: string): Promise<Victim> {
  const baton = await RunningBaton.start(name, text);
  return {
    services: ["health", "balancer", "nats", "control"],
    async kill(services) {
      const found = timesFound(baton.log());
      await Promise.all(services.map((service) => baton.kill(service as RunningName)));
      return async () => {
        await baton.waitReady();
        if (!services.includes("nats")) return;
        await until("the bus to be found", () => timesFound(baton.log()) > found, patienceSeconds, 500);
      };
    },
    reload: (changed) => baton.reload(changed),
    events: () => eventsOf(baton.runDirectory),
    stop: () => baton.stop(),
    log: () => baton.log(),
  };
}

interface ToldEvent {
  readonly type: string;
  readonly aggregateKind: string;
  readonly data: { readonly virtualServer?: string; readonly server?: string };
}

async function eventsOf(runDirectory: string): Promise<string[]> {
  const said = await command(
    `${process.execPath} ${batonCommand} events --run-dir ${runDirectory} --limit 10000 --json 2>&1`,
  );
  return said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ToldEvent)
    .filter(({ aggregateKind }) => aggregateKind === "virtual-server")
    .map(({ type, data }) => `${type} ${data.server ?? data.virtualServer}`);
}
