// Inside the machine: the same real servers checked by health's checks and by keepalived, side by side, from two addresses,
// first over IPv4, then over IPv6. What either says after each attempt is written down.
//   node verdicts-main.js RESULT.json [TEXT]        TEXT: only cases whose name contains it
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type CheckedNode, makeCheckedNodes } from "@baton/health-service/testing";
import { enterNamespace, namespacePath, openIpvsTable } from "@baton/linux";
import { makeCertificates } from "@baton/probes/testing";
import { buildNetwork, command, until, within } from "../scene/network.ts";
import { type Director, directors, place, type VerdictCase, verdictCases, verdictFile } from "./cases.ts";
import { type Sighting, transcriptOf, type Verdict } from "./transcript.ts";

const [resultFile = "", only = ""] = process.argv.slice(2);
await buildNetwork([
  { name: "servers", addresses: ["10.0.0.100/16"] },
  { name: "own", addresses: ["10.0.1.1/16"] },
  { name: "other", addresses: ["10.0.1.2/16"] },
]);
// Addresses of real servers are here without being anybody's, and found through their host.
await command(
  "ip -n servers address add fd00::100/64 dev eth0 nodad && ip -n own address add fd00::1:1/64 dev eth0 nodad && " +
    "ip -n other address add fd00::1:2/64 dev eth0 nodad && " +
    "ip -n servers route add local 10.2.0.0/16 dev lo && ip -n servers route add local fd02::/64 dev lo && " +
    "for host in own other; do ip -n $host route add 10.2.0.0/16 via 10.0.0.100; ip -n $host route add fd02::/64 via fd00::100; done && " +
    "ip netns exec servers sysctl -qw net.ipv6.ip_nonlocal_bind=1 && " +
    "sysctl -qw net.netfilter.nf_log_all_netns=1 kernel.printk_devkmsg=on kernel.printk='1 4 1 7'",
);
// For good: health's checks are made by this process.
enterNamespace(namespacePath("own"));
mkdirSync(place, { recursive: true });
writeFileSync(
  `${place}/check`,
  `#!/bin/sh
read -r what <${place}/next-$1-$2
echo "verdict-program $1 $2 $$" >/dev/kmsg
case "$what" in
hang) exec sleep 60 ;;
signal) kill -SEGV $$ ;;
good) exit 0 ;;
*) exit "$what" ;;
esac
`,
);
chmodSync(`${place}/check`, 0o755);
makeCertificates(place);

/** Cases at one time: more would be late in an emulated machine. */
const together = 16;
const seconds = (): number => Number(process.hrtime.bigint()) / 1e9;

/** What was seen of each case, by director. */
type Log = ReadonlyMap<VerdictCase, Record<Director, Sighting[]>>;

function note(log: Log, who: Director, number: number, sighting: Sighting): void {
  for (const [each, sightings] of log) if (each.number === number) sightings[who].push(sighting);
}

async function startServers(family: 4 | 6, log: Log): Promise<ChildProcess> {
  const numbers = [...log.keys()].map(({ number }) => number);
  const main = fileURLToPath(new URL("servers-main.js", import.meta.url));
  const child = within("servers", () =>
    spawn(process.execPath, [main, String(family), place, numbers.join(",")], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  let ready = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [who = "", number, at] = line.split(" ");
    if (who === "ready") ready = true;
    else note(log, who as Director, Number(number), { what: "attempt", at: Number(at) });
  });
  await until("servers", () => ready);
  return child;
}

/** `RS [10.2.0.7]:tcp:80 [10.9.0.7]:tcp:80 DOWN`, `VS [10.9.0.7]:tcp:80 UP`: the service's address ends with the number. */
function readFifo(log: Log): () => void {
  // By a process of its own: a read that waits for ever would keep this one from its end.
  const reader = spawn("sh", ["-c", `exec cat <>${place}/fifo`], { stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: reader.stdout }).on("line", (raw) => {
    const [, subject = "", number, state = ""] =
      /(RS|VS) .*?(\d+)\]:tcp:80 (UP|DOWN)/.exec(raw.replaceAll("\0", "")) ?? [];
    note(log, "keepalived", Number(number), { what: "said", text: `${subject} ${state}`, at: seconds() });
  });
  return () => void reader.kill();
}

const numberOf = (service: string): number => Number(/(\d+)\]?:tcp/.exec(service)?.[1]);

