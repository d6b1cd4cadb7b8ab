// What many services cost, in the small machine: see programming-main.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startKernelVm } from "@baton/kernel-vm";

/** One result for each number of services. Emulated: what is interpreted costs forty times as much there, C ten times. */
export async function measureProgramming(counts: readonly number[]): Promise<unknown> {
  const vm = await startKernelVm({ memoryMegabytes: 2048 });
  try {
    await vm.must("modprobe -a ip_vs ip_vs_rr");
    const result = join(vm.directory, "result.json");
    const main = fileURLToPath(new URL("programming-main.js", import.meta.url));
    await vm.must([process.execPath, main, result, ...counts.map(String)], { timeoutSeconds: 1800 });
    return JSON.parse(readFileSync(result, "utf8"));
  } finally {
    await vm.stop();
  }
}
