// The nft command, for what is set up once and for tables of services; what changes by the moment goes by nfnetlink directly.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, writeFileSync } from "node:fs";
import { LinuxError } from "./error.ts";
import { checked, errnos, lastErrno, libc } from "./libc.ts";

/**
 * One transaction: all of the script or nothing. `what` names the work in an error. For small scripts: this thread waits.
 * Throws LinuxError: ENOENT without nft.
 */
export function runNft(script: string, what: string): void {
  nft(["-f", "-"], script, what);
}

/**
 * What `nft -j` answers to these words, parsed. undefined: what was asked for is not there.
 * Throws LinuxError: ENOENT without nft.
 */
export function listNft(words: readonly string[], what: string): unknown {
  try {
    return JSON.parse(nft(["-j", ...words], "", what));
  } catch (error) {
    return nothingThere(error);
  }
}

/** nft beside this thread, which goes on meanwhile: a table of ten thousand services takes it many seconds. */
export interface Nft {
  /** As `runNft`. Rejects with LinuxError, ETIMEDOUT when the patience is over. */
  run(script: string, what: string): Promise<void>;
  /** As `listNft`. */
  list(words: readonly string[], what: string): Promise<unknown>;
  /** Whatever runs is killed, and rejects with ECANCELED. The kernel has all of its transaction, or nothing. */
  cancel(): void;
}

export interface NftOptions {
  /** Where nft is started: in another network namespace, perhaps. */
  readonly inside?: <T>(action: () => T) => T;
  readonly patienceMs?: number;
  /** For tests: another program in its place. */
  readonly program?: string;
}

export function openNft(options: NftOptions = {}): Nft {
  return new NftBeside(options);
}

/** Tables of some ten thousand elements, as text. */
const answerMax = 256 * 1024 * 1024;
const complaintMax = 64 * 1024;

/** An nft that hangs is no reason for this process to hang: a thread that waits is silent, and killed after 15 s (SAFETY S19). */
const patienceMs = { waiting: 8_000, beside: 120_000 } as const;

// Not the caller's PATH: Debian keeps nft in /usr/sbin, where a service manager may not look.
const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

/** Of <linux/memfd.h>. */
const memoryFlags = { closeOnExec: 1, noExecSeal: 8 } as const;

class NftBeside implements Nft {
  readonly #inside: <T>(action: () => T) => T;
  readonly #patienceMs: number;
  readonly #program: string;
  readonly #running = new Set<(code: string, why: string) => void>();

  constructor({ inside = (action) => action(), patienceMs: patience, program = "nft" }: NftOptions) {
    this.#inside = inside;
    this.#patienceMs = patience ?? patienceMs.beside;
    this.#program = program;
  }

  async run(script: string, what: string): Promise<void> {
    await this.#ask(["-f", "-"], script, what);
  }

  async list(words: readonly string[], what: string): Promise<unknown> {
    try {
      return JSON.parse(await this.#ask(["-j", ...words], "", what));
    } catch (error) {
      return nothingThere(error);
    }
  }

  cancel(): void {
    for (const giveUp of [...this.#running]) giveUp("ECANCELED", "nft was ended");
  }

  #ask(words: readonly string[], input: string, what: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = this.#inside(() => start(this.#program, words, input));
      const [answer, complaint] = [collect(child.stdout, answerMax), collect(child.stderr, complaintMax)];
      const end = (): void => {
        clearTimeout(timer);
        this.#running.delete(giveUp);
      };
      // Not when it has ended: one that is stuck in the kernel ends when that lets it go.
      const giveUp = (code: string, why: string): void => {
        end();
        child.kill("SIGKILL");
        reject(new LinuxError(code, what, why));
      };
      const timer = setTimeout(
        giveUp,
        this.#patienceMs,
        "ETIMEDOUT",
        `nft took more than ${this.#patienceMs / 1_000} s`,
      );
      this.#running.add(giveUp);
      child.on("error", (error: NodeJS.ErrnoException) => {
        end();
        reject(errorOf(error.code, "", what, error));
      });
      child.on("close", (code, signal) => {
        end();
        const text = answer();
        if (code === 0 && text !== undefined) return resolve(text);
        const said = text === undefined ? "nft says too much" : (complaint() ?? "");
        reject(errorOf(undefined, said === "" ? endOf(code, signal) : said, what, undefined));
      });
    });
  }
}

/** The script lies whole in memory: one that this process, killed, had written half would be carried out half. */
function start(program: string, words: readonly string[], input: string): ChildProcess {
  const script = checked(memoryFile("nft"), "memfd_create");
  try {
    writeFileSync(`/proc/self/fd/${script}`, input);
    return spawn(program, words, { env, stdio: [script, "pipe", "pipe"] });
  } finally {
    closeSync(script);
  }
}

/** One that can never be run, as `vm.memfd_noexec` may ask for; a kernel before 6.3 does not know the word. */
function memoryFile(name: string): number {
  const { closeOnExec, noExecSeal } = memoryFlags;
  const found = libc.memfdCreate(name, closeOnExec | noExecSeal);
  return found < 0 && lastErrno() === errnos.einval ? libc.memfdCreate(name, closeOnExec) : found;
}

/** undefined: it was more than that. */
function collect(stream: NodeJS.ReadableStream | null, max: number): () => string | undefined {
  const chunks: Buffer[] = [];
  let length = 0;
  stream?.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= max) chunks.push(chunk);
  });
  return () => (length > max ? undefined : Buffer.concat(chunks).toString());
}

function nft(words: readonly string[], input: string, what: string): string {
  try {
    return execFileSync("nft", words, {
      input,
      encoding: "utf8",
      env,
      stdio: "pipe",
      maxBuffer: answerMax,
      timeout: patienceMs.waiting,
      killSignal: "SIGKILL",
    });
  } catch (error) {
    const { code, status, signal, stderr = "" } = error as NftFailure;
    throw errorOf(code, stderr === "" ? endOf(status, signal) : stderr, what, error);
  }
}

interface NftFailure {
  readonly code?: string;
  readonly status?: number | null;
  readonly signal?: NodeJS.Signals | null;
  readonly stderr?: string;
}

/** Of one that has said nothing. */
const endOf = (status: number | null | undefined, signal: NodeJS.Signals | null | undefined): string =>
  `nft was ended by ${signal ?? `itself, with status ${status}`}`;

function errorOf(code: string | undefined, complaint: string, what: string, cause: unknown): LinuxError {
  const detail = complaint.trim().split("\n")[0] ?? "";
  const sentence = code === "ENOENT" ? "the nft command (package nftables) is missing" : detail;
  return new LinuxError(code ?? nameOf(detail), what, sentence, { cause });
}

function nothingThere(error: unknown): undefined {
  if (error instanceof LinuxError && error.code === "ESRCH") return undefined;
  throw error;
}

/** nft says in words what the kernel said by number. ENOENT stands for nft itself: ESRCH is something in the table. */
function nameOf(detail: string): string {
  if (detail.includes("not permitted")) return "EPERM";
  return detail.includes("No such file or directory") ? "ESRCH" : "EINVAL";
}
