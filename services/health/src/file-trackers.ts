// The track_files that something tracks: read when they were written, moved or removed (inotify), and whenever their
// folder comes back. A file that is not there says 0, as an empty one does.
import { closeSync, constants, openSync, readSync, realpathSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { AggregateState } from "@baton/contracts";
import { type CauseRef, type Instant, messageOf, trackerAggregate } from "@baton/domain";
import { type FileTracker, fileBytesMax, learnFile } from "@baton/health";
import type { Host } from "@baton/host";
import type { Config, TrackFileConfig } from "@baton/keepalived-conf";
import { type FileWatch, openFileWatch } from "@baton/linux";
import { trackedOf } from "./tracked.ts";
import { announceChange } from "./tracker-story.ts";
import { fileState } from "./tracker-view.ts";

export interface FileTrackers {
  apply(config: Config, origin: "fresh" | "resumed"): void;
  /** undefined: nobody has read it. */
  value(name: string): number | undefined;
  states(): AggregateState[];
  close(): void;
}

interface Member {
  readonly config: TrackFileConfig;
  state: FileTracker;
  readAt: Instant;
  lastEvent: CauseRef | undefined;
  /** Where changes of the file are seen; with a symbolic link the link's folder and its target's. */
  watched: readonly { readonly folder: string; readonly name: string }[];
}

/** A folder that is not there is looked for again. */
const retryMillis = 1_000;

type FileHost = Pick<Host, "now" | "events" | "tracer" | "log">;

export type OnFileChange = (file: string, value: number, cause: CauseRef) => void;

export function createFileTrackers(host: FileHost, onFileChange: OnFileChange = () => undefined): FileTrackers {
  const members = new Map<string, Member>();
  const folders = new Set<string>();
  let watch: FileWatch | undefined;
  let retry: NodeJS.Timeout | undefined;

  function read(member: Member): void {
    const text = readBeginning(member.config.path, (reason) =>
      host.log.warn(`file ${member.config.path} of ${member.config.name} cannot be read: ${reason}`),
    );
    const { state, event, ignored } = learnFile(member.state, text);
    member.state = state;
    member.readAt = host.now();
    if (ignored) host.log.warn(`file ${member.config.path} of ${state.name} says no number of 32 bits; ignored`);
    if (event === undefined) return;
    member.lastEvent = announceChange(host, "file", state.name, event);
    if (state.value !== undefined) onFileChange(state.name, state.value, member.lastEvent);
  }

  const readAll = (): void => {
    for (const member of members.values()) read(member);
  };

  const watching = (): FileWatch => {
    watch ??= openFileWatch({
      onChange: (folder, name) => {
        for (const member of members.values()) {
          if (!member.watched.some((place) => place.folder === folder && place.name === name)) continue;
          // A link may lead elsewhere now.
          follow(member);
          read(member);
        }
      },
      onFolderGone: (folder) => {
        folders.delete(folder);
        for (const member of members.values()) {
          if (!member.watched.some((place) => place.folder === folder)) continue;
          follow(member);
          read(member);
        }
      },
      onGap: readAll,
    });
    return watch;
  };

  /** Watches where the file is now; what cannot be watched is tried again in a while. */
  function follow(member: Member): void {
    const places = placesOf(member.config.path);
    for (const { folder } of places) {
      if (folders.has(folder)) continue;
      try {
        watching().add(folder);
        folders.add(folder);
      } catch (error) {
        host.log.warn(`folder ${folder} of file ${member.config.name} cannot be watched: ${messageOf(error)}`);
      }
    }
    member.watched = places.filter(({ folder }) => folders.has(folder));
    if (places.length === 0 || member.watched.length < places.length) retryLater();
  }

  function retryLater(): void {
    retry ??= setTimeout(() => {
      retry = undefined;
      for (const member of members.values()) {
        if (isWatched(member)) continue;
        follow(member);
        read(member);
      }
    }, retryMillis);
  }

  const isWatched = (member: Member): boolean => {
    const places = placesOf(member.config.path);
    return places.length > 0 && places.every(({ folder }) => folders.has(folder));
  };

  function forgetUnused(): void {
    const used = new Set([...members.values()].flatMap(({ watched }) => watched.map(({ folder }) => folder)));
    for (const folder of folders) {
      if (used.has(folder)) continue;
      folders.delete(folder);
      watch?.remove(folder);
    }
  }

  return {
    apply: (config, origin) => {
      const wanted = trackedOf(config.trackFiles, config, "trackFiles");
      for (const name of members.keys()) if (!wanted.has(name)) members.delete(name);
      for (const [name, file] of wanted) {
        const before = members.get(name);
        if (before === undefined && origin === "fresh") makeFile(file, host);
        // Others keep the last number until this one is read: it is the same tracker at another place.
        const state = { name, path: file.path, value: before?.state.value };
        const member = { config: file, state, readAt: host.now(), lastEvent: before?.lastEvent, watched: [] };
        members.set(name, member);
        // Watched first, then read: nothing falls between.
        follow(member);
        read(member);
      }
      forgetUnused();
    },
    value: (name) => members.get(name)?.state.value,
    states: () =>
      [...members.values()].map(({ state, readAt, lastEvent }) =>
        fileState(state, readAt, { version: host.events.version(trackerAggregate("file", state.name)), lastEvent }),
      ),
    close: () => {
      clearTimeout(retry);
      members.clear();
      watch?.close();
    },
  };
}

/** `init_file`: made at the start, and written over only where that is asked for. */
function makeFile({ path, initial, name }: TrackFileConfig, host: FileHost): void {
  if (initial === undefined) return;
  try {
    writeFileSync(path, `${initial.value}\n`, { flag: initial.overwrite ? "w" : "wx", mode: 0o644 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    host.log.error(`file ${path} of ${name} cannot be made: ${messageOf(error)}`);
  }
}

function placesOf(path: string): { folder: string; name: string }[] {
  const places = [resolved(dirname(path), basename(path)), target(path)].filter((place) => place !== undefined);
  return places.filter(
    (place, index) => places.findIndex((other) => other.folder === place.folder && other.name === place.name) === index,
  );
}

function resolved(folder: string, name: string): { folder: string; name: string } | undefined {
  try {
    return { folder: realpathSync(folder), name };
  } catch {
    return undefined;
  }
}

/** Where a symbolic link leads, or the file itself. */
function target(path: string): { folder: string; name: string } | undefined {
  try {
    const real = realpathSync(path);
    return { folder: dirname(real), name: basename(real) };
  } catch {
    return undefined;
  }
}

/** Undefined: there is no such file, or none that can be read. Never waits for a writer (O_NONBLOCK). */
function readBeginning(path: string, onProblem: (reason: string) => void): string | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(fileBytesMax);
      return bytes.subarray(0, readSync(file, bytes)).toString("latin1");
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (codeOf(error) !== "ENOENT") onProblem(messageOf(error));
    return undefined;
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);
