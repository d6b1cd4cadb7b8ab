// The applied configuration of this service: the snapshot file, re-read when control says that there is a new one, when
// the directory changes, and now and then in case both are silent. Never backwards.
import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { messageOf } from "@baton/domain";
import type { ConfigSource } from "./api.ts";
import { untilCommon } from "./common-times.ts";
import { paths } from "./env.ts";
import { type ConfigSnapshot, SnapshotReader } from "./snapshot.ts";

export const configSourceLimits = {
  /** inotify says nothing on some file systems, and control may be gone. */
  pollMs: 6_000,
  /** Until the first snapshot is there somebody waits for it. */
  firstPollMs: 250,
} as const;

export interface ConfigSourceOptions {
  readonly stateDir: string;
  /** Calls `changed` whenever control may have applied something; undefined in control itself. */
  readonly followControl?: ((changed: () => void) => { close(): void }) | undefined;
  onProblem(message: string, error: unknown): void;
}

export interface OwnedConfigSource extends ConfigSource {
  /** Called with every snapshot, the first one too. */
  onSnapshot(handler: (snapshot: ConfigSnapshot) => void): void;
  close(): void;
}

export function openConfigSource(options: ConfigSourceOptions): OwnedConfigSource {
  return new SnapshotFile(options);
}

class SnapshotFile implements OwnedConfigSource {
  readonly #options: ConfigSourceOptions;
  readonly #handlers: ((snapshot: ConfigSnapshot) => void)[] = [];
  readonly #every: ((snapshot: ConfigSnapshot) => void)[] = [];
  readonly #waiting: ((snapshot: ConfigSnapshot) => void)[] = [];
  readonly #reader = new SnapshotReader();
  readonly #following: { close(): void } | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #current: ConfigSnapshot | undefined;
  /** A read is running; another one was asked for meanwhile. */
  #reading = false;
  #again = false;
  #problem = "";
  /** Which file was read last: every replacement is another inode. */
  #file = "";
  #closed = false;

  constructor(options: ConfigSourceOptions) {
    this.#options = options;
    const name = basename(paths.snapshot(options.stateDir));
    try {
      this.#watcher = watch(options.stateDir, (_event, file) => {
        if (file === null || file === name) this.#read();
      });
      this.#watcher.on("error", () => this.#watcher?.close());
      this.#watcher.unref();
    } catch {
      // No inotify instance left, or no directory yet: the poll remains.
    }
    this.#following = options.followControl?.(() => this.#read());
    this.#read();
  }

  current(): Promise<ConfigSnapshot> {
    if (this.#current !== undefined) return Promise.resolve(this.#current);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  onChange(handler: (snapshot: ConfigSnapshot) => void): void {
    this.#handlers.push(handler);
  }

  onSnapshot(handler: (snapshot: ConfigSnapshot) => void): void {
    this.#every.push(handler);
    if (this.#current !== undefined) handler(this.#current);
  }

  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    this.#following?.close();
    clearTimeout(this.#timer);
  }

  #read(): void {
    if (this.#closed) return;
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    this.#readWhenChanged()
      .catch((error: unknown) => this.#complain(error))
      .finally(() => {
        this.#reading = false;
        this.#schedule();
      });
  }

  /** A large configuration takes milliseconds to parse, on the thread that sends adverts: only when there is a new one. */
  async #readWhenChanged(): Promise<void> {
    const { stateDir } = this.#options;
    const found = await stat(paths.snapshot(stateDir), { bigint: true }).catch(() => undefined);
    if (found === undefined) return;
    const file = `${found.dev}:${found.ino}:${found.mtimeNs}:${found.size}`;
    if (file === this.#file) return;
    const snapshot = await this.#reader.read(stateDir);
    this.#file = file;
    this.#problem = "";
    this.#take(snapshot);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    if (this.#again) {
      this.#again = false;
      return this.#read();
    }
    const { firstPollMs, pollMs } = configSourceLimits;
    const pause = this.#current === undefined ? firstPollMs : untilCommon(pollMs);
    this.#timer = setTimeout(() => this.#read(), pause);
    this.#timer.unref();
  }

  #take(snapshot: ConfigSnapshot | undefined): void {
    if (snapshot === undefined || this.#closed) return;
    const before = this.#current;
    if (before !== undefined && snapshot.generation <= before.generation) return;
    this.#current = snapshot;
    for (const handler of this.#every) handler(snapshot);
    for (const resolve of this.#waiting.splice(0)) resolve(snapshot);
    if (before !== undefined) for (const handler of this.#handlers) handler(snapshot);
  }

  /** Once per problem, not once per poll. */
  #complain(error: unknown): void {
    const message = messageOf(error);
    if (message === this.#problem) return;
    this.#problem = message;
    this.#options.onProblem("the configuration snapshot cannot be read; the last one stays", error);
  }
}
