// `include PATTERN` and its variants (grammar section 8): which files a pattern means, and which of what can go wrong is
// an error. Reading and globbing are the caller's; braces are expanded here, for each alternative counts on its own.
import type { Place, Report } from "../report.ts";

/** What the caller's file system says. `kind` absent: missing. */
export type FileContent =
  | { readonly text: string }
  | { readonly error: string; readonly kind?: "missing" | "directory" | "executable" | "unreadable" | undefined };

export interface FileAccess {
  readonly readFile: (path: string) => FileContent;
  /** Matching paths, sorted, directories with a trailing slash; absent: patterns with wildcards cannot be read. */
  readonly glob: ((pattern: string) => readonly string[]) | undefined;
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
  const match = /^(include[rmwba]?)[ \t\f\r\v][ \t]*(.*)$/s.exec(line);
  if (match === null) return undefined;
  return { pattern: match[2] ?? "", policy: new Set(policies[match[1] ?? ""] ?? []) };
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const alternativesMax = 1000;

/** The readable files that `pattern` means, in the order in which they are read. */
export function resolveInclude(
  pattern: string,
  directory: string,
  policy: IncludePolicy,
  access: FileAccess,
  place: Place,
  report: Report,
): SourceFile[] {
  const complain = (check: IncludeCheck, message: string, hint?: string) =>
    report({
      place,
      severity: policy.has(check) ? "error" : "warning",
      code: policy.has(check) ? "file-not-found" : "include-skipped",
      errorClass: policy.has(check) ? "file-not-found" : "ok",
      message,
      hint,
    });
  const alternatives = expandBraces(pattern);
  if (alternatives === undefined) {
    complain("read", `'${pattern}' stands for more than ${alternativesMax} files`);
    return [];
  }
  const files: SourceFile[] = [];
  let missing = 0;
  const read = (path: string) => {
    const content = access.readFile(path);
    if ("text" in content) files.push({ path, text: content.text });
    else if ((content.kind ?? "missing") === "missing") missing++;
    else complain("read", `${path} is not read: ${content.error}`, fileHints[content.kind ?? ""]);
  };
  for (const alternative of alternatives) {
    const path = joinPath(directory, alternative);
    if (!/[*?[]/.test(alternative)) read(path);
    else if (access.glob === undefined) complain("read", `the pattern '${alternative}' cannot be expanded here`);
    else {
      const matches = access.glob(path);
      if (matches.length === 0) complain("wildcard_match", `no file matches '${alternative}'`);
      for (const match of matches) {
        if (match.endsWith("/")) complain("read", `${match} is a directory and is skipped`);
        else read(match);
      }
    }
  }
  if (missing === 0) return files;
  const check = alternatives.length > 1 ? "brace_match" : "match";
  complain(check, alternatives.length > 1 ? `some files of '${pattern}' are missing` : `${pattern} does not exist`);
  return check === "brace_match" && policy.has(check) ? [] : files;
}

const fileHints: Readonly<Record<string, string>> = {
  executable: "keepalived reads no file with an execute bit: chmod a-x",
  directory: "name the files in it, with a pattern like DIRECTORY/*.conf",
};

/** `a{b,c}d` → abd, acd, as the shell does; undefined when there would be too many. */
export function expandBraces(pattern: string): string[] | undefined {
  let results = [""];
  let rest = pattern;
  while (rest !== "") {
    const group = findGroup(rest);
    const head = group === undefined ? rest : rest.slice(0, group.open);
    const alternatives: string[] = [];
    for (const member of group?.members ?? [""]) {
      const expanded = group === undefined ? [member] : expandBraces(member);
      if (expanded === undefined) return undefined;
      alternatives.push(...expanded);
    }
    if (results.length * alternatives.length > alternativesMax) return undefined;
    results = results.flatMap((result) => alternatives.map((alternative) => result + head + alternative));
    rest = group === undefined ? "" : rest.slice(group.close + 1);
  }
  return results;
}

function findGroup(text: string): { open: number; close: number; members: string[] } | undefined {
  const open = text.indexOf("{");
  if (open < 0) return undefined;
  const members: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "," && depth === 1) {
      members.push(text.slice(start, i));
      start = i + 1;
    } else if (text[i] === "}" && --depth === 0) {
      members.push(text.slice(start, i));
      return { open, close: i, members };
    }
  }
  return undefined;
}

export const joinPath = (directory: string, path: string): string =>
  path.startsWith("/") || directory === "" || directory === "." ? path : `${directory.replace(/\/+$/, "")}/${path}`;

/** The directory that a file's own includes are relative to; a name without a slash stays where it is. */
export function directoryOf(path: string, current: string): string {
  const slash = path.lastIndexOf("/");
  if (slash < 0) return current;
  return slash === 0 ? "/" : path.slice(0, slash);
}
