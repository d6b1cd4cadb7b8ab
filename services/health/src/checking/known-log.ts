// What health knows, as a log: a line for each change, written before the events that tell of the change can have left this
// process. So whatever a kill leaves behind, the next process knows at least what has been told; what it knows beyond that,
// because the events died with their process, it finds by their versions (known.ts).
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimes,
  writeFileSync,
} from "node:fs";
import { messageOf } from "@baton/domain";

export interface KnownLog {
  /** The lines as the process before left them; undefined: there are none that can be read. */
  readonly found: string | undefined;
  /** Survives this process when it returns. */
  append(lines: readonly string[]): void;
  /** In place of all lines so far: a reader finds those or these. */
  replace(lines: readonly string[]): void;
  /** It has grown to more than twice what it began with, and by enough to be worth the work. */
  isLong(): boolean;
  /** Nothing is to be found by the next one. */
  forget(): void;
}

export interface KnownLogOptions {
  readonly path: string;
  /** What nobody has confirmed for longer is not found. */
  readonly freshMillis: number;
  readonly onProblem: (reason: string) => void;
}

export const limits = {
  confirmMillis: 10_000,
  /** Of growth, before it is written anew. */
  bytesWorthIt: 256 * 1024,
} as const;

export function openKnownLog({ path, freshMillis, onProblem }: KnownLogOptions): KnownLog {
  const found = readFresh(path, freshMillis);
  let descriptor: number | undefined;
  let bytes = { atFirst: 0, since: 0 };
  let problem = "";

  /** A file that cannot be written costs what a restart would know, and nothing else. */
  function attempt(action: () => void): void {
    try {
      action();
      problem = "";
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== problem) onProblem(reason);
      problem = reason;
    }
  }
  function close(): void {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  }

  const confirming = setInterval(() => {
    const now = new Date();
    // There may be none yet.
    utimes(path, now, now, () => undefined);
  }, limits.confirmMillis).unref();

  return {
    found,
    append: (lines) =>
      attempt(() => {
        if (descriptor === undefined || lines.length === 0) return;
        const text = `${lines.join("\n")}\n`;
        appendFileSync(descriptor, text);
        bytes = { ...bytes, since: bytes.since + text.length };
      }),
    replace: (lines) =>
      attempt(() => {
        const text = `${lines.join("\n")}\n`;
        const aside = `${path}.new`;
        rmSync(aside, { force: true });
        const fresh = openSync(aside, "ax", 0o600);
        try {
          writeFileSync(fresh, text);
          renameSync(aside, path);
        } catch (error) {
          closeSync(fresh);
          rmSync(aside, { force: true });
          throw error;
        }
        close();
        descriptor = fresh;
        bytes = { atFirst: text.length, since: 0 };
      }),
    isLong: () => bytes.since > Math.max(bytes.atFirst, limits.bytesWorthIt),
    forget: () => {
      clearInterval(confirming);
      attempt(() => {
        close();
        rmSync(path, { force: true });
      });
    },
  };
}

function readFresh(path: string, freshMillis: number): string | undefined {
  try {
    return Date.now() - statSync(path).mtimeMs > freshMillis ? undefined : readFileSync(path, "utf8");
  } catch {
    return undefined; // The first start, or not ours to read: nothing is known then.
  }
}
