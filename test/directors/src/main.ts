// npm run directors -- verdicts
// npm run directors -- story [--both] FILE…
// What is shown on a real IPVS and takes too long for the tests. verdicts: the same servers checked by Baton and by keepalived.
// story: a user's LVS file, word for word, on two directors and two real servers; the first director is Baton, the second
// keepalived, or (--both) Baton too. Prints what was seen; exit code 1 where something is not as it has to be.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startKernelVm } from "@baton/kernel-vm";
import { faultsOf, type StoryResult } from "./scene/story.ts";
import { type Verdict, verdictFaults } from "./verdicts/verdict.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { both: { type: "boolean", default: false } },
});
const [part, ...files] = positionals;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Runs a program of this package in a machine of its own, and gives what it left as its result. */
async function runInside(program: string, before: readonly string[], after: readonly string[]): Promise<unknown> {
  const vm = await startKernelVm({ memoryMegabytes: 4096 });
  try {
    await vm.must("modprobe -a ip_vs ip_vs_rr");
    const place = join(vm.directory, "result.json");
    const { code, stderr } = await vm.run([process.execPath, here(program), ...before, place, ...after], {
      timeoutSeconds: 1800,
    });
    if (stderr !== "") process.stderr.write(stderr);
    if (!existsSync(place)) throw new Error(`${program} has ended with ${code} and no result`);
    return JSON.parse(readFileSync(place, "utf8"));
  } finally {
    await vm.stop();
  }
}

function show(what: object, faults: readonly string[]): void {
  process.stdout.write(`${JSON.stringify({ ...what, faults }, null, 2)}\n`);
  if (faults.length > 0) process.exitCode = 1;
}

if (part === "verdicts") {
  const verdicts = (await runInside("verdicts/verdicts-main.js", [], [])) as Verdict[];
  show({ verdicts }, verdictFaults(verdicts));
} else if (part === "story" && files.length > 0) {
  const kinds = ["baton", values.both ? "baton" : "keepalived"];
  for (const file of files) {
    const result = (await runInside("scene/story-main.js", [resolve(file)], kinds)) as StoryResult;
    show({ file, kinds, ...result }, faultsOf(result));
  }
} else {
  process.stderr.write("usage: directors verdicts | directors story [--both] FILE…\n");
  process.exitCode = 1;
}
