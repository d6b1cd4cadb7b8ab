// The process that is the machine. It ends with the process that started it, however that ends.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { tags } from "./inside.ts";
import type { VmParts } from "./parts.ts";

export interface RunningQemu {
  /** To the second serial line. */
  send(line: string): void;
  /** Nothing in the machine outlives it, so there is nothing to write back. May be called twice. */
  turnOff(): void;
  /** Fulfilled when it is off, with what qemu complained of. */
  readonly ended: Promise<string>;
}

export interface QemuPlace {
  readonly initramfs: string;
  /** What the kernel says. */
  readonly console: string;
  readonly shared: string;
  readonly memoryMegabytes: number;
}

/** Emulated, not virtualized: it runs everywhere, also in a virtual machine that cannot nest. */
const argumentsOf = (parts: VmParts, files: QemuPlace): string[] => [
  ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none"],
  ...["-machine", "pc,accel=tcg", "-cpu", "max", "-smp", "2", "-m", String(files.memoryMegabytes)],
  ...["-kernel", parts.kernel, "-initrd", files.initramfs],
  ...["-append", "console=ttyS0 loglevel=4 panic=-1 mitigations=off nokaslr nowatchdog random.trust_cpu=on"],
  ...["-serial", `file:${files.console}`, "-serial", "stdio"],
  ...["-virtfs", `local,path=/,mount_tag=${tags.root},security_model=none,readonly=on,multidevs=remap`],
  ...["-virtfs", `local,path=${files.shared},mount_tag=${tags.share},security_model=none`],
];

export function startQemu(parts: VmParts, files: QemuPlace, onLine: (line: string) => void): RunningQemu {
  const argv = ["--pdeathsig", "KILL", parts.qemu, ...argumentsOf(parts, files)];
  const child = spawn("setpriv", argv, { stdio: ["pipe", "pipe", "pipe"] });
  const complaints: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => complaints.push(text));
  child.stdin.on("error", () => undefined); // it is off: `ended` says so
  createInterface({ input: child.stdout }).on("line", (line) => onLine(line.trim()));
  const turnOff = (): void => void child.kill("SIGKILL");
  process.once("exit", turnOff);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(complaints.join("")));
  });
  void ended.then(() => process.removeListener("exit", turnOff));
  return { send: (line) => void child.stdin.write(`${line}\n`), turnOff, ended };
}
