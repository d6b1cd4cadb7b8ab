// Files that are written, moved or removed, by inotify on their folders (inotify(7)): "written" means closed after
// writing, so that nobody reads a file that is half there. Node's own fs.watch tells of each write.
import type { Closable } from "./api.ts";
import { LinuxError } from "./error.ts";
import { checked, errnos, errorOf, lastErrno, libc } from "./libc.ts";
import { viewOf } from "./netlink-message.ts";
import { watchFd } from "./watch-fd.ts";

const IN_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
const IN_CLOSE_WRITE = 0x8;
const IN_MOVED_FROM = 0x40;
const IN_MOVED_TO = 0x80;
const IN_DELETE = 0x200;
const IN_MOVE_SELF = 0x800;
const IN_Q_OVERFLOW = 0x4000;
const IN_IGNORED = 0x8000;
const IN_ONLYDIR = 0x01000000;
const wanted = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_MOVE_SELF | IN_ONLYDIR;

/** struct inotify_event: watch, mask, cookie, length of the name; the name, padded with zeros, follows. */
const headerBytes = 16;

export interface FileWatchOptions {
  /** Something happened to the file `name` of a folder: look at it anew. */
  onChange(folder: string, name: string): void;
  /** The folder is not at its path any more, and is no longer watched. */
  onFolderGone(folder: string): void;
  /** Changes were lost: look at everything anew. */
  onGap(): void;
}

export interface FileWatch extends Closable {
  /** Once for each folder. Throws LinuxError: ENOENT, ENOTDIR, EACCES, ENOSPC (fs.inotify.max_user_watches). */
  add(folder: string): void;
  remove(folder: string): void;
}

/** Throws LinuxError EMFILE when the user has too many of them (fs.inotify.max_user_instances). */
export function openFileWatch(options: FileWatchOptions): FileWatch {
  const fd = checked(libc.inotifyInit1(IN_NONBLOCK_CLOEXEC), "inotify_init1");
  const folders = new Map<number, string>();
  const buffer = new Uint8Array(64 * 1024);

  function forget(watch: number, folder: string): void {
    folders.delete(watch);
    options.onFolderGone(folder);
  }

  function tell({ watch, mask, name }: Change): void {
    const folder = folders.get(watch);
    if (folder === undefined) return;
    if ((mask & IN_IGNORED) !== 0) return forget(watch, folder);
    if ((mask & IN_MOVE_SELF) !== 0) {
      libc.inotifyRmWatch(fd, watch);
      return forget(watch, folder);
    }
    if (name !== "") options.onChange(folder, name);
  }

  function drain(): boolean {
    let lost = false;
    while (!watch.isClosed()) {
      const length = libc.read(fd, buffer, buffer.length);
      if (length < 0) {
        if (lastErrno() === errnos.eagain) break;
        throw errorOf(lastErrno(), "read inotify");
      }
      for (const change of splitChanges(buffer.subarray(0, length))) {
        if ((change.mask & IN_Q_OVERFLOW) !== 0) lost = true;
        else tell(change);
      }
    }
    return lost;
  }

  const watch = watchFd(fd, drain, () => options.onGap());
  return {
    add: (folder) => {
      if (watch.isClosed()) throw new LinuxError("EBADF", "inotify_add_watch", "the watch is closed");
      folders.set(checked(libc.inotifyAddWatch(fd, folder, wanted), `inotify_add_watch ${folder}`), folder);
    },
    remove: (folder) => {
      for (const [number, path] of folders) {
        if (path !== folder) continue;
        folders.delete(number);
        libc.inotifyRmWatch(fd, number);
      }
    },
    close: () => watch.close(),
  };
}

interface Change {
  readonly watch: number;
  readonly mask: number;
  readonly name: string;
}

function splitChanges(bytes: Uint8Array): Change[] {
  const view = viewOf(bytes);
  const changes: Change[] = [];
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const length = view.getUint32(at + 12, true);
    const name = bytes.subarray(at + headerBytes, at + headerBytes + length);
    const end = name.indexOf(0);
    changes.push({
      watch: view.getInt32(at, true),
      mask: view.getUint32(at + 4, true),
      name: Buffer.from(end < 0 ? name : name.subarray(0, end)).toString("utf8"),
    });
    at += headerBytes + length;
  }
  return changes;
}
