// `include PATTERN` and its variants (grammar section 8): which files a pattern means, and which of what can go wrong is
// an error.
import type { Place, Report } from "../report.ts";
import { glob } from "./glob.ts";
import type { FileText } from "./octets.ts";

export interface FileError {
  readonly error: string;
  /** `missing`: nothing of that name is there. Absent: missing. */
  readonly kind?: "missing" | "directory" | "executable" | "unreadable" | "too-large" | undefined;
}

/** What the caller's file system says of a path: the octets of the file, or its text where the caller has that. */
export type FileContent = { readonly octets: Uint8Array } | FileText | FileError;

export interface FileAccess {
  readonly readFile: (path: string) => FileText | FileError;
  /** Names in a directory; undefined when it cannot be opened. Absent: no directory can be. */
  readonly listDirectory?: ((path: string) => readonly string[] | undefined) | undefined;
}

export const includeChecks = ["read", "match", "wildcard_match", "brace_match"] as const;
export type IncludeCheck = (typeof includeChecks)[number];
export type IncludePolicy = ReadonlySet<IncludeCheck>;

const policies: Readonly<Record<string, readonly IncludeCheck[]>> = {
  include: [],
  includer: ["read"],
  includem: ["read", "match"],
  includew: ["read", "match", "wildcard_match"],
  includeb: ["read", "brace_match"],
  includea: includeChecks,
};

/** What the file that is named on the command line has to satisfy. */
export const topLevelPolicy: IncludePolicy = new Set(["read", "match", "wildcard_match"]);

export interface IncludeLine {
  readonly pattern: string;
  readonly policy: IncludePolicy;
}

export function parseInclude(line: string): IncludeLine | undefined {
  if (!line.startsWith("include")) return undefined;
  const match = /^(include[rmwba]?)[ \t\f\r\v][ \t]*(.*)$/s.exec(line);
  if (match === null) return undefined;
  return { pattern: match[2] ?? "", policy: new Set(policies[match[1] ?? ""] ?? []) };
}

export interface SourceFile {
  readonly path: string;
  readonly content: FileText;
}

export interface IncludeContext extends FileAccess {
  /** Where relative patterns start. */
  readonly directory: string;
  readonly policy: IncludePolicy;
  readonly place: Place;
  readonly report: Report;
}

/** The readable files that `pattern` means, in the order in which they are read. */
export function resolveInclude(pattern: string, context: IncludeContext): SourceFile[] {
  const { readFile, listDirectory, directory, policy } = context;
  const inDirectory = (path: string): string => joinPath(directory, path);
  const found = glob(pattern, {
    exists: (path) => isThere(readFile(inDirectory(path))),
    list: (path) => listDirectory?.(inDirectory(path)),
  });
  if (found === undefined) {
    complain(context, "read", `'${pattern}' stands for too many files`);
    return [];
  }
  const { paths, missing, wildcards, braces } = found;
  if (paths.length === 0) {
    if (missing) complain(context, braces ? "brace_match" : "match", `${pattern} does not exist`, quotesHint(pattern));
    else if (wildcards) complain(context, "wildcard_match", `no file matches '${pattern}'`);
    return [];
  }
  if (missing) complain(context, "brace_match", `some files of '${pattern}' are missing`);
  if (missing && policy.has("brace_match")) return [];
  return paths.flatMap((path) => {
    const content = readFile(inDirectory(path));
    if ("text" in content) return [{ path: inDirectory(path), content }];
    complain(context, "read", `${path} is not read: ${content.error}`, fileHints[content.kind ?? "missing"]);
    return [];
  });
}

const isThere = (content: FileText | FileError): boolean =>
  "text" in content || (content.kind ?? "missing") !== "missing";

/** With the check in force it ends keepalived; without, it is at most logged. */
function complain({ policy, place, report }: IncludeContext, check: IncludeCheck, message: string, hint?: string) {
  const counts = policy.has(check);
  report({
    place,
    severity: counts ? "error" : check === "wildcard_match" ? "info" : "warning",
    code: counts ? "file-not-found" : "include-skipped",
    errorClass: counts ? "file-not-found" : "ok",
    message,
    hint,
  });
}

const fileHints: Readonly<Record<string, string>> = {
  executable: "keepalived reads no file with an execute bit: chmod a-x",
  directory: "name the files in it, with a pattern like DIRECTORY/*.conf",
};

const quotesHint = (pattern: string): string | undefined =>
  /^["']/.test(pattern) ? "leave the quotes out: here they are a part of the name" : undefined;

export const joinPath = (directory: string, path: string): string =>
  path.startsWith("/") || directory === "" || directory === "." ? path : `${directory.replace(/\/+$/, "")}/${path}`;

/** The directory that a file's own includes are relative to; a name without a slash stays where it is. */
export function directoryOf(path: string, current: string): string {
  const slash = path.lastIndexOf("/");
  if (slash < 0) return current;
  return slash === 0 ? "/" : path.slice(0, slash);
}

/** One name for one file, as far as names tell: `a/./b`, `a/c/../b` and `a//b` are all `a/b`. */
export function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return `${path.startsWith("/") ? "/" : ""}${parts.join("/")}`;
}
