// What many services cost, in the small machine: see programming-main.ts and running-main.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startKernelVm } from "@baton/kernel-vm";

/** One result for each number of services. Emulated: what is interpreted costs forty times as much there, C ten times. */
export const measureProgramming = (counts: readonly number[]): Promise<unknown> =>
  runInside("programming-main.js", counts);

/** Running directors: a reload with one server more, and servers that close. One machine for each number. */
export async function measureRunning(counts: readonly number[]): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const count of counts) {
    const result = await runInside("running-main.js", [count]);
    process.stderr.write(`${count} services, running: ${JSON.stringify(result)}\n`);
    results.push(result);
  }
  return results;
}

async function runInside(program: string, counts: readonly number[]): Promise<unknown> {
  const vm = await startKernelVm({ memoryMegabytes: 4096 });
  try {
    await vm.must("modprobe -a ip_vs ip_vs_rr");
    const result = join(vm.directory, "result.json");
    const main = fileURLToPath(new URL(program, import.meta.url));
    await vm.must([process.execPath, main, result, ...counts.map(String)], { timeoutSeconds: 3600 });
    return JSON.parse(readFileSync(result, "utf8"));
  } finally {
    await vm.stop();
  }
}
