// Mails that are not delivered yet, on the node's own disk: JSON lines, synced before anything else happens to a mail.
// Redis carries the queue, but may be away, or may have lost its last second; a mail leaves this file only when it was
// delivered or given up. Each line is a fact: a mail came, a server accepted it for some recipients, it is done.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Mail } from "./message.ts";

export interface OpenMail {
  readonly mail: Mail;
  /** Recipients that a server has taken over responsibility for: never sent to again. */
  readonly accepted: ReadonlySet<string>;
}

export interface MailOutbox {
  /** Those on disk, oldest first. */
  open(): OpenMail[];
  get(id: string): OpenMail | undefined;
  /** Resolves when the mail is on disk; false when it is there already. Rejects when the disk does not take it. */
  add(mail: Mail): Promise<boolean>;
  accept(id: string, recipients: readonly string[]): Promise<void>;
  done(id: string): Promise<void>;
  close(): Promise<void>;
}

type Line =
  | { readonly op: "mail"; readonly mail: Mail }
  | { readonly op: "accepted"; readonly id: string; readonly to: readonly string[] }
  | { readonly op: "done"; readonly id: string };

interface Entry {
  readonly mail: Mail;
  readonly accepted: Set<string>;
  /** Its line is on disk, or the disk has refused it. */
  written: boolean;
}
type Mails = Map<string, Entry>;

/** When nothing is open and the file is longer than this, it starts anew. */
const compactBytes = 256 * 1024;

export async function openMailOutbox(path: string, onMalformed: (line: string) => void): Promise<MailOutbox> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const mails = readMails(path, onMalformed);
  rewrite(path, mails);
  const file = await open(path, "a", 0o600);
  const journal = createJournal(file, () => mails.size === 0);
  return {
    open: () => [...mails.values()].filter(({ written }) => written),
    get: (id) => mails.get(id),
    async add(mail) {
      if (mails.has(mail.id)) return false;
      const entry: Entry = { mail, accepted: new Set(), written: false };
      mails.set(mail.id, entry);
      try {
        await journal.write({ op: "mail", mail });
      } finally {
        entry.written = true;
      }
      return true;
    },
    async accept(id, to) {
      for (const recipient of to) mails.get(id)?.accepted.add(recipient);
      await journal.write({ op: "accepted", id, to });
    },
    async done(id) {
      if (!mails.delete(id)) return;
      await journal.write({ op: "done", id });
    },
    async close() {
      await journal.settled();
      await file.close();
    },
  };
}

/** Writes that come while a sync is under way share the next one; `isOver`: nothing in the file is needed any more. */
function createJournal(file: FileHandle, isOver: () => boolean) {
  let waiting: { text: string; resolve(): void; reject(error: Error): void }[] = [];
  let writing: Promise<void> | undefined;
  let bytes = 0;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const text = batch.map((each) => each.text).join("");
      try {
        await file.write(text);
        await file.datasync();
        bytes += Buffer.byteLength(text);
        // Here, so that no line can come between the look and the cut: a new mail is in `waiting`, and isOver sees it.
        if (bytes > compactBytes && isOver()) {
          await file.truncate(0);
          bytes = 0;
        }
        for (const each of batch) each.resolve();
      } catch (error) {
        for (const each of batch) each.reject(error as Error);
      }
    }
    writing = undefined;
  }

  return {
    settled: async () => writing,
    write(line: Line): Promise<void> {
      const written = new Promise<void>((resolve, reject) => {
        waiting.push({ text: `${JSON.stringify(line)}\n`, resolve, reject });
      });
      writing ??= drain();
      return written;
    },
  };
}

function readMails(path: string, onMalformed: (line: string) => void): Mails {
  const mails: Mails = new Map();
  for (const text of readLines(path)) {
    const line = parseLine(text);
    if (line === undefined) onMalformed(text);
    else if (line.op === "mail") mails.set(line.mail.id, { mail: line.mail, accepted: new Set(), written: true });
    else if (line.op === "accepted") for (const to of line.to) mails.get(line.id)?.accepted.add(to);
    else mails.delete(line.id);
  }
  return mails;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Undefined for a line cut short by a crash, or written by somebody else. */
function parseLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Partial<Record<string, unknown>>;
    if (line.op === "done" && typeof line.id === "string") return { op: "done", id: line.id };
    if (line.op === "accepted" && typeof line.id === "string" && Array.isArray(line.to))
      return { op: "accepted", id: line.id, to: line.to.map(String) };
    if (line.op === "mail" && isMail(line.mail)) return { op: "mail", mail: line.mail };
  } catch {
    // Not JSON: cut short.
  }
  return undefined;
}

export function isMail(value: unknown): value is Mail {
  const mail = value as Partial<Mail> | null;
  if (typeof mail !== "object" || mail === null || typeof mail.server !== "object" || mail.server === null)
    return false;
  const texts = [mail.id, mail.instance, mail.state, mail.from, mail.subject, mail.text, mail.date, mail.server.host];
  return texts.every((text) => typeof text === "string") && Array.isArray(mail.to) && typeof mail.cause === "object";
}

/** Starts the file anew with what is still open; on disk before the old one is gone. */
function rewrite(path: string, mails: Mails): void {
  const lines: Line[] = [...mails.values()].flatMap(({ mail, accepted }) => [
    { op: "mail", mail },
    ...(accepted.size === 0 ? [] : [{ op: "accepted", id: mail.id, to: [...accepted] } as const]),
  ]);
  const next = `${path}.next`;
  const file = openSync(next, "w", 0o600);
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  fsyncSync(file);
  closeSync(file);
  renameSync(next, path);
}
