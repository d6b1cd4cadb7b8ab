// npm run directors -- verdicts [TEXT]
// npm run directors -- story [--both] FILE…
// npm run directors -- faults [--whole] [--seed N] FILE…
// npm run directors -- running [--ends] [FILE…]
// What is shown on a real IPVS and takes too long for the tests. verdicts: the same servers checked by Baton and by
// keepalived (TEXT: only those whose name contains it).
// story: a user's LVS file, word for word, on two directors and two real servers; the first director is Baton, the second
// keepalived, or (--both) Baton too. faults: processes of one director of such a file are killed under traffic;
// --whole: of a whole node, with dataplane. running: a running Baton led through all states of the files, or of all
// configurations of parity/, and (--ends) its starts and ends, beside keepalived. Prints what was seen; exit code 1 where
// something is not as it has to be.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type KernelVm, startKernelVm } from "@baton/kernel-vm";
import { allConfigurations, configurationIn } from "./parity/parity-task.ts";
import { compareEnds, compareRunning } from "./running/run-running.ts";
import { type FaultsResult, faultsOfKills } from "./scene/faults.ts";
import { bringPrograms } from "./scene/programs.ts";
import { faultsOf, type StoryResult } from "./scene/story.ts";
import { type Verdict, verdictFaults, verdictLine } from "./verdicts/transcript.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    both: { type: "boolean", default: false },
    whole: { type: "boolean", default: false },
    ends: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const [part, ...files] = positionals;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Runs a program of this package in a machine of its own, and gives what it left as its result. */
async function runInside(
  program: string,
  before: readonly string[],
  after: readonly string[],
  prepare: (vm: KernelVm) => Promise<void> = async () => undefined,
): Promise<unknown> {
  const vm = await startKernelVm({ memoryMegabytes: 4096 });
  try {
    await vm.must("modprobe -a ip_vs ip_vs_rr nf_tables nft_reject_inet nft_log nf_log_syslog");
    await prepare(vm);
    const place = join(vm.directory, "result.json");
    const { code, stderr } = await vm.run([process.execPath, here(program), ...before, place, ...after], {
      timeoutSeconds: 3600,
    });
    if (stderr !== "") process.stderr.write(stderr);
    if (!existsSync(place)) throw new Error(`${program} has ended with ${code} and no result`);
    return JSON.parse(readFileSync(place, "utf8"));
  } finally {
    await vm.stop();
  }
}

function show(what: object, faults: readonly unknown[]): void {
  process.stdout.write(`${JSON.stringify({ ...what, faults }, null, 2)}\n`);
  if (faults.length > 0) process.exitCode = 1;
}

if (part === "verdicts") {
  const verdicts = (await runInside("verdicts/verdicts-main.js", [], files)) as Verdict[];
  show({ verdicts: verdicts.map(verdictLine) }, verdictFaults(verdicts));
} else if (part === "running") {
  const chosen = files.length > 0 ? files.map((file) => configurationIn(resolve(file))) : allConfigurations();
  const { faults, ...result } = values.ends ? await compareEnds() : await compareRunning(chosen);
  show(result, faults);
} else if (part === "story" && files.length > 0) {
  const kinds = ["baton", values.both ? "baton" : "keepalived"];
  for (const file of files) {
    const result = (await runInside("scene/story-main.js", [resolve(file)], kinds, bringPrograms)) as StoryResult;
    show({ file, kinds, ...result }, faultsOf(result));
  }
} else if (part === "faults" && files.length > 0) {
  process.stderr.write(`seed ${values.seed}\n`);
  for (const file of files) {
    const how = [values.seed, values.whole ? "whole" : "part"];
    const result = (await runInside("scene/faults-main.js", [resolve(file)], how, bringPrograms)) as FaultsResult;
    show({ file, ...result }, faultsOfKills(result));
  }
} else {
  process.stderr.write(
    "usage: directors verdicts [TEXT] | story [--both] FILE… | faults [--whole] [--seed N] FILE… | running [--ends] [FILE…]\n",
  );
  process.exitCode = 1;
}
