// Inside the machine: what it costs to have many services in the kernel's table, from nothing and with one server more, by
// Baton's pieces (file to table, in one process that runs already) and by keepalived.
//   node programming-main.js RESULT.json COUNT…
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type OwnServices, plan, type ServiceKey, serviceName, wantedTable } from "@baton/ipvs";
import { addressKey } from "@baton/ipvs/testing";
import { parseConfig } from "@baton/keepalived-conf";
import { type IpvsTable, openIpvsTable } from "@baton/linux";

const [resultFile = "", ...counts] = process.argv.slice(2);

const addressOf = (index: number): string => `10.${100 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
const server = (index: number): string => `real_server 192.0.2.${index} 80 {\nweight 1\n}\n`;

/** Services of two servers, the last one of `last`. */
function fileOf(count: number, last: number): string {
  const blocks = Array.from({ length: count }, (_, i) => {
    const servers = Array.from({ length: i === count - 1 ? last : 2 }, (_none, k) => server(k + 1));
    return `virtual_server ${addressOf(i)} 80 {\ndelay_loop 6\nlb_algo rr\nlb_kind DR\nprotocol TCP\n${servers.join("")}}\n`;
  });
  return blocks.join("");
}

interface Cost {
  readonly milliseconds: number;
  /** Of the processor, user and system. */
  readonly cpuMilliseconds: number;
}

async function measured(cpu: () => number, action: () => void | Promise<void>): Promise<Cost> {
  const [since, used] = [performance.now(), cpu()];
  await action();
  return { milliseconds: Math.round(performance.now() - since), cpuMilliseconds: Math.round(cpu() - used) };
}

const keyOfLast = (count: number): ServiceKey => addressKey(addressOf(count - 1));

async function measureOwn(table: IpvsTable, count: number): Promise<object> {
  const state: { own: OwnServices; known: ReturnType<IpvsTable["list"]> } = { own: new Map(), known: [] };
  const carryOut = (text: string): void => {
    const { config } = parseConfig({ file: "keepalived.conf", hostName: "vm", readFile: () => ({ text }) });
    if (config === undefined) throw new Error("no configuration");
    const wanted = wantedTable(config, ({ realServers }) => realServers);
    const made = plan({ wanted: wanted.services, unknown: wanted.unknown, own: state.own, dumped: table.list() });
    const refused = table.change(made.operations).filter(({ ok }) => !ok);
    if (refused.length > 0) throw new Error(JSON.stringify(refused[0]));
    state.own = made.own;
  };
  const cpu = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const fromNothing = await measured(cpu, () => carryOut(fileOf(count, 2)));
  const oneMore = await measured(cpu, () => carryOut(fileOf(count, 3)));
  const reading = await measured(cpu, () => void table.list());
  const inPlace = table.listDestinations(keyOfLast(count)).length === 3;
  const [known] = table.listServices();
  if (!inPlace || known === undefined)
    throw new Error(`the table is not as it has to be: ${serviceName(keyOfLast(count))}`);
  table.change([{ kind: "flush" }]);
  return { fromNothing, oneMore, reading };
}

/** Of a process and its children, in steps of 10 ms. */
function cpuOf(pid: number): number {
  const own = (each: number): number => {
    const fields = readFileSync(`/proc/${each}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").filter(Boolean);
  return [pid, ...children.map(Number)].reduce((sum, each) => sum + own(each), 0);
}

async function measureKeepalived(table: IpvsTable, count: number): Promise<object> {
  const file = "/run/many.conf";
  const servers = async (wanted: number): Promise<void> => {
    const end = performance.now() + 600_000;
    while (table.listDestinations(keyOfLast(count)).length !== wanted) {
      if (performance.now() > end) throw new Error(`keepalived has not made ${count} services in ten minutes`);
      await delay(20);
    }
  };
  const running: { child: ChildProcess | undefined } = { child: undefined };
  const cpu = (): number => (running.child?.pid === undefined ? 0 : cpuOf(running.child.pid));
  writeFileSync(file, fileOf(count, 2));
  const fromNothing = await measured(cpu, () => {
    const words = ["-C", "-n", "-p", "/run/m.pid", "-c", "/run/mc.pid", "-f", file];
    running.child = spawn("keepalived", words, { stdio: "ignore" });
    return servers(2);
  });
  writeFileSync(file, fileOf(count, 3));
  const oneMore = await measured(cpu, () => {
    running.child?.kill("SIGHUP");
    return servers(3);
  });
  const stop = await measured(
    () => 0,
    async () => {
      if (running.child === undefined) return;
      const ended = once(running.child, "exit");
      running.child.kill("SIGTERM");
      await ended;
    },
  );
  table.change([{ kind: "flush" }]);
  return { fromNothing, oneMore, stopMilliseconds: stop.milliseconds };
}

const table = openIpvsTable();
// Both find the modules loaded.
table.change([{ kind: "flush" }]);
const results: object[] = [];
for (const count of counts.map(Number)) {
  const warm = await measureOwn(table, Math.min(count, 100));
  results.push({
    services: count,
    warm,
    baton: await measureOwn(table, count),
    keepalived: await measureKeepalived(table, count),
  });
  writeFileSync(resultFile, JSON.stringify(results));
}
table.close();
