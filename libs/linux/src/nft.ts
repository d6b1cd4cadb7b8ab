// The nft command, for what is set up once; what changes by the moment goes by nfnetlink directly.
import { execFileSync } from "node:child_process";
import { LinuxError } from "./error.ts";

/** One transaction: all of the script or nothing. `what` names the work in an error. Throws LinuxError: ENOENT without nft. */
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
    if (error instanceof LinuxError && error.code === "ESRCH") return undefined;
    throw error;
  }
}

/** Tables of some ten thousand elements, as text. */
const answerMax = 256 * 1024 * 1024;

/** An nft that hangs is no reason for this process to hang; ten thousand services take it some seconds. */
const patienceMs = 60_000;

function nft(words: readonly string[], input: string, what: string): string {
  // Not the caller's PATH: Debian keeps nft in /usr/sbin, where a service manager may not look.
  const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  try {
    return execFileSync("nft", words, {
      input,
      encoding: "utf8",
      env: { PATH },
      stdio: "pipe",
      maxBuffer: answerMax,
      timeout: patienceMs,
      killSignal: "SIGKILL",
    });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    const detail = stderr?.trim().split("\n")[0] ?? "";
    const sentence = code === "ENOENT" ? "the nft command (package nftables) is missing" : detail;
    throw new LinuxError(code ?? nameOf(detail), what, sentence, { cause: error });
  }
}

/** nft says in words what the kernel said by number. ENOENT stands for nft itself: ESRCH is something in the table. */
function nameOf(detail: string): string {
  if (detail.includes("not permitted")) return "EPERM";
  return detail.includes("No such file or directory") ? "ESRCH" : "EINVAL";
}
