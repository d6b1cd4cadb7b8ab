// `baton fmt FILE…`: one layout for every file. Octets that are no UTF-8 (comments of another age) come out as they went
// in.
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { messageOf } from "@baton/domain";
import { type Diagnostic, formatDiagnostic, formatOctets } from "@baton/keepalived-conf";
import type { FormatCommand } from "../arguments/parse-arguments.ts";
import type { Console } from "./console.ts";

export interface FormatDependencies {
  readonly console: Console;
  /** Of the process that writes aside: two may format one file. */
  readonly pid: number;
}

/** `different`: of --check. `failed`: a file cannot be read, written or laid out; it is left as it is. */
const exitCodes = { same: 0, different: 1, failed: 2 } as const;

type Outcome = keyof typeof exitCodes;

export function format({ files, mode }: Omit<FormatCommand, "type">, dependencies: FormatDependencies): number {
  const { console } = dependencies;
  const outcomes = files.map((file): Outcome => {
    try {
      return formatFile(file, mode, dependencies);
    } catch (error) {
      console.error(`baton: ${file}: ${reasonOf(error)}`);
      return "failed";
    }
  });
  return Math.max(...outcomes.map((outcome) => exitCodes[outcome]));
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
  EROFS: "it is on a file system that cannot be written",
  ENOSPC: "the disk is full",
};

const reasonOf = (error: unknown): string => {
  const { code = "" } = error as NodeJS.ErrnoException;
  return reasons[code] ?? messageOf(error);
};

const standardInput = 0;

function formatFile(file: string, mode: FormatCommand["mode"], { console, pid }: FormatDependencies): Outcome {
  const name = file === "-" ? "standard input" : file;
  const before = readFileSync(file === "-" ? standardInput : file);
  const { octets, diagnostics } = formatOctets(before, name);
  const after = Buffer.from(octets);
  if (mode === "print") console.out(after);
  if (diagnostics.length > 0) return complain(diagnostics, console);
  if (after.equals(before) || mode === "print") return "same";
  if (mode === "check") {
    console.out(`${name} would change\n`);
    return "different";
  }
  replaceFile(realpathSync(file), after, pid);
  console.out(`${name} written\n`);
  return "same";
}

function complain(diagnostics: readonly Diagnostic[], console: Console): Outcome {
  for (const diagnostic of diagnostics) console.error(formatDiagnostic(diagnostic));
  return "failed";
}

/** Whoever reads meanwhile sees the old file or the new one, under the same owner and mode. */
function replaceFile(path: string, octets: Buffer, pid: number): void {
  const { mode, uid, gid } = statSync(path);
  const aside = `${path}.${pid}.tmp`;
  const descriptor = openSync(aside, "wx", 0o600);
  try {
    try {
      writeFileSync(descriptor, octets);
      // The owner first: changing it takes the set-id bits away.
      fchownSync(descriptor, uid, gid);
      fchmodSync(descriptor, mode & 0o7777);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}
