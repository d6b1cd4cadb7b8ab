// A pipe for the output of a child process. Node's own "pipe" is a socket pair, and a script that writes to /dev/stdout
// or /dev/stderr by name, which keepalived's users do, fails on a socket with ENXIO.
import { checked, libc } from "./libc.ts";

const O_CLOEXEC = 0o2000000;

/** Two descriptors, both close-on-exec; whoever opened the pipe closes them (node:fs closeSync). */
export interface PipeEnds {
  readonly read: number;
  readonly write: number;
}

/** Throws LinuxError: EMFILE, ENFILE. */
export function openPipe(): PipeEnds {
  const ends = new Int32Array(2);
  checked(libc.pipe2(ends, O_CLOEXEC), "pipe2");
  return { read: ends[0] ?? -1, write: ends[1] ?? -1 };
}
