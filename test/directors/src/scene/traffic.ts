// Inside the machine: what became of a client's questions, and what can be asked of that.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until, within } from "./network.ts";

export interface Asked {
  /** When it was sent: milliseconds of the wall clock. */
  readonly at: number;
  readonly milliseconds: number;
  readonly answer?: string;
  readonly error?: string;
}

export interface Traffic {
  /** In the order in which they came to an end. */
  readonly asked: readonly Asked[];
  /** Of those sent at or after this time, once there are as many. */
  next(count: number, since?: number): Promise<readonly Asked[]>;
  stop(): void;
}

export function startTraffic(namespace: string, address: string, sources: readonly string[], everyMs: number): Traffic {
  const main = fileURLToPath(new URL("client-main.js", import.meta.url));
  const words = [main, address, String(everyMs), ...sources];
  const child: ChildProcess = within(namespace, () =>
    spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] }),
  );
  if (child.stdout === null) throw new Error("a client without output");
  const asked: Asked[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => asked.push(JSON.parse(line) as Asked));
  return {
    asked,
    async next(count, since = Date.now()) {
      const sent = (): Asked[] => asked.filter(({ at }) => at >= since);
      await until(`${count} questions to end`, () => sent().length >= count, 600);
      return sent();
    },
    stop: () => void child.kill("SIGKILL"),
  };
}

export const namesIn = (asked: readonly Asked[]): string[] =>
  [...new Set(asked.map(({ answer, error }) => answer ?? `no answer: ${error}`))].sort();
