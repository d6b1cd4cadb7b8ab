// Outside: a running Baton beside keepalived, in all states of configurations, in one machine.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type KernelVm, startKernelVm } from "@baton/kernel-vm";
import type { Configuration } from "../parity/configurations.ts";
import { parityTask } from "../parity/parity-task.ts";
import type { ParityAnswer } from "../parity/task.ts";
import { bringPrograms } from "../scene/programs.ts";
import type { End, RunningAnswer } from "./task.ts";

/** A user's own file may ask its servers every few seconds, and several times, before it gives one up. */
const patienceSeconds = 120;

async function ask<Answer>(vm: KernelVm, program: string, task: unknown): Promise<Answer> {
  const [question, answer] = [join(vm.directory, "task.json"), join(vm.directory, "answer.json")];
  if (task !== undefined) writeFileSync(question, JSON.stringify(task));
  const main = fileURLToPath(new URL(program, import.meta.url));
  const words = task === undefined ? [answer] : [question, answer];
  const said = await vm.must([process.execPath, main, ...words], { timeoutSeconds: 3600 });
  process.stderr.write(said);
  return JSON.parse(readFileSync(answer, "utf8")) as Answer;
}

export interface RunningResult {
  readonly configurations: number;
  readonly compared: { readonly keepalived: number; readonly running: number };
  readonly seconds: RunningAnswer["seconds"];
  readonly faults: readonly unknown[];
}

/** keepalived first, all configurations at once; then Baton, one after the other. */
export async function compareRunning(configurations: readonly Configuration[]): Promise<RunningResult> {
  const vm = await startKernelVm({ memoryMegabytes: 4096 });
  try {
    await vm.must("modprobe -a ip_vs ip_vs_pe_sip");
    await bringPrograms(vm);
    const task = parityTask(configurations, patienceSeconds);
    const { differences, compared, seen } = await ask<ParityAnswer>(vm, "../parity/directors-main.js", task);
    const running = await ask<RunningAnswer>(vm, "running-main.js", { ...task, seen });
    return {
      configurations: configurations.length,
      compared: { keepalived: compared.keepalived, running: running.compared },
      seconds: running.seconds,
      faults: [...differences, ...running.differences, ...running.faults],
    };
  } finally {
    await vm.stop();
  }
}

/** Starts from nothing, and ends. */
export async function compareEnds(): Promise<{ readonly ends: readonly End[]; readonly faults: readonly unknown[] }> {
  const vm = await startKernelVm({ memoryMegabytes: 4096 });
  try {
    await vm.must("modprobe -a ip_vs ip_vs_rr");
    await bringPrograms(vm);
    const ends = await ask<End[]>(vm, "ends-main.js", undefined);
    const differs = ({ baton, keepalived }: End["start"]): boolean => baton.join() !== keepalived.join();
    return { ends, faults: ends.filter(({ start, end }) => differs(start) || differs(end)) };
  } finally {
    await vm.stop();
  }
}
