// A lock that ends with its holder, however that ends: flock on a descriptor that stays open.
import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";
import type { Closable } from "./api.ts";
import { errnos, errorOf, lastErrno, libc } from "./libc.ts";

const LOCK_EX_NB = 2 | 4;

/**
 * Holds the lock until close(), or returns undefined while another process does. The file holds the holder's pid, for
 * people; it stays behind, because removing it would let two processes lock two files of one name.
 */
export function lockFile(path: string): Closable | undefined {
  // Node opens with O_CLOEXEC: a child must not keep the lock of a dead parent.
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  if (libc.flock(fd, LOCK_EX_NB) < 0) {
    const errno = lastErrno();
    closeSync(fd);
    if (errno === errnos.eagain) return undefined;
    throw errorOf(errno, `lock ${path}`);
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  let closed = false;
  return {
    close: () => {
      if (closed) return;
      closed = true;
      closeSync(fd);
    },
  };
}
