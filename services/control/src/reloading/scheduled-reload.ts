// `reload_time_file`: a file with the time of the next reload. It is read when it is written (inotify on its folder), and
// when its folder comes back; the wall clock is looked at again and again, because people set it.
import { closeSync, constants, openSync, readSync, unlinkSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { Host } from "@baton/host";
import type { ReloadConfig } from "@baton/keepalived-conf";
import { type FileWatch, openFileWatch } from "@baton/linux";
import { type ReloadTime, readReloadTime } from "./reload-time.ts";

export interface ScheduledReload {
  /** As the applied configuration has it; called after each reload. */
  configure(config: Pick<ReloadConfig, "timeFile" | "repeat">): void;
  close(): void;
}

export interface ScheduledReloadOptions {
  readonly log: Host["log"];
  reload(): void;
  /** Wall clock, in milliseconds. */
  wall(): number;
}

/** How long the wall clock is trusted, and how soon a folder that is not there is looked for again; ms. */
const lookAgainMillis = 10_000;
/** More than any time takes; the rest of the file does not count. */
const bytesMax = 64;

export function openScheduledReload({ log, reload, wall }: ScheduledReloadOptions): ScheduledReload {
  let path: string | undefined;
  let repeats = false;
  let watch: FileWatch | undefined;
  let isWatched = false;
  let planned: ReloadTime | undefined;
  let said: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  function say(text: string, fields: Record<string, unknown> = {}): void {
    if (text === said) return;
    said = text;
    log.info(text, { file: path, ...fields });
  }

  function look(): void {
    planned = undefined;
    if (path === undefined) return;
    const text = readStart(path);
    if (text === undefined) return say("no reload is planned");
    const found = readReloadTime(text, wall());
    if (typeof found === "string") return say(`no reload is planned: ${found}`, { text: text.split("\n", 1)[0] });
    planned = found;
    say(`a reload is planned for ${new Date(found.at).toISOString()}`);
  }

  function begin(): void {
    if (path === undefined || isWatched) return;
    const name = basename(path);
    try {
      watch ??= openFileWatch({
        onChange: (_folder, changed) => {
          if (path === undefined || changed !== basename(path)) return;
          look();
          wake();
        },
        onFolderGone: () => {
          isWatched = false;
          planned = undefined;
        },
        onGap: look,
      });
      watch.add(dirname(path));
      isWatched = true;
      look();
    } catch (error) {
      say(`the folder of ${name} cannot be watched; trying again`, { cause: error });
    }
  }

  function wake(): void {
    clearTimeout(timer);
    if (path === undefined) return;
    begin();
    if (planned !== undefined && wall() >= planned.at) fire(path, planned);
    const wait = planned === undefined ? lookAgainMillis : Math.max(0, planned.at - wall());
    timer = setTimeout(wake, Math.min(wait, lookAgainMillis));
  }

  function fire(file: string, { isOnce }: ReloadTime): void {
    planned = undefined;
    if (repeats && !isOnce) look();
    else removeQuietly(file);
    log.info("the planned reload begins", { file });
    reload();
  }

  function close(): void {
    clearTimeout(timer);
    watch?.close();
    [watch, isWatched, planned, said, path] = [undefined, false, undefined, undefined, undefined];
  }

  return {
    configure({ timeFile, repeat }) {
      repeats = repeat;
      const wanted = timeFile === undefined ? undefined : resolve("/", timeFile);
      if (wanted === path) return;
      close();
      path = wanted;
      wake();
    },
    close,
  };
}

/** undefined: there is none that could be read. What is no file is not opened for long: a pipe would wait for a writer. */
function readStart(path: string): string | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(bytesMax);
      return bytes.toString("utf8", 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else has removed it, or may not have it removed: its time has passed either way.
  }
}
