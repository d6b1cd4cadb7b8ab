// The checkpoint: what was last told of each instance, in a file that is replaced whole. No fsync: it has to survive
// this process, not the machine; a node that starts anew tells its states anew.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { TellingRecord } from "./ledger.ts";
import type { NotifyState } from "./state-change.ts";

export interface ToldStore {
  load(): Map<string, TellingRecord>;
  save(records: ReadonlyMap<string, TellingRecord>): void;
}

export interface ToldStoreOptions {
  readonly path: string;
  onUnreadable(error: Error): void;
}

export function openToldStore({ path, onUnreadable }: ToldStoreOptions): ToldStore {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return {
    load() {
      try {
        const stored: unknown = JSON.parse(readFileSync(path, "utf8"));
        if (!isStored(stored)) throw new Error(`${path} is no record of told states`);
        return new Map(Object.entries(stored.told));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") onUnreadable(error as Error);
        return new Map();
      }
    },
    save(records) {
      const next = `${path}.next`;
      writeFileSync(next, JSON.stringify({ told: Object.fromEntries(records) }), { mode: 0o600 });
      renameSync(next, path);
    },
  };
}

interface Stored {
  readonly told: Readonly<Record<string, TellingRecord>>;
}

const states: readonly unknown[] = ["MASTER", "BACKUP", "FAULT", "STOP", "DELETED"] satisfies NotifyState[];
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function isStored(value: unknown): value is Stored {
  if (!isObject(value) || !isObject(value.told)) return false;
  return Object.values(value.told).every(
    (told) =>
      isObject(told) &&
      states.includes(told.state) &&
      [told.epoch, told.version, told.at].every(Number.isSafeInteger) &&
      (told.mailed === undefined || states.includes(told.mailed)),
  );
}
