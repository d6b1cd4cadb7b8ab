// The machine's first root directory: an archive of cpio's "newc" format, as the kernel unpacks it.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { firstScript } from "./inside.ts";
import type { VmParts } from "./parts.ts";

export interface ArchiveEntry {
  readonly name: string;
  /** Type and permissions, as in st_mode. */
  readonly mode: number;
  readonly data: Uint8Array;
}

const DIRECTORY = 0o040755;
const PROGRAM = 0o100755;
const TRAILER = "TRAILER!!!";

/** Busybox, the modules that reach the real root directory, and the script that goes there. `shared`: a directory on both sides. */
export function firstRoot(parts: VmParts, shared: string): Uint8Array {
  const directory = (name: string): ArchiveEntry => ({ name, mode: DIRECTORY, data: new Uint8Array() });
  const program = (name: string, data: Uint8Array): ArchiveEntry => ({ name, mode: PROGRAM, data });
  const modules = parts.firstModules.map((path) => program(`modules/${basename(path)}`, readFileSync(path)));
  const script = firstScript({
    modules: modules.map(({ name }) => `/${name}`),
    directory: shared,
    release: parts.release,
    modulesAt: parts.modules,
  });
  return archive([
    ...["bin", "modules", "dev", "proc", "lower", "upper", "whole"].map(directory),
    program("bin/busybox", readFileSync(parts.busybox)),
    ...modules,
    program("init", new TextEncoder().encode(script)),
  ]);
}

/** One file after another, each behind a header of thirteen numbers; name and data padded to four bytes. */
export function archive(entries: readonly ArchiveEntry[]): Uint8Array {
  const last: ArchiveEntry = { name: TRAILER, mode: 0, data: new Uint8Array() };
  return Buffer.concat(
    [...entries, last].flatMap(({ name, mode, data }, index) => {
      const nameBytes = Buffer.from(`${name}\0`);
      // inode, mode, uid, gid, links, time, size, device (2), device of a device file (2), length of the name, checksum
      const numbers = [index + 1, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, nameBytes.length, 0];
      const header = Buffer.from(`070701${numbers.map((value) => value.toString(16).padStart(8, "0")).join("")}`);
      return [header, nameBytes, padding(header.length + nameBytes.length), data, padding(data.length)];
    }),
  );
}

const padding = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4);
