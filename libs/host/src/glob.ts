// Patterns of `include` lines on this machine's files: `*`, `?` and `[…]` within one part of the path, as glob(3).
import { readdirSync, statSync } from "node:fs";

/** Absolute or relative as the pattern is; sorted; directories with a trailing slash. What cannot be read matches nothing. */
export function glob(pattern: string): string[] {
  const absolute = pattern.startsWith("/");
  const parts = pattern.split("/").filter((part) => part !== "");
  let found = [absolute ? "/" : ""];
  for (const part of parts) found = found.flatMap((directory) => matchPart(directory, part));
  return found.map((path) => (isDirectory(path) ? `${path}/` : path)).sort();
}

const join = (directory: string, name: string): string =>
  directory === "" || directory.endsWith("/") ? directory + name : `${directory}/${name}`;

function matchPart(directory: string, part: string): string[] {
  if (!/[*?[]/.test(part)) {
    const path = join(directory, part);
    return exists(path) ? [path] : [];
  }
  const matcher = toRegExp(part);
  return listNames(directory === "" ? "." : directory)
    .filter((name) => matcher.test(name) && (part.startsWith(".") || !name.startsWith(".")))
    .map((name) => join(directory, name));
}

/** A `[` without its `]` stands for itself. */
function toRegExp(part: string): RegExp {
  const source = part.replace(
    /\[([!^]?)(\]?[^\]]*)\]|[*?]|[^\w]/g,
    (token, negated: string | undefined, set: string) => {
      if (token === "*") return ".*";
      if (token === "?") return ".";
      if (set === undefined) return `\\${token}`;
      return `[${negated === "" ? "" : "^"}${set.replace(/[\\\]^]/g, "\\$&")}]`;
    },
  );
  try {
    return new RegExp(`^${source}$`, "s");
  } catch {
    return /(?!)/; // a range backwards, as in [z-a], matches nothing
  }
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
