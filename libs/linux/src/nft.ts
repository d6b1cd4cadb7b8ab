// The nft command, for what is set up once; what changes by the moment goes by nfnetlink directly.
import { execFileSync } from "node:child_process";
import { LinuxError } from "./error.ts";

/** One transaction: all of the script or nothing. `what` names the work in an error. Throws LinuxError: ENOENT without nft. */
export function runNft(script: string, what: string): void {
  // Not the caller's PATH: Debian keeps nft in /usr/sbin, where a service manager may not look.
  const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  try {
    execFileSync("nft", ["-f", "-"], { input: script, encoding: "utf8", env: { PATH }, stdio: "pipe" });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    const detail = stderr?.trim().split("\n")[0] ?? "";
    const denied = detail.includes("not permitted");
    const name = code ?? (denied ? "EPERM" : "EINVAL");
    const sentence = code === "ENOENT" ? "the nft command (package nftables) is missing" : detail;
    throw new LinuxError(name, what, sentence, { cause: error });
  }
}
