// Inside the machine: a user's file, word for word, on two directors in front of two real servers (direct routing, the
// virtual address on the loopback of each). One server ends, both end, both return, the master dies, the other ends.
//   node story-main.js FILE RESULT.json KIND KIND     (baton or keepalived, of the two directors)
import { readFileSync, writeFileSync } from "node:fs";
import { type BatonDirector, type Director, startBaton, startKeepalived } from "./director.ts";
import { buildNetwork, command, holdSilently, startWebServer, until } from "./network.ts";
import type { StoryResult } from "./story.ts";
import { namesIn, startTraffic } from "./traffic.ts";

const [file = "", resultFile = "", ...kinds] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
const virtual = "172.16.100.1";
const sources = Array.from({ length: 200 }, (_, i) => `172.16.9.${i + 1}`);
const result: StoryResult = { seconds: {}, steps: {}, log: "" };

const note = (what: string, seen: unknown): void => {
  result.steps[what] = seen;
  result.seconds[what] = Math.round(performance.now() / 100) / 10;
  writeFileSync(resultFile, JSON.stringify(result));
};

async function startDirector(kind: string, name: string): Promise<Director> {
  if (kind !== "baton") return startKeepalived(name, text);
  const director: BatonDirector = startBaton(name, text);
  await director.waitReady();
  return director;
}

/** The table of both, once they are equal and as expected. */
async function agreement(
  directors: readonly Director[],
  what: string,
  expected: (rules: readonly string[]) => boolean,
) {
  const since = performance.now();
  const read = (): string[][] => directors.map((director) => director.rules());
  try {
    await until(
      what,
      () => {
        const [one = [], ...others] = read();
        return expected(one) && others.every((other) => other.join() === one.join());
      },
      600,
    );
  } catch (error) {
    note(`${what}: tables`, read());
    throw error;
  }
  return { rules: directors[0]?.rules() ?? [], seconds: Math.round((performance.now() - since) / 100) / 10 };
}

const serves =
  (...hosts: string[]) =>
  (rules: readonly string[]) =>
    rules.length === hosts.length + 1 && hosts.every((host) => rules.some((rule) => rule.includes(`-r ${host}:80`)));

async function tell(): Promise<void> {
  await buildNetwork([
    { name: "d1", addresses: ["172.16.1.1/16"] },
    { name: "d2", addresses: ["172.16.1.2/16"] },
    { name: "s1", addresses: ["172.16.100.11/16"] },
    { name: "s2", addresses: ["172.16.100.12/16"] },
    { name: "client", addresses: sources.map((address) => `${address}/16`) },
  ]);
  const servers = ["s1", "s2"].map((name) => startWebServer(name));
  for (const name of ["s1", "s2"]) await holdSilently(name, virtual);
  for (const name of ["d1", "d2"]) startWebServer(name, "sorry");
  note("network", "is there");

  const directors: Director[] = [];
  for (const [i, kind] of kinds.entries()) {
    directors.push(await startDirector(kind, `d${i + 1}`));
    note(`d${i + 1} (${kind})`, "has started");
  }
  const all = ["172.16.100.11", "172.16.100.12"];
  note("start", await agreement(directors, "both servers in both tables", serves(...all)));
  const master = await until("one master", async () => {
    const holding = await Promise.all(directors.map((director) => director.holds(virtual)));
    return holding.filter(Boolean).length === 1 ? directors[holding.indexOf(true)] : undefined;
  });
  const other = directors.find((director) => director !== master);
  if (other === undefined) throw new Error("there is to be another");
  note("master", `${master.name} (${master.kind})`);

  const traffic = startTraffic("client", virtual, sources, 250);
  await until("answers of both", () => namesIn(traffic.asked.slice(-8)).join() === "s1,s2", 600);
  note("answers", namesIn(await traffic.next(20)));

  servers[0]?.stop();
  note("s1 ended", await agreement(directors, "one server in both tables", serves("172.16.100.12")));
  note("answers without s1", namesIn(await traffic.next(40)));

  const hasSorry = text.includes("\n\tsorry_server");
  servers[1]?.stop();
  const left = hasSorry ? serves("127.0.0.1") : serves();
  note("s2 ended", await agreement(directors, "no server in either table", left));
  if (hasSorry) note("answers without servers", namesIn(await traffic.next(20)));

  for (const server of servers) server.start();
  note("both returned", await agreement(directors, "both servers in both tables again", serves(...all)));
  await until("answers of both again", () => namesIn(traffic.asked.slice(-8)).join() === "s1,s2", 600);

  const died = Date.now();
  const tableBefore = other.rules();
  await master.kill();
  await until(`${other.name} to take over`, () => other.holds(virtual));
  note("master died", { kind: master.kind, other: other.kind, tableOfTheOther: tableBefore });
  const first = await until("an answer", () =>
    traffic.asked.find(({ at, answer }) => at > died && answer !== undefined),
  );
  note("answered after milliseconds", first.at + first.milliseconds - died);
  note("answers afterwards", namesIn(await traffic.next(40)));
  note("table afterwards", other.rules());
  traffic.stop();
  await other.stop();
  note("table in the end", other.rules());
}

try {
  await tell();
} catch (error) {
  note("failed", String(error));
  result.log = await command("tail -n 40 /run/d?/log; free -m; uptime");
  writeFileSync(resultFile, JSON.stringify(result));
  process.exit(1);
}
process.exit(0);