/** Events that everybody is told of, as lines; and the table's changes. */
function followNode(node: CheckedNode, log: Log, from: { done: number }): void {
  const { appended } = node.host;
  for (; from.done < appended.length; from.done++) {
    const event = appended[from.done]?.event;
    if (event === undefined) continue;
    const say = (text: string, service: string, told: string): void => {
      if (told === "everyone") note(log, "baton", numberOf(service), { what: "said", text, at: seconds() });
    };
    if (event.type === "realserver-up") say("RS UP", event.data.virtualServer, event.data.told);
    else if (event.type === "realserver-down") say("RS DOWN", event.data.virtualServer, event.data.told);
    else if (event.type === "quorum-gained") say("VS UP", event.data.virtualServer, event.data.told);
    else if (event.type === "quorum-lost") say("VS DOWN", event.data.virtualServer, event.data.told);
    else if (event.type === "destinations-changed") {
      const text = String(event.data.set[0]?.weight ?? "out");
      note(log, "baton", numberOf(event.data.virtualServer), { what: "table", text, at: seconds() });
    }
  }
}

async function watchTable(log: Log, ends: { over: boolean }): Promise<void> {
  const table = within("other", openIpvsTable);
  while (!ends.over) {
    const at = seconds();
    for (const { key, destinations } of table.list()) {
      const number = key.kind === "address" ? Number(/(\d+)$/.exec(key.address)?.[1]) : 0;
      note(log, "keepalived", number, { what: "table", text: String(destinations[0]?.weight ?? "out"), at });
    }
    await delay(700);
  }
  table.close();
}

function startKeepalived(): ChildProcess {
  const output = openSync(`${place}/keepalived.log`, "w");
  const words = [
    "-C",
    "-n",
    "-l",
    "-D",
    "-p",
    `${place}/k.pid`,
    "-c",
    `${place}/c.pid`,
    "-b",
    `${place}/b.pid`,
    "-f",
    `${place}/keepalived.conf`,
  ];
  return within("other", () => spawn("keepalived", words, { stdio: ["ignore", output, output] }));
}

const attemptsOf = (sightings: readonly Sighting[]): number =>
  sightings.filter(({ what }) => what === "attempt").length;

async function compare(family: 4 | 6, cases: readonly VerdictCase[]): Promise<Verdict[]> {
  const log: Log = new Map(cases.map((each) => [each, { baton: [], keepalived: [] }]));
  for (const who of directors) writeFileSync(`${place}/${who}.conf`, verdictFile(cases, who));
  rmSync(`${place}/fifo`, { force: true });
  await command(`mkfifo ${place}/fifo`);
  const servers = await startServers(family, log);
  const closeFifo = readFifo(log);
  const ends = { over: false };
  const watching = watchTable(log, ends);
  const nodes = makeCheckedNodes();
  const node = await nodes.start(verdictFile(cases, "baton"));
  const keepalived = startKeepalived();
  const from = { done: 0 };
  const following = setInterval(() => followNode(node, log, from), 20);
  const isThere = ({ keepalived: seen }: Record<Director, Sighting[]>): boolean =>
    seen.some(({ what }) => what === "table");
  await until("keepalived's table", () => [...log.values()].every(isThere));
  servers.stdin?.write("go\n");
  // One attempt more than the script has: what the last one came to has been said by then.
  await until(
    "attempts",
    () => [...log].every(([{ script }, seen]) => directors.every((who) => attemptsOf(seen[who]) > script.length)),
    200,
  ).catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  const endedAt = seconds();
  await node.health.stop();
  followNode(node, log, from);
  const gone = new Promise((resolve) => keepalived.once("exit", resolve));
  keepalived.kill();
  await gone;
  await delay(1_000);
  clearInterval(following);
  ends.over = true;
  await watching;
  closeFifo();
  servers.kill();
  await command("ip netns exec servers nft flush ruleset");
  return cases.map((each) => ({
    name: each.name,
    family,
    script: each.script.join(" "),
    sameWaits: each.sameWaits,
    transcripts: {
      baton: transcriptOf(each, log.get(each)?.baton ?? [], endedAt),
      keepalived: transcriptOf(each, log.get(each)?.keepalived ?? [], endedAt),
    },
  }));
}

const verdicts: Verdict[] = [];
for (const family of [4, 6] as const) {
  const cases = verdictCases(family).filter(({ name }) => name.includes(only));
  for (let at = 0; at < cases.length; at += together) {
    verdicts.push(...(await compare(family, cases.slice(at, at + together))));
    writeFileSync(resultFile, JSON.stringify(verdicts));
  }
}
process.exit(0);
