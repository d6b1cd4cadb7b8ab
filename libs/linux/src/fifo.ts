// A named pipe that others read: fifo(7). Opened for both directions, so that it opens without a reader and a reader that
// comes and goes ends nothing; and without blocking, so that one that does not read costs a line and never the writer.
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { Closable, UserIds } from "./api.ts";
import { LinuxError } from "./error.ts";
import { errnos, errorOf, lastErrno, libc } from "./libc.ts";

export interface FifoOptions {
  readonly path: string;
  /** Permissions of one that is made. */
  readonly mode: number;
  /** Whose it becomes, and whose it may be already; undefined: our own alone. */
  readonly owner: UserIds | undefined;
}

export interface Fifo extends Closable {
  /** False: it was there before. */
  readonly made: boolean;
  /** All of it or nothing, up to 4096 octets (PIPE_BUF). False: nobody has read for so long that there is no room. */
  write(text: string): boolean;
}

/** True: it was made; false: there is something of that name. Throws LinuxError. */
export function makeFifo({ path, mode, owner }: FifoOptions): boolean {
  if (libc.mkfifo(path, mode) < 0) {
    if (lastErrno() === errnos.eexist) return false;
    throw errorOf(lastErrno(), `mkfifo ${path}`);
  }
  // What the process's umask took away is given back: the mode is the caller's.
  chmodSync(path, mode);
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
  return true;
}

/** Makes it where it is missing. Throws where something else stands, or a FIFO of somebody else: it may be a trap. */
export function openFifo(options: FifoOptions): Fifo {
  const made = makeFifo(options);
  const { path, owner } = options;
  if (!lstatSync(path).isFIFO()) throw new LinuxError("EEXIST", `mkfifo ${path}`, "something else is there");
  const { O_RDWR, O_NONBLOCK, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
  // The descriptor's own word: what stands at the path may be another thing by now.
  const status = fstatSync(descriptor);
  const isOurs = status.uid === process.getuid?.() || status.uid === owner?.uid;
  if (!status.isFIFO() || !isOurs) {
    closeSync(descriptor);
    throw new LinuxError("EPERM", `open ${path}`, "it is no FIFO, or somebody else's");
  }
  let isClosed = false;
  return {
    made,
    write(text) {
      if (isClosed) return false;
      try {
        writeSync(descriptor, text);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
        throw error;
      }
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      closeSync(descriptor);
    },
  };
}

/** Removes the FIFO of that name, and nothing else. */
export function removeFifo(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFIFO() === true) unlinkSync(path);
}

/** Whether somebody has it open for reading; false when there is none of that name. */
export function isFifoRead(path: string): boolean {
  const { O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  try {
    if (!lstatSync(path).isFIFO()) return false;
    closeSync(openSync(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW));
    return true;
  } catch {
    return false; // ENXIO: nobody reads.
  }
}
