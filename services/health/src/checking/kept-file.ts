// A file that outlives the process and the machine: written aside and renamed, so that a reader finds the old text or the
// new one. Nobody waits for the disk but who asks to; what changes often is written once for all changes of a while.
import { readFileSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "@baton/domain";

export interface KeptFile {
  /** As the process before left it; undefined: there is none that can be read. */
  readonly found: string | undefined;
  /** `make` is asked when it is written, soon. */
  changed(make: () => string): void;
  /** Whether it was written when it resolves; never rejects. */
  save(make: () => string): Promise<boolean>;
}

export interface KeptFileOptions {
  readonly path: string;
  readonly onProblem: (reason: string) => void;
}

/** From a change until it is written, with all that has changed meanwhile. */
const debounceMillis = 20;
const retryMillis = 1_000;

export function openKeptFile({ path, onProblem }: KeptFileOptions): KeptFile {
  const found = readText(path);
  let isDue = false;
  let pending: (() => string) | undefined;
  let writing: Promise<boolean> = Promise.resolve(true);
  let problem = "";

  /** One after the other; what could not be written is tried again until it is. */
  function write(): Promise<boolean> {
    writing = writing.then(writePending).catch((error: unknown) => {
      const reason = messageOf(error);
      if (reason !== problem) onProblem(reason);
      problem = reason;
      writeAfter(retryMillis);
      return false;
    });
    return writing;
  }

  function writeAfter(millis: number): void {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      void write();
    }, millis).unref();
  }

  async function writePending(): Promise<boolean> {
    const make = pending;
    if (make === undefined) return true;
    await replaceFile(path, make());
    if (pending === make) pending = undefined;
    problem = "";
    return true;
  }

  return {
    found,
    changed: (make) => {
      pending = make;
      writeAfter(debounceMillis);
    },
    save: (make) => {
      pending = make;
      return write();
    },
  };
}

async function replaceFile(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(aside, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // The first start, or not ours to read: nothing is known then.
  }
}
