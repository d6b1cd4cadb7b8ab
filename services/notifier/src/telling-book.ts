// The ledger of this process and its checkpoint: what was accepted for telling, and, in the store, what was begun to be
// told, which is what a successor finds. Instances, groups and servers stand in it side by side.
import type { Log } from "@baton/host";
import { isLater, recordOf, type Telling, type TellingRecord } from "./ledger.ts";
import type { ToldStore } from "./told-store.ts";

export interface TellingBook {
  /** Accepted for telling last. */
  accepted(key: string): TellingRecord | undefined;
  /** Of whatever life of the node: counts only for what goes on from one to the next. */
  earlier(key: string): TellingRecord | undefined;
  accept(key: string, record: TellingRecord): void;
  /** It begins to be told: a successor does not tell it again. */
  begun(key: string, change: Telling): void;
  mailed(key: string, change: Telling): void;
  /** What is neither configured nor was a moment ago is nobody's any more. */
  forget(isGone: (key: string) => boolean): void;
  keys(): string[];
}

export interface TellingBookOptions {
  readonly store: ToldStore;
  readonly log: Log;
  /** Follows one that died; a node that starts anew tells its states anew, as keepalived does. */
  readonly isSuccessor: boolean;
}

export function openTellingBook({ store, log, isSuccessor }: TellingBookOptions): TellingBook {
  const told = store.load();
  const earlier = new Map(told);
  const accepted = new Map(isSuccessor ? told : []);
  let unsaved = new Map<string, TellingRecord | undefined>();

  function save(key: string, record: TellingRecord | undefined): void {
    if (record === undefined) told.delete(key);
    else told.set(key, record);
    // A thousand instances may move in one step: one write for all of them.
    if (unsaved.size === 0) setImmediate(write);
    unsaved.set(key, record);
  }

  function write(): void {
    const changes = unsaved;
    unsaved = new Map();
    try {
      store.save(changes, told);
    } catch (error) {
      log.error("cannot write down what was told: a restart may tell a state twice", { cause: error });
    }
  }

  return {
    accepted: (key) => accepted.get(key),
    earlier: (key) => earlier.get(key),
    accept: (key, record) => void accepted.set(key, record),
    begun(key, change) {
      const before = told.get(key);
      // The second script of one change.
      if (before !== undefined && change.order !== undefined && !isLater(before, change)) return;
      save(key, recordOf(before, change, false));
    },
    mailed(key, change) {
      save(key, { ...(told.get(key) ?? recordOf(undefined, change, true)), mailed: change.state });
    },
    forget(isGone) {
      for (const key of new Set([...accepted.keys(), ...told.keys()])) {
        if (!isGone(key)) continue;
        accepted.delete(key);
        earlier.delete(key);
        if (told.has(key)) save(key, undefined);
      }
    },
    keys: () => [...accepted.keys()],
  };
}
