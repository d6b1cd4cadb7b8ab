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
  /** In place of all lines so far: a reader finds those or these, or nothing where that is refused. */
  replace(lines: readonly string[]): void;
  /**
   * It is to be replaced, soon: something could not be written, or it has grown to more than twice what it began with, and
   * by enough to be worth the work.
   */
  isWorn(): boolean;
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
  /** Whatever was given is there. */
  let isWhole = false;
  let bytes = { atFirst: 0, since: 0 };
  let problem = "";

  /** A file that cannot be written costs what a restart would know, and nothing else. */
  function attempt(action: () => void): void {
    try {
      action();
      problem = "";
    } catch (error) {
      isWhole = false;
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
    // One of an earlier process, or with a line missing, is to grow old.
    if (!isWhole) return;
    const now = new Date();
    utimes(path, now, now, () => undefined);
  }, limits.confirmMillis).unref();

  return {
    found,
    append: (lines) => {
      const file = descriptor;
      if (file === undefined || !isWhole || lines.length === 0) return;
      attempt(() => {
        const text = textOf(lines);
        appendFileSync(file, text);
        bytes = { ...bytes, since: bytes.since + text.length };
      });
    },
    replace: (lines) =>
      attempt(() => {
        const text = textOf(lines);
        close();
        try {
          descriptor = writeAside(path, text);
        } catch (error) {
          // What an earlier process knew would be taken for what is known now.
          rmSync(path, { force: true });
          throw error;
        }
        isWhole = true;
        bytes = { atFirst: text.length, since: 0 };
      }),
    isWorn: () => !isWhole || bytes.since > Math.max(bytes.atFirst, limits.bytesWorthIt),
    forget: () => {
      clearInterval(confirming);
      attempt(() => {
        close();
        for (const file of [path, `${path}.new`]) rmSync(file, { force: true });
      });
    },
  };
}

const textOf = (lines: readonly string[]): string => `${lines.join("\n")}\n`;

/** The descriptor of what is at `path` then. */
function writeAside(path: string, text: string): number {
  const aside = `${path}.new`;
  const file = openSync(aside, "w", 0o600);
  try {
    writeFileSync(file, text);
    renameSync(aside, path);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function readFresh(path: string, freshMillis: number): string | undefined {
  try {
    return Date.now() - statSync(path).mtimeMs > freshMillis ? undefined : readFileSync(path, "utf8");
  } catch {
    return undefined; // The first start, or not ours to read: nothing is known then.
  }
}
