// The programs of this checkout, put into the machine's memory: what it reads of the files of the machine around it costs a
// question for each, and a service reads a thousand of them before it begins.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { KernelVm } from "@baton/kernel-vm";

const execute = promisify(execFile);
const checkout = fileURLToPath(new URL("../../../..", import.meta.url)).replace(/\/$/, "");

/** Of no use to who runs them. */
const leftOut = ["*.map", "*.ts", "*.md", "*.tsbuildinfo", ".turbo", "libs/*/src", "services/*/src", "test/*/src"];

/** Packages that are more than tools of development. */
function packages(): string[] {
  const lock = JSON.parse(readFileSync(join(checkout, "package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, { dev?: boolean; link?: boolean }>>;
  };
  return Object.entries(lock.packages)
    .filter(([place, { dev, link }]) => place.startsWith("node_modules/") && dev !== true && link !== true)
    .map(([place]) => place)
    .filter((place) => existsSync(join(checkout, place)));
}

/** From here on the checkout is there as it is now, under the same path. */
export async function bringPrograms(vm: KernelVm): Promise<void> {
  const archive = join(vm.directory, "programs.tar");
  const places = ["package.json", "libs", "services", "test", "node_modules/@baton", ...packages()];
  await execute("tar", ["-cf", archive, "-C", checkout, ...leftOut.map((each) => `--exclude=${each}`), ...places]);
  await vm.must(`mount -t tmpfs tmpfs '${checkout}' && tar -xf '${archive}' -C '${checkout}'`, { timeoutSeconds: 300 });
}
