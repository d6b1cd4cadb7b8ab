// Versions of keepalived: which one answers, and what it can know.
import { spawnSync } from "node:child_process";

/** As in "2.2.7". */
export function versionOf(binary: string): string {
  const { stderr } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  const version = /^Keepalived v([\d.]+)/.exec(stderr)?.[1];
  if (version === undefined) throw new Error(`${binary} is no keepalived: ${stderr.slice(0, 200)}`);
  return version;
}

/** -1, 0 or 1, as versions go: 2.10 is newer than 2.9. */
export function compareVersions(left: string, right: string): number {
  const [a = [], b = []] = [left, right].map((version) => version.split(".").map(Number));
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/** `since`: keepalived's version that brought it, where that is not long ago. */
export const isKnownTo = (version: string, since: string | undefined): boolean =>
  since === undefined || compareVersions(version, since) >= 0;
