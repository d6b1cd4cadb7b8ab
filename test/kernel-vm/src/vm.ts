// Starts the machine, hands it commands, and makes sure that it is off in the end: with its owner at the latest.
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAnswers } from "./answers.ts";
import { firstRoot } from "./initramfs.ts";
import { quoted, readyWord, secondScript } from "./inside.ts";
import { findParts, type VmParts } from "./parts.ts";
import { startQemu } from "./qemu.ts";

export interface Outcome {
  /** The exit code; 124 when it took too long, 128 + signal number when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** 30 s where nothing is said. Inside, everything takes ten times as long as outside. */
  readonly timeoutSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** The shared directory's own place for this command where nothing is said. */
  readonly directory?: string;
}

export interface KernelVmOptions {
  /** For what may be missing: tests of the harness. */
  readonly parts?: VmParts;
  readonly startSeconds?: number;
  /** 1024 where nothing is said. */
  readonly memoryMegabytes?: number;
}

export interface KernelVm {
  /** The kernel's, as `uname -r` says it. */
  readonly release: string;
  /** Seen under the same path inside, and written to from both sides: what a command leaves there is read from here. */
  readonly directory: string;
  /** A text is run by sh. Several may run at once. Rejects only when the machine has ended, or the command is past help. */
  run(command: string | readonly string[], options?: CommandOptions): Promise<Outcome>;
  /** As `run`, but rejects with what the command said when it fails. Hands back its output. */
  must(command: string | readonly string[], options?: CommandOptions): Promise<string>;
  /** What the kernel has said. */
  console(): string;
  /** Turns it off. May be called twice. */
  stop(): Promise<void>;
}

const secondsDefault = 30;
/** A busy machine needs several times the 5 s of a quiet one. */
const startSecondsDefault = 90;
const memoryMegabytesDefault = 1024;
/** Beyond the command's own limit, which is kept inside. */
const graceSeconds = 20;

/** Rejects when a part is missing or it does not come up, with the last words of its kernel. */
export async function startKernelVm(options: KernelVmOptions = {}): Promise<KernelVm> {
  const parts = options.parts ?? findParts();
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "baton-vm-")));
  const file = (name: string): string => join(directory, name);
  writeFileSync(file("console"), "");
  writeFileSync(file("inside"), secondScript);
  writeFileSync(file("initramfs"), firstRoot(parts, directory));
  const said = (): string => readFileSync(file("console"), "utf8");

  const answers = makeAnswers();
  const { memoryMegabytes = memoryMegabytesDefault } = options;
  const files = { initramfs: file("initramfs"), console: file("console"), shared: directory, memoryMegabytes };
  const qemu = startQemu(parts, files, (line) => {
    const [name = "", code = "0"] = line.split(" ");
    answers.arrive(name, Number(code));
  });
  const isOff = qemu.ended.then((complaints) => answers.end(`the machine is off: ${lastLines(complaints + said())}`));
  const stop = async (): Promise<void> => {
    qemu.turnOff();
    await isOff;
    rmSync(directory, { recursive: true, force: true });
  };
  const startSeconds = options.startSeconds ?? startSecondsDefault;
  try {
    await answers.wait(readyWord, startSeconds, () => `it is not up after ${startSeconds} s: ${lastLines(said())}`);
  } catch (error) {
    await stop();
    throw error;
  }
  const run = makeRunner(directory, (number, seconds, words) => {
    const limit = seconds + graceSeconds;
    qemu.send(`${number} ${seconds}`);
    return answers.wait(number, limit, () => `${words}: no answer in ${limit} s: ${lastLines(said())}`);
  });
  return {
    release: parts.release,
    directory,
    run,
    must: async (command, how) => {
      const { code, stdout, stderr } = await run(command, how);
      if (code === 0) return stdout;
      throw new Error(`${wordsOf(command)}: exit ${code}: ${(stderr || stdout).trim()}`);
    },
    console: said,
    stop,
  };
}

/** `ask` has the command of that number run, and gives its exit code. */
function makeRunner(
  directory: string,
  ask: (number: string, seconds: number, words: string) => Promise<number>,
): KernelVm["run"] {
  const started = { count: 0 };
  return async (command, how = {}) => {
    started.count += 1;
    const number = String(started.count);
    const place = join(directory, number);
    mkdirSync(place);
    writeFileSync(join(place, "command"), scriptOf(command, how));
    const code = await ask(number, how.timeoutSeconds ?? secondsDefault, wordsOf(command));
    const read = (name: string): string => readFileSync(join(place, name), "utf8");
    return { code, stdout: read("stdout"), stderr: read("stderr") };
  };
}

function scriptOf(command: string | readonly string[], { env = {}, directory }: CommandOptions): string {
  const settings = Object.entries({ PATH: process.env.PATH ?? "", ...env });
  return [
    ...settings.map(([name, value]) => `export ${name}=${quoted(value)}`),
    ...(directory === undefined ? [] : [`cd ${quoted(directory)}`]),
    typeof command === "string" ? command : `exec ${command.map(quoted).join(" ")}`,
    "",
  ].join("\n");
}

const wordsOf = (command: string | readonly string[]): string =>
  typeof command === "string" ? command : command.join(" ");

const lastLines = (text: string): string => text.trim().split("\n").slice(-12).join("\n");
