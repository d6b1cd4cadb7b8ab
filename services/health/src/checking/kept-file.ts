// A file that outlives the process: written aside and renamed, so that a reader finds the old text or the new one. Nobody
// waits for the disk but who asks to; what changes often is written once for all changes of a while.
import { readFileSync, statSync } from "node:fs";
import { open, rename, rm, utimes } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { messageOf } from "@baton/domain";

export interface KeptFile {
  /** As the process before left it; undefined: there is none that can be read. */
  readonly found: string | undefined;
  /** `make` is asked when it is written, soon. */
  changed(make: () => string): void;
  /** Written when it resolves; never rejects. */
  save(make: () => string): Promise<void>;
  /** Nothing is to be found by the next one. */
  forget(): Promise<void>;
}

export interface KeptFileOptions {
  readonly path: string;
  /** Survives also that the machine loses its power. */
  readonly durable: boolean;
  /** What nobody has confirmed for longer is not found; undefined: whatever its age. */
  readonly freshMillis?: number;
  readonly onProblem: (reason: string) => void;
}

export const limits = {
  /** How often a file that can be too old is confirmed. */
  confirmMillis: 10_000,
  /** From a change until it is written, with all that has changed meanwhile. */
  debounceMillis: 20,
  /** Making a text takes the loop's time: of that at most this share. */
  shareOfTime: 0.05,
} as const;

export function openKeptFile({ path, durable, freshMillis, onProblem }: KeptFileOptions): KeptFile {
  const found = readText(path, freshMillis ?? Number.POSITIVE_INFINITY);
  let timer: NodeJS.Timeout | undefined;
  let pending: (() => string) | undefined;
  let writing: Promise<void> = Promise.resolve();
  /** Not written again before. */
  let restUntil = 0;
  let forgotten = false;
  let problem = "";

  /** Writes come one after the other. */
  function next(action: () => Promise<void>): Promise<void> {
    writing = writing.then(action).catch((error: unknown) => {
      const reason = messageOf(error);
      if (reason !== problem) onProblem(reason);
      problem = reason;
    });
    return writing;
  }

  async function write(): Promise<void> {
    const make = pending;
    pending = undefined;
    if (make === undefined || forgotten) return;
    const before = performance.now();
    const text = make();
    restUntil = performance.now() + (performance.now() - before) / limits.shareOfTime;
    await replaceFile(path, text, durable);
    problem = "";
  }

  const confirm = (): void => {
    const now = new Date();
    // There may be none yet.
    utimes(path, now, now).catch(() => undefined);
  };
  const confirming = freshMillis === undefined ? undefined : setInterval(confirm, limits.confirmMillis).unref();

  return {
    found,
    changed: (make) => {
      pending = make;
      timer ??= setTimeout(
        () => {
          timer = undefined;
          void next(write);
        },
        Math.max(limits.debounceMillis, restUntil - performance.now()),
      );
    },
    save: (make) => {
      pending = make;
      return next(write);
    },
    forget: () => {
      forgotten = true;
      clearTimeout(timer);
      clearInterval(confirming);
      return next(() => rm(path, { force: true }));
    },
  };
}

async function replaceFile(path: string, text: string, durable: boolean): Promise<void> {
  const aside = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(aside, "w", 0o600);
    try {
      await file.writeFile(text);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

function readText(path: string, freshMillis: number): string | undefined {
  try {
    return Date.now() - statSync(path).mtimeMs > freshMillis ? undefined : readFileSync(path, "utf8");
  } catch {
    return undefined; // The first start, or not ours to read: nothing is known then.
  }
}
