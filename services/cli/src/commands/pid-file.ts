// Pid files, by which tools find whom to signal. Written when signals are heard: before that one of them would end us.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Replaces what is there at once, so that nobody reads half of it, and follows no link: in a folder that others may write
 * it could lead anywhere.
 */
export function writePidFile(path: string, pid: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const whole = `${path}.${pid}`;
  rmSync(whole, { force: true });
  writeFileSync(whole, `${pid}\n`, { flag: "wx", mode: 0o644 });
  renameSync(whole, path);
}

/** The process that a pid file names; undefined: there is no such file, or something else stands in it. */
export function readPidFile(path: string): number | undefined {
  try {
    const text = readFileSync(path, "latin1").trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** Only while it is ours: whoever started after us may have written it anew. */
export function removePidFile(path: string, pid: number): void {
  if (readPidFile(path) === pid) rmSync(path, { force: true });
}
