// The checkpoint: what was last told of each subject, as JSON lines of which the last one counts. A change costs a line,
// however many thousand servers there are; when most lines are of the past, the file starts anew. No fsync: it has to
// survive this process, not the machine; a node that starts anew tells its states anew.
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { TellingRecord, ToldState } from "./ledger.ts";

export interface ToldStore {
  load(): Map<string, TellingRecord>;
  /** `changes`: undefined for what is nobody's any more; `all`: with them. Throws when the disk does not take it. */
  save(changes: ReadonlyMap<string, TellingRecord | undefined>, all: ReadonlyMap<string, TellingRecord>): void;
}

export interface ToldStoreOptions {
  readonly path: string;
  onUnreadable(error: Error): void;
}

/** So many lines, and four for each subject, may stand in the file before it starts anew. */
const linesMin = 256;
const linesPerSubject = 4;

export function openToldStore({ path, onUnreadable }: ToldStoreOptions): ToldStore {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  /** Undefined: nobody knows what the file ends with. */
  let lines: number | undefined;
  return {
    load() {
      try {
        const records = new Map<string, TellingRecord>();
        const bad = readFileSync(path, "utf8")
          .split("\n")
          .filter((line) => line !== "" && !take(line, records));
        if (bad.length > 0) onUnreadable(new Error(`${path}: ${bad.length} lines are no record of what was told`));
        return records;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") onUnreadable(error as Error);
        return new Map();
      }
    },
    save(changes, all) {
      if (lines === undefined || lines + changes.size > Math.max(linesMin, all.size * linesPerSubject)) {
        lines = undefined;
        const next = `${path}.next`;
        writeFileSync(next, [...all].map(lineOf).join(""), { mode: 0o600 });
        renameSync(next, path);
        lines = all.size;
      } else {
        // A line that is cut short would take the next one with it.
        const before = lines;
        lines = undefined;
        appendFileSync(path, [...changes].map(lineOf).join(""));
        lines = before + changes.size;
      }
    },
  };
}

const lineOf = ([key, told]: readonly [string, TellingRecord | undefined]): string =>
  `${JSON.stringify({ key, told })}\n`;

/** False for a line that says nothing. */
function take(line: string, records: Map<string, TellingRecord>): boolean {
  const value = parse(line);
  if (!isObject(value) || typeof value.key !== "string") return false;
  const { key, told } = value;
  if (told === undefined) return records.delete(key) || true;
  if (!isRecord(told)) return false;
  records.set(key, told);
  return true;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const states: readonly unknown[] = ["MASTER", "BACKUP", "FAULT", "STOP", "DELETED", "UP", "DOWN"] satisfies ToldState[];
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const isRecord = (told: unknown): told is TellingRecord =>
  isObject(told) &&
  states.includes(told.state) &&
  [told.epoch, told.version, told.at].every(Number.isSafeInteger) &&
  (told.mailed === undefined || states.includes(told.mailed));
