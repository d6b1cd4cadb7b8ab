// Inside the machine, in a namespace of its own: the real servers of all cases. Each behaves to each director as its script
// says, from attempt to attempt, whatever the other one does. Prints when each attempt began: DIRECTOR CASE SECONDS (of the monotonic clock).
//   node servers-main.js FAMILY KEYS NUMBERS      KEYS: a directory with good.key, good.pem, expired.key, …; 1,2,3: cases
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  type Director,
  directors,
  dropSeconds,
  fileOf,
  place,
  serverAddress,
  sessionText,
  sources,
  type VerdictCase,
  verdictCases,
} from "./cases.ts";
import { directorOf, startDoors } from "./doors.ts";

const family = process.argv[2] === "6" ? 6 : 4;
const numbers = new Set((process.argv[4] ?? "").split(",").map(Number));
const cases = new Map(
  verdictCases(family).flatMap((each) => (numbers.has(each.number) ? [[each.number, each] as const] : [])),
);

interface Stage {
  begun: number;
  /** What tells attempts apart: a port, a sequence, a process. */
  readonly ids: Map<string, number>;
}
const stages = new Map<string, Stage>();
const stageOf = (who: Director, number: number): Stage => {
  const key = `${who} ${number}`;
  const stage = stages.get(key) ?? { begun: 0, ids: new Map() };
  stages.set(key, stage);
  return stage;
};
const behaviourOf = ({ script }: VerdictCase, index: number): string =>
  script[Math.min(index, script.length - 1)] ?? "";

/** The same attempt is seen as a packet, and as a connection: whichever comes first. */
function attempt(who: Director, number: number, id: string): string {
  const each = cases.get(number);
  if (each === undefined) return "";
  const stage = stageOf(who, number);
  const known = stage.ids.get(id);
  if (known !== undefined) return behaviourOf(each, known);
  const index = stage.begun++;
  stage.ids.set(id, index);
  const now = behaviourOf(each, index);
  // What is dropped comes again, as long as the attempt lasts.
  setTimeout(() => prepare(who, each, index + 1), now === "dropped" ? dropSeconds * 1000 : 0);
  return now;
}

const reported = new Set<string>();
/** Once for each; a packet that comes again is of the same attempt. */
function report(who: Director, number: number, id: string, at: number): void {
  const key = `${who} ${number} ${id}`;
  if (!cases.has(number) || reported.has(key)) return;
  reported.add(key);
  attempt(who, number, id);
  process.stdout.write(`${who} ${number} ${at}\n`);
}

const monotonicSeconds = (): number => Number(process.hrtime.bigint()) / 1e9;

const early = new Set(["refused", "prohibited", "dropped"]);
const servers = { 4: "10.2.0.", 6: "fd02::" } as const;

/** What has to be so before the attempt begins. */
function prepare(who: Director, each: VerdictCase, index: number): void {
  const [before, now] = [index === 0 ? "" : behaviourOf(each, index - 1), behaviourOf(each, index)];
  if (each.kind === "program") writeFileSync(`${place}/next-${who}-${each.number}`, `${now}\n`);
  const pair = `${sources[who][family]} . ${servers[family]}${each.number}`;
  const map = `inet verdicts way${family}`;
  if (before === now) return;
  if (early.has(before)) nft(`delete element ${map} { ${pair} }`);
  if (early.has(now)) nft(`add element ${map} { ${pair} : goto ${now} }`);
}

const rules = `
table inet verdicts {
  map way4 { type ipv4_addr . ipv4_addr : verdict; }
  map way6 { type ipv6_addr . ipv6_addr : verdict; }
  chain refused { meta l4proto tcp reject with tcp reset; reject with icmpx port-unreachable; }
  chain prohibited { reject with icmpx admin-prohibited; }
  chain dropped { drop; }
  chain begins {
    log prefix "verdict-packet "
    ip saddr . ip daddr vmap @way4
    ip6 saddr . ip6 daddr vmap @way6
  }
  chain in {
    type filter hook input priority 0;
    tcp flags & (syn | ack) == syn jump begins
    udp dport { 7, 53 } jump begins
    icmp type echo-request jump begins
    icmpv6 type echo-request jump begins
  }
}
`;

