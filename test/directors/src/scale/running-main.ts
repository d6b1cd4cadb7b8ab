// Inside the machine: directors that run, on a real ip_vs, each alone. From the file to the whole table; servers close, one
// after the other, until each has gone from the table; a reload with one server more, until it is there.
//   node running-main.js RESULT.json COUNT
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { addressKey } from "@baton/ipvs/testing";
import { type IpvsTable, openIpvsTable } from "@baton/linux";
import { RunningBaton } from "../running/running-baton.ts";
import { command, until, within } from "../scene/network.ts";
import { type Attempts, readAttempts, tcpdumpCommand } from "./attempts.ts";
import {
  type Crowd,
  crowdConfig,
  doorAddress,
  doorCount,
  doorPort,
  doorService,
  serversMain,
  serversNetwork,
  virtualAddress,
} from "./crowd.ts";

const [resultFile = "", count = ""] = process.argv.slice(2);
const crowd: Crowd = { virtualServers: Number(count), isChecked: false };
const patienceSeconds = 1_800;

interface Director {
  /** SIGHUP, or what comes to the same. */
  reload(text: string): void;
  stop(): Promise<void>;
}

async function startBaton(name: string, text: string): Promise<Director> {
  const baton = await RunningBaton.start(name, text);
  return { reload: (next) => void baton.reload(next), stop: () => baton.stop() };
}

async function startKeepalived(name: string, text: string): Promise<Director> {
  const file = `/run/${name}.conf`;
  writeFileSync(file, text);
  const words = ["-C", "-n", "-p", `/run/${name}.pid`, "-c", `/run/${name}c.pid`, "-f", file];
  const child = within(name, () => spawn("keepalived", words, { stdio: "ignore" }));
  return {
    reload: (next) => {
      writeFileSync(file, next);
      child.kill("SIGHUP");
    },
    stop: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

// --- the servers ------------------------------------------------------------------------------------------------------

const now = (): number => performance.timeOrigin + performance.now();

/** In the director's namespace, which has all of their addresses. */
async function openServers(name: string): Promise<{ readonly servers: ChildProcess; readonly tcpdump: ChildProcess }> {
  await command(
    `ip netns add ${name} && ip -n ${name} link set lo up && ip -n ${name} route add local ${serversNetwork} dev lo`,
  );
  const started = (program: string, words: readonly string[]): ChildProcess => {
    const out = openSync(`/run/${name}-${program.split("/").at(-1)}.log`, "w");
    return within(name, () => spawn(program, words, { stdio: ["ignore", out, out] }));
  };
  const [program = "", ...words] = tcpdumpCommand;
  const tcpdump = started(program, words);
  const servers = started(process.execPath, [serversMain]);
  await until(
    "the servers",
    () => readFileSync(`/run/${name}-node.log`, "utf8").includes("answering"),
    patienceSeconds,
  );
  return { servers, tcpdump };
}

/** A busy director is waited for less often: whoever asks takes its processor. */
async function inTable(ask: () => boolean, everyMs: number): Promise<number> {
  const end = now() + patienceSeconds * 1000;
  while (!ask()) {
    if (now() > end) throw new Error("the table is not as it has to be after half an hour");
    await delay(everyMs);
  }
  return now();
}

// --- the measurement --------------------------------------------------------------------------------------------------

async function measure(kind: "baton" | "keepalived"): Promise<object> {
  const { servers, tcpdump } = await openServers(kind);
  const table: IpvsTable = within(kind, openIpvsTable);
  const size = (address: string): number => {
    try {
      return table.listDestinations(addressKey(address)).length;
    } catch {
      return 0; // not there yet
    }
  };
  const last = virtualAddress(crowd.virtualServers - 1);
  const isWhole = (): boolean => size(last) === 2 && size(doorService(doorCount - 1)) === 1;
  const began = now();
  const director = await (kind === "baton" ? startBaton : startKeepalived)(kind, crowdConfig(crowd));
  const startedMs = await inTable(isWhole, 100);
  // Until each door has been checked.
  await delay(5_000);
  const gone: { readonly door: number; readonly closedAt: number; readonly goneAt: number }[] = [];
  for (let door = 0; door < doorCount; door++) {
    const closedAt = now();
    servers.kill("SIGUSR2");
    gone.push({ door, closedAt, goneAt: await inTable(() => size(doorService(door)) === 0, 10) });
  }
  const reloadedAt = now();
  director.reload(crowdConfig({ ...crowd, isOneMore: true }));
  const oneMoreMs = (await inTable(() => size(last) === 3, 20)) - reloadedAt;
  await director.stop();
  tcpdump.kill("SIGTERM");
  await once(tcpdump, "exit");
  servers.kill("SIGTERM");
  table.close();
  const attempts = readAttempts(readFileSync(`/run/${kind}-tcpdump.log`, "utf8"));
  return {
    startMs: Math.round(startedMs - began),
    oneMoreMs: Math.round(oneMoreMs),
    detection: {
      count: gone.length,
      wholeMs: spread(gone.map(({ closedAt, goneAt }) => goneAt - closedAt)),
      ownMs: spread(gone.map((each) => each.goneAt - lastAttempt(attempts, each.door, each.goneAt))),
    },
  };
}

/** What the software makes of it begins with the attempt that decides. */
const lastAttempt = (attempts: Attempts, door: number, before: number): number =>
  Math.max(...(attempts.get(`${doorAddress(door)}.${doorPort}`) ?? []).filter((at) => at < before));

function spread(values: readonly number[]): object {
  const sorted = values.toSorted((a, b) => a - b);
  const of = (q: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0);
  return { p50: of(0.5), p90: of(0.9), max: of(1) };
}

const results: Record<string, unknown> = { services: crowd.virtualServers };
for (const kind of ["keepalived", "baton"] as const) {
  results[kind] = await measure(kind).catch((error: unknown) => ({ failed: String(error) }));
  writeFileSync(resultFile, JSON.stringify(results));
}
process.exit(0);
