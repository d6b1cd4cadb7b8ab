// Inside the machine: the same servers checked by health's checks and by keepalived, side by side, from two addresses. All
// break at once, and are good again: how many attempts each needed until its verdict, counted on the way to the servers.
//   node verdicts-main.js RESULT.json
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { makeCheckedNodes } from "@baton/health-service/testing";
import { enterNamespace, namespacePath, openIpvsTable } from "@baton/linux";
import { buildNetwork, command, until, within } from "../scene/network.ts";
import { echoAddress, serverAddress, type VerdictCase, verdictCases, verdictFile } from "./cases.ts";
import type { Verdict } from "./verdict.ts";

const [resultFile = ""] = process.argv.slice(2);
const sources = { baton: "10.0.1.1", keepalived: "10.0.1.2" } as const;
type Who = keyof typeof sources;
const both: readonly Who[] = ["baton", "keepalived"];

await buildNetwork([
  { name: "servers", addresses: [`${serverAddress}/8`, `${echoAddress}/8`] },
  { name: "own", addresses: [`${sources.baton}/8`] },
  { name: "other", addresses: [`${sources.keepalived}/8`] },
]);
// For good: health's checks are made by this process.
enterNamespace(namespacePath("own"));
const place = "/run/verdicts";
mkdirSync(place, { recursive: true });

const counterName = (who: Who, { port }: VerdictCase): string => `${who}${port}`;

/** On the servers' side: what begins an attempt, by who makes it; and echo requests that nobody answers. */
async function prepareCounters(): Promise<void> {
  const rows = verdictCases.flatMap((each) => both.map((who) => ({ who, each })));
  const counters = rows.map(({ who, each }) => `counter ${counterName(who, each)} { }`);
  const rules = rows.flatMap(({ who, each }) =>
    each.counted === undefined
      ? []
      : [`ip saddr ${sources[who]} ${each.counted} counter name ${counterName(who, each)}`],
  );
  const lines = ["table ip verdicts {", ...counters, "chain in {", "type filter hook input priority 0;", ...rules, "}"];
  writeFileSync(
    `${place}/rules`,
    `${[...lines, "chain broken { type filter hook input priority 1; }", "}"].join("\n")}\n`,
  );
  await command(`ip netns exec servers nft -f ${place}/rules`);
}

async function countsOf(who: Who): Promise<(each: VerdictCase) => number> {
  const listed = await command("ip netns exec servers nft list counters");
  const runs = readFileSync(`${place}/runs`, "utf8").split("\n");
  const namespace = (
    await command(`ip netns exec ${who === "baton" ? "own" : "other"} readlink /proc/self/ns/net`)
  ).trim();
  return (each) => {
    if (each.counted === undefined) return runs.filter((line) => line === namespace).length;
    const found = new RegExp(`counter ${counterName(who, each)} \\{\\s+packets (\\d+)`).exec(listed);
    return Number(found?.[1] ?? Number.NaN);
  };
}

async function startServers(): Promise<{ say(word: string): Promise<void> }> {
  await command(
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -keyout ${place}/key -out ${place}/cert 2>&1`,
  );
  const main = fileURLToPath(new URL("servers-main.js", import.meta.url));
  const child = within("servers", () =>
    spawn(process.execPath, [main, `${place}/key`, `${place}/cert`], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  const said: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => said.push(line));
  await until("servers", () => said.includes("ready"));
  return {
    async say(word) {
      said.length = 0;
      child.stdin.write(`${word}\n`);
      await until(`servers to be ${word}`, () => said.includes(word));
    },
  };
}

writeFileSync(`${place}/check`, `#!/bin/sh\nreadlink /proc/self/ns/net >>${place}/runs\ntest -e ${place}/good\n`);
chmodSync(`${place}/check`, 0o755);
/** Counting begins as shortly before the change as can be: what is tried in between is one attempt too many. */
const begin = async (good: boolean): Promise<void> => {
  const rule = good ? "flush chain ip verdicts broken" : "add rule ip verdicts broken icmp type echo-request drop";
  const change = good ? `touch ${place}/good` : `rm ${place}/good`;
  await command(`ip netns exec servers nft '${rule}; reset counters' >/dev/null && : >${place}/runs && ${change}`);
  await servers.say(good ? "good" : "broken");
};

/** Attempts of each until its verdict is as it has to be. */
async function verdicts(what: Verdict["what"], up: boolean): Promise<void> {
  const open = new Set(both.flatMap((who) => verdictCases.map((each) => ({ who, each }))));
  const attempts = new Map<VerdictCase, Partial<Record<Who, number>>>(verdictCases.map((each) => [each, {}]));
  await until(
    `verdicts after ${what}`,
    async () => {
      const reached = [...open].filter(({ who, each }) => verdictOf(who, each) === up);
      for (const who of new Set(reached.map((row) => row.who))) {
        const count = await countsOf(who);
        for (const row of reached.filter((each) => each.who === who)) {
          open.delete(row);
          attempts.set(row.each, { ...attempts.get(row.each), [who]: count(row.each) });
        }
      }
      return open.size === 0;
    },
    120,
  ).catch((error: unknown) => {
    results.push({ what, name: String(error), open: [...open].map(({ who, each }) => `${who}: ${each.name}`) });
  });
  for (const [{ name }, counted] of attempts) results.push({ what, name, ...counted });
}

const verdictOf = (who: Who, each: VerdictCase): boolean | undefined => {
  if (who === "keepalived") {
    return table
      .list()
      .some(({ key, destinations }) => key.kind === "address" && key.port === each.port && destinations.length > 0);
  }
  const status = node.checkers().find(({ name }) => checkOf(name, each))?.status;
  return status === "unknown" ? undefined : status === "up";
};

const checkOf = (name: string, { address, port, check }: VerdictCase): boolean =>
  name.startsWith(check.split(" ")[0] ?? "") && (/^(PING|MISC)/.test(check) || name.includes(`${address}:${port}`));

const results: Verdict[] = [];
await command(`touch ${place}/good; : >${place}/runs`);
await prepareCounters();
const servers = await startServers();
const table = within("other", openIpvsTable);
const log = openSync(`${place}/keepalived.log`, "w");
writeFileSync(`${place}/keepalived.conf`, verdictFile);
const words = [
  "-C",
  "-n",
  "-l",
  "-D",
  "-p",
  `${place}/k.pid`,
  "-c",
  `${place}/c.pid`,
  "-f",
  `${place}/keepalived.conf`,
];
within("other", () => spawn("keepalived", words, { stdio: ["ignore", log, log] }));
const node = await makeCheckedNodes().start(verdictFile);
await verdicts("start", true);
if (results.every(({ open }) => open === undefined)) {
  await begin(false);
  await verdicts("broken", false);
  await begin(true);
  await verdicts("good again", true);
}
writeFileSync(resultFile, JSON.stringify(results));
process.exit(0);
