// A node's metrics page as tests ask it: sums of the samples that have a name and some labels.
import type { Machine } from "@baton/lab";

export interface Metrics {
  /** Of every sample of that name with (at least) these labels; 0 when there is none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
  /** The page itself, for the message of a failed test. */
  readonly text: string;
}

/** Where the page is unless settings say otherwise. curl is not on every machine; bash is. */
const request = "exec 3<>/dev/tcp/127.0.0.1/10112; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";

export async function readMetrics(machine: Pick<Machine, "exec">): Promise<Metrics> {
  const { stdout } = await machine.exec(request);
  return parseMetrics(stdout);
}

function parseMetrics(text: string): Metrics {
  const lines = text.split("\n");
  return {
    text,
    sum(name, labels = {}) {
      const words = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      return lines
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .filter((line) => words.every((word) => line.includes(`{${word}`) || line.includes(`,${word}`)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    },
  };
}
