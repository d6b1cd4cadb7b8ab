// Runs a command to its end. The lab's own needs (`ip`, `nft`) fail loudly; a test's commands come back as they ended.
import { spawn, spawnSync } from "node:child_process";

export interface Outcome {
  /** The exit code; 128 + signal number when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const timeoutMsDefault = 20_000;

export function run(argv: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const [command, ...args] = argv;
  if (command === undefined) return Promise.reject(new Error("an empty command"));
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? timeoutMsDefault,
      killSignal: "SIGKILL",
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text;
    });
    // A command that ends without reading its input is its own affair.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ ...output, code: code ?? (signal === "SIGKILL" ? 137 : 128) }));
  });
}

/** Throws with the command's own words when it fails; hands back its output. */
export async function must(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const outcome = await run(argv, options);
  if (outcome.code !== 0) {
    throw new Error(`${argv.join(" ")}: exit ${outcome.code}: ${(outcome.stderr || outcome.stdout).trim()}`);
  }
  return outcome.stdout;
}

/** For the clean-up at the end of the process, where nothing can be awaited any more. */
export const runSync = (argv: readonly string[]): void => {
  spawnSync(argv[0] ?? "", argv.slice(1), { stdio: "ignore", timeout: 5000 });
};
