// How long a configuration takes to read and to judge: Baton and `keepalived -t` on the same files, in turn, in a network
// namespace that has the interfaces.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeNamespace } from "@baton/linux/testing";
import type { Cost, FileCosts } from "./parse-main.ts";
import { instances, interfacesOf, type Sample, virtualServers } from "./sample-configuration.ts";
import { rounded } from "./statistics.ts";

const samples = [virtualServers(100), virtualServers(1_000), virtualServers(10_000), instances(1_000)];

export function measureParse(runs: number, keepalived: string): Record<string, unknown> {
  const directory = mkdtempSync(join(tmpdir(), "baton-bench-"));
  const namespace = makeNamespace("bench-parse");
  try {
    for (const name of interfacesOf(1_000)) {
      namespace.ip("link", "add", name, "type", "veth", "peer", "name", `${name}-peer`);
      namespace.ip("link", "set", name, "up");
    }
    const results: Record<string, unknown> = {};
    const measured = new Map<Sample, FileCosts>();
    for (const sample of samples) {
      const costs = measureFile(sample, { directory, namespace: namespace.name, runs, keepalived });
      results[sample.name] = { lines: sample.text.split("\n").length - 1, octets: sample.text.length, ...costs };
      measured.set(sample, costs);
      for (const row of tableOf(sample, costs)) process.stderr.write(`${row}\n`);
    }
    const growth = growthOf(measured);
    process.stderr.write(`${JSON.stringify({ growth })}\n`);
    return { ...results, growth };
  } finally {
    namespace.remove();
    rmSync(directory, { recursive: true });
  }
}

interface Place {
  readonly directory: string;
  readonly namespace: string;
  readonly runs: number;
  readonly keepalived: string;
}

/** keepalived looks for processes of its own in /run: there it is alone. */
const start = `mount -t tmpfs none /run && exec "$@"`;

function measureFile(sample: Sample, { directory, namespace, runs, keepalived }: Place): FileCosts {
  const file = join(directory, "keepalived.conf");
  writeFileSync(file, sample.text, { mode: 0o644 });
  const main = fileURLToPath(new URL("parse-main.js", import.meta.url));
  const inside = ["sh", "-c", start, "sh", process.execPath, main, keepalived, file, String(runs)];
  const said = execFileSync("ip", ["netns", "exec", namespace, ...inside], { encoding: "utf8" });
  return JSON.parse(said) as FileCosts;
}

/** What ten times as many virtual servers cost, by processor time: 10 is linear, what is quadratic comes to 100. */
function growthOf(measured: ReadonlyMap<Sample, FileCosts>): Record<string, number> {
  const [, less, more] = samples.map((sample) => measured.get(sample));
  const times = (key: keyof FileCosts): number => rounded((more?.[key].cpuMs.min ?? 0) / (less?.[key].cpuMs.min ?? 0));
  return { keepalived: times("keepalived"), command: times("command"), parse: times("parse") };
}

const rows: readonly (readonly [key: keyof FileCosts, name: string])[] = [
  ["keepalived", "keepalived -t"],
  ["command", "baton check, cold"],
  ["node", "node that does nothing"],
  ["parse", "parse + validate, warm"],
];

function tableOf(sample: Sample, costs: FileCosts): string[] {
  const cell = (value: number): string => value.toFixed(1).padStart(9);
  const cells = ({ wallMs, cpuMs }: Cost): string =>
    [wallMs.median, wallMs.min, cpuMs.median, cpuMs.min, (1_000 * cpuMs.min) / sample.size].map(cell).join("");
  return [
    `${sample.name.padEnd(24)}  median      min  cpu ms  cpu min  µs each`,
    ...rows.map(([key, name]) => `  ${name.padEnd(22)}${cells(costs[key])}`),
  ];
}
