// A file that outlives the process and the machine: written aside and renamed, so that a reader finds the old text or the
// new one. Nobody waits for the disk but who asks to; what changes often is written once for all changes of a while.
import { readFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { messageOf } from "@baton/domain";

export interface KeptFile {
  /** As the process before left it; undefined: there is none that can be read. */
  readonly found: string | undefined;
  /** `make` is asked when it is written, soon. */
  changed(make: () => string): void;
  /** Written when it resolves; never rejects. */
  save(make: () => string): Promise<void>;
}

export interface KeptFileOptions {
  readonly path: string;
  readonly onProblem: (reason: string) => void;
}

/** From a change until it is written, with all that has changed meanwhile. */
const debounceMillis = 20;

export function openKeptFile({ path, onProblem }: KeptFileOptions): KeptFile {
  const found = readText(path);
  let isDue = false;
  let pending: (() => string) | undefined;
  let writing: Promise<void> = Promise.resolve();
  let problem = "";

  /** One after the other. */
  function write(): Promise<void> {
    writing = writing.then(writePending).catch((error: unknown) => {
      const reason = messageOf(error);
      if (reason !== problem) onProblem(reason);
      problem = reason;
    });
    return writing;
  }

  async function writePending(): Promise<void> {
    const make = pending;
    pending = undefined;
    if (make === undefined) return;
    await replaceFile(path, make());
    problem = "";
  }

  return {
    found,
    changed: (make) => {
      pending = make;
      if (isDue) return;
      isDue = true;
      setTimeout(() => {
        isDue = false;
        void write();
      }, debounceMillis);
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
