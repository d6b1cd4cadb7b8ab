// Files of the configuration as the parser wants them: what a name stands for is not known before it is opened, so it is
// opened without waiting (a FIFO, a terminal), asked what it is, and read up to a limit only.
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { type FileContent, sourceSizeMax } from "@baton/keepalived-conf";

/** keepalived reads regular files without an execute bit only; so that both accept the same files, does Baton. */
export function readConfigFile(path: string): FileContent {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stats = fstatSync(descriptor);
    if (stats.isDirectory()) return { error: "it is a directory", kind: "directory" };
    if (!stats.isFile()) return { error: "it is not a regular file", kind: "unreadable" };
    if ((stats.mode & 0o111) !== 0) return { error: "it is executable", kind: "executable" };
    return readWhole(descriptor);
  } catch (error) {
    return failure(error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const pieceSize = 1024 * 1024;

/** The size that a file says it has is not asked: files of /proc say 0, and a file may grow. */
function readWhole(descriptor: number): FileContent {
  const pieces: Buffer[] = [];
  for (let size = 0; size <= sourceSizeMax; ) {
    const piece = Buffer.allocUnsafe(pieceSize);
    const length = readSync(descriptor, piece);
    if (length === 0) return { octets: Buffer.concat(pieces) };
    pieces.push(piece.subarray(0, length));
    size += length;
  }
  return { error: `it is larger than ${sourceSizeMax / 1024 / 1024} MiB`, kind: "too-large" };
}

function failure(error: unknown): FileContent {
  const { code, message } = error as NodeJS.ErrnoException;
  const missing = code === "ENOENT" || code === "ENOTDIR";
  // `ENOENT: no such file or directory, open '/x'`
  const reason = /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
  return { error: reason, kind: missing ? "missing" : "unreadable" };
}

/** For patterns of `include`. `""` is the working directory. */
export function listDirectory(path: string): string[] | undefined {
  try {
    return readdirSync(path === "" ? "." : path);
  } catch {
    return undefined;
  }
}
