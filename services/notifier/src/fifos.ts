// notify_fifo, vrrp_notify_fifo and lvs_notify_fifo: named pipes that get a line for each change, and the programs that read
// them. Whoever does not read loses lines; nobody waits for it.
import type { Log } from "@baton/host";
import type { Command, Config, FifoConfig, FifosConfig } from "@baton/keepalived-conf";
import { type Fifo, isFifoRead, openFifo, removeFifo, type UserIds } from "@baton/linux";
import {
  argvOf,
  type Environment,
  type Identity,
  type RunningScript,
  startScript,
  type UserLookup,
} from "@baton/script";

export interface FifosOptions {
  readonly log: Log;
  readonly environment: Environment;
  readonly lookup: UserLookup;
  identityOf(command: Command, config: Config): Identity;
  /** This notifier follows one that died: its FIFOs and their readers are taken over. */
  readonly isSuccessor: boolean;
}

/** What a line tells of: instances and groups, or virtual and real servers. */
export type About = "vrrp" | "lvs";

export interface Fifos {
  /** Opens, keeps and closes them as the configuration has them now. */
  configure(config: Config): void;
  write(line: string, about: About): void;
  close(): void;
}

/** As keepalived makes them; less what `umask` takes away. */
const mode = 0o644;
const outputBytesMax = 1_024;

interface OpenFifo {
  readonly config: WantedFifo;
  readonly fifo: Fifo;
  /** Ours to remove. */
  readonly isOurs: boolean;
  readonly reader: RunningScript | undefined;
}

interface WantedFifo extends FifoConfig {
  readonly hears: readonly About[];
}

/** By path: two keywords may name one pipe. */
function wantedFifos({ all, vrrp, lvs }: FifosConfig): ReadonlyMap<string, WantedFifo> {
  const wanted = new Map<string, WantedFifo>();
  const want = (fifo: FifoConfig | undefined, hears: readonly About[]): void => {
    if (fifo === undefined) return;
    const before = wanted.get(fifo.path);
    wanted.set(fifo.path, {
      ...fifo,
      owner: before?.owner ?? fifo.owner,
      reader: before?.reader ?? fifo.reader,
      hears: [...new Set([...(before?.hears ?? []), ...hears])],
    });
  };
  want(all, ["vrrp", "lvs"]);
  want(vrrp, ["vrrp"]);
  want(lvs, ["lvs"]);
  return wanted;
}

export function openFifos({ log, environment, lookup, identityOf, isSuccessor }: FifosOptions): Fifos {
  const open = new Map<string, OpenFifo>();
  /** Those that have said that they are full: once for each time. */
  const full = new Set<string>();
  let isFirst = true;

  function ownerOf({ owner, path }: FifoConfig): UserIds | undefined {
    if (owner === undefined) return undefined;
    const ids = lookup(owner.user, owner.group);
    if (ids === undefined) log.warn("there is no user whose the FIFO could be", { path, user: owner.user });
    return ids;
  }

  function add(wanted: WantedFifo, config: Config): void {
    const { path, reader } = wanted;
    // A reader that a former notifier has left goes on reading: two would share the lines.
    const isTakenOver = isSuccessor && isFirst;
    const isRead = isTakenOver && isFifoRead(path);
    try {
      const fifo = openFifo({ path, mode: mode & ~config.global.files.umask, owner: ownerOf(wanted) });
      const started = reader === undefined || isRead ? undefined : startReader(reader, path, config);
      open.set(path, { config: wanted, fifo, isOurs: fifo.made || isTakenOver, reader: started });
    } catch (error) {
      log.error("a FIFO cannot be used", { path, cause: error });
    }
  }

  function startReader(command: Command, path: string, config: Config): RunningScript | undefined {
    const identity = identityOf(command, config);
    if (!identity.ok) {
      log.error("the reader of a FIFO cannot be started", { path, reason: identity.reason });
      return undefined;
    }
    return startScript({
      argv: argvOf(command, [path]),
      ids: identity.ids,
      environment,
      outputBytesMax,
      onExit: ({ exit, output }) => log.warn("the reader of a FIFO has ended", { path, exit, output }),
    });
  }

  function remove(path: string, { fifo, isOurs, reader }: OpenFifo): void {
    open.delete(path);
    full.delete(path);
    // First its name: a reader that opens it again finds none.
    if (isOurs) removeFifo(path);
    fifo.close();
    reader?.signal("SIGTERM");
  }

  return {
    configure(config) {
      const wanted = wantedFifos(config.global.fifos);
      for (const [path, opened] of [...open]) {
        if (JSON.stringify(wanted.get(path)) !== JSON.stringify(opened.config)) remove(path, opened);
      }
      for (const [path, each] of wanted) if (!open.has(path)) add(each, config);
      isFirst = false;
    },
    write(line, about) {
      for (const [path, { fifo, config }] of open) {
        if (!config.hears.includes(about)) continue;
        try {
          if (fifo.write(line)) full.delete(path);
          else if (!full.has(path)) {
            full.add(path);
            log.warn("nobody reads a FIFO: lines are lost", { path });
          }
        } catch (error) {
          log.error("a FIFO cannot be written", { path, cause: error });
        }
      }
    },
    close() {
      for (const [path, opened] of [...open]) remove(path, opened);
    },
  };
}