/** Reads commands as they come: a process for each would be late. */
const interactive: ChildProcess = spawn("nft", ["-i"], { stdio: ["pipe", "ignore", "inherit"] });
const nft = (line: string): void => void interactive.stdin?.write(`${line}\n`);

/** The kernel's log: packets that begin an attempt, and what programs say of themselves. */
function readKernelLog(): void {
  // Records have a clock of their own, in microseconds; what is older than this one was about others.
  const mark = `verdict-clock ${process.pid} ${monotonicSeconds()}`;
  let behind: number | undefined;
  const log = spawn("cat", ["/dev/kmsg"], { stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: log.stdout }).on("line", (line) => {
    const stamp = Number(line.split(",")[2]) / 1e6;
    if (line.includes(mark)) behind = Number(mark.split(" ")[2]) - stamp;
    if (behind === undefined) return;
    const program = /verdict-program (\w+) (\d+) (\d+)/.exec(line);
    if (program !== null) return report(program[1] as Director, Number(program[2]), program[3] ?? "", stamp + behind);
    const packet = /verdict-packet .* SRC=(\S+) DST=(\S+) .* (?:SPT|SEQ)=(\d+)/.exec(line);
    const who = packet === null ? undefined : directorOf(packet[1] ?? "");
    if (packet !== null && who !== undefined) report(who, lastPart(packet[2] ?? ""), packet[3] ?? "", stamp + behind);
  });
  writeFileSync("/dev/kmsg", `${mark}\n`);
}
/** As in cases.ts: the same digits in both families. */
const lastPart = (address: string): number => Number(/0*(\d+)$/.exec(address)?.[1]);

/** What is followed knows no attempts: each number, and each state of a neighbor, stands for a while. */
const stepMillis = 9_000;
function step(index: number): void {
  for (const each of cases.values()) {
    if (each.kind === "file") writeNumber(each, behaviourOf(each, index));
    else if (each.kind === "bfd") playNeighbor(each, behaviourOf(each, index) === "there");
    else continue;
    for (const who of directors) report(who, each.number, String(index), monotonicSeconds());
  }
}

function writeNumber(each: VerdictCase, text: string): void {
  if (text === "nothing") rmSync(fileOf(each), { force: true });
  else writeFileSync(fileOf(each), `${text}\n`);
}

const neighbors = new Map<VerdictCase, ChildProcess>();
function playNeighbor(each: VerdictCase, there: boolean): void {
  const running = neighbors.get(each);
  if (there === (running !== undefined)) return;
  neighbors.delete(each);
  // It says goodbye.
  if (running !== undefined) return void running.kill();
  const file = (name: string): string => `${place}/neighbor${each.number}.${name}`;
  const text = directors.map((who) => sessionText(who, sources[who][each.family], serverAddress(each))).join("");
  writeFileSync(file("conf"), text);
  const pids = ["-p", file("pid"), "-r", file("vrrp"), "-c", file("check"), "-b", file("bfd")];
  neighbors.set(each, spawn("keepalived", ["-n", "-f", file("conf"), ...pids], { stdio: "ignore" }));
}

writeFileSync(`${place}/rules`, rules);
nft(`include "${place}/rules"`);
for (const each of cases.values()) for (const who of directors) prepare(who, each, 0);
readKernelLog();
await startDoors({
  cases: [...cases.values()],
  attempt,
  keys: (name) => readFileSync(`${process.argv[3]}/${name}`, "utf8"),
});
step(0);
process.stdout.write("ready\n");
process.once("exit", () => {
  for (const neighbor of neighbors.values()) neighbor.kill();
});
process.once("SIGTERM", () => process.exit(0));
createInterface({ input: process.stdin }).once("line", () => {
  let index = 1;
  setInterval(() => step(index++), stepMillis);
});
