// The parent's side of the prober.
import { fileURLToPath } from "node:url";
import type { StartedProcess } from "./lab-process.ts";
import type { Machine } from "./machine.ts";
import type { ProbeReport } from "./probe-ledger.ts";
import { echoPort, type ProberCommand, type ProberMessage } from "./probe-protocol.ts";
import { waitFor } from "./wait.ts";

export type LiveCount = Omit<Extract<ProberMessage, { type: "live" }>, "type">;

export interface ProbeOptions {
  readonly address: string;
  readonly intervalMs?: number;
  /** Four times a second. */
  readonly onLive?: (count: LiveCount) => void;
}

export interface Probe {
  /** So far; what is not settled yet is missing. */
  report(): Promise<ProbeReport>;
  /** Waits until the address is answered, by this router if one is named. */
  waitAnswered(by?: string, deadlineMs?: number): Promise<void>;
  /** Ends the probing and returns everything. */
  stop(): Promise<ProbeReport>;
}

/** Compiled next to this package's door, also when a test runs the sources. */
export const script = (name: string): string => fileURLToPath(new URL(`../dist/${name}-main.js`, import.meta.url));

const realTime = ["chrt", "--rr", "1"];

/** Empty where this machine does not let us have a real-time priority. */
export async function realTimePrefix(machine: Machine): Promise<readonly string[]> {
  const { code } = await machine.exec([...realTime, "true"]).catch(() => ({ code: 1 }));
  return code === 0 ? realTime : [];
}

type Spawn = (argv: readonly string[], onMessage: (message: unknown) => void) => Promise<StartedProcess>;

export async function startProbe(options: ProbeOptions, spawn: Spawn): Promise<Probe> {
  const waiting = new Map<number, (report: ProbeReport) => void>();
  const state = { started: false, nextId: 1 };
  const onMessage = (message: unknown): void => {
    const said = message as ProberMessage;
    if (said.type === "started") state.started = true;
    if (said.type === "live")
      options.onLive?.({ sent: said.sent, answered: said.answered, lost: said.lost, by: said.by });
    if (said.type === "report") {
      waiting.get(said.id)?.(said.report);
      waiting.delete(said.id);
    }
  };
  const argv = [process.execPath, script("prober"), options.address, String(echoPort), String(options.intervalMs ?? 1)];
  const child = await spawn(argv, onMessage);
  await waitFor("the prober to start", () => {
    if (!child.running) throw new Error(`the prober has ended: ${child.log()}`);
    return state.started;
  });

  const ask = (type: ProberCommand["type"]): Promise<ProbeReport> => {
    const id = state.nextId++;
    return new Promise((resolve, reject) => {
      waiting.set(id, resolve);
      child.exited.then(() => reject(new Error(`the prober has ended: ${child.log()}`)), reject);
      child.send({ type, id });
    });
  };
  return {
    report: () => ask("report"),
    async waitAnswered(by, deadlineMs = 10_000) {
      const before = (await ask("report")).answered;
      await waitFor(
        `${options.address} to be answered${by === undefined ? "" : ` by ${by}`}`,
        async () => {
          const report = await ask("report");
          return report.answered > before && (by === undefined || report.reigns.at(-1)?.by === by);
        },
        { deadlineMs },
      );
    },
    async stop() {
      const report = await ask("finish");
      await child.kill();
      return report;
    },
  };
}
