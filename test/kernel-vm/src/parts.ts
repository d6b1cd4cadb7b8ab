// What the machine is made of. Everything that is missing is told of in one sentence, with what brings it.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "@baton/domain";

export interface VmParts {
  readonly qemu: string;
  readonly busybox: string;
  /** As `uname -r` says it, such as "6.1.0-56-amd64". */
  readonly release: string;
  readonly kernel: string;
  /** Where the kernel's modules lie, here as inside. */
  readonly modules: string;
  /** The modules that the first root directory needs, each after those that it needs itself. */
  readonly firstModules: readonly string[];
}

/** Where `prepare` leaves the kernel. */
const kernelDirectory = "/var/cache/baton/kernel-vm";

const firstModules = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];

/** Throws when a part is missing. `directory`: of the kernel. */
export function findParts(directory: string = kernelDirectory): VmParts {
  const qemu = "/usr/bin/qemu-system-x86_64";
  const releaseFile = join(directory, "release");
  const missing = [qemu, "/sbin/modprobe", releaseFile].filter((path) => !existsSync(path));
  if (missing.length > 0) {
    throw new Error(`no machine with a kernel of its own: ${missing.join(", ")} missing: sh deploy/bootstrap --test`);
  }
  const release = readFileSync(releaseFile, "utf8").trim();
  return {
    qemu,
    busybox: join(directory, "busybox"),
    release,
    kernel: join(directory, "vmlinuz"),
    modules: join(directory, "lib/modules", release),
    firstModules: [...new Set(firstModules.flatMap((name) => neededBy(name, directory, release)))],
  };
}

/** The files of a module and of what it needs, in the order in which they are to be loaded. */
function neededBy(name: string, directory: string, release: string): string[] {
  try {
    const options = ["--dirname", directory, "--set-version", release, "--show-depends", name];
    const lines = execFileSync("/sbin/modprobe", options, { encoding: "utf8", stdio: "pipe" }).split("\n");
    return lines.flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []);
  } catch (error) {
    throw new Error(
      `the kernel in ${directory} is incomplete (remove it, then sh deploy/bootstrap --test): ${messageOf(error)}`,
    );
  }
}
