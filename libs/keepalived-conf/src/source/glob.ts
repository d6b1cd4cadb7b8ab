// glob(3) as keepalived calls it (grammar section 8): braces, wildcards in any part of the path, sorted; and what of a
// pattern was missing, because `include` and its variants differ in what they think of that.
import { isPattern, needsNames, wildcardMatcher } from "./wildcard.ts";

export interface Directories {
  /** True for what is there, whatever it is. */
  exists(path: string): boolean;
  /** Names in a directory, in any order; undefined when it cannot be opened. `""`: where relative paths start. */
  list(path: string): readonly string[] | undefined;
}

export interface Matches {
  /** As the pattern is, relative or absolute. */
  readonly paths: readonly string[];
  /** A name without wildcards, or a directory to look into, was not there. */
  readonly missing: boolean;
  /** A directory was looked into, for there are wildcards. */
  readonly wildcards: boolean;
  /** There is a `{`, closed or not. */
  readonly braces: boolean;
}

const alternativesMax = 1000;
/** A pattern of many stars would go through all files of the machine. */
const namesMax = 100_000;

/** undefined: the pattern stands for, or has to be compared with, too many files. */
export function glob(pattern: string, directories: Directories): Matches | undefined {
  const alternatives = expandBraces(pattern, alternativesMax);
  if (alternatives === undefined) return undefined;
  const search: Search = { directories, missing: false, wildcards: false, names: 0 };
  const paths = alternatives.flatMap((alternative) => matchPath(alternative, search).toSorted());
  if (search.names > namesMax) return undefined;
  return { paths, missing: search.missing, wildcards: search.wildcards, braces: /^(?:[^\\{]|\\.)*\{/s.test(pattern) };
}

interface Search {
  readonly directories: Directories;
  missing: boolean;
  wildcards: boolean;
  /** Looked at so far. */
  names: number;
}

const unescaped = (pattern: string): string => pattern.replace(/\\(.)/gs, "$1");

function matchPath(pattern: string, search: Search): string[] {
  const slash = pattern.lastIndexOf("/");
  const name = pattern.slice(slash + 1);
  if (slash < 0) return matchName("", name, search);
  const directory = pattern.slice(0, slash).replace(/\/+$/, "");
  if (directory === "") return name === "" ? ["/"] : matchName("/", name, search);
  if (name === "") return matchPath(directory, search);
  const parents = isPattern(directory) ? matchPath(directory, search) : [unescaped(directory)];
  return parents.flatMap((parent) => matchName(parent, name, search));
}

function matchName(directory: string, name: string, search: Search): string[] {
  if (++search.names > namesMax) return [];
  const prefix = directory === "" || directory === "/" ? directory : `${directory}/`;
  if (!needsNames(name)) {
    if (search.directories.exists(prefix + name)) return [prefix + name];
    search.missing = true;
    return [];
  }
  search.wildcards = true;
  const names = search.directories.list(directory);
  if (names === undefined) search.missing = true;
  search.names += names?.length ?? 0;
  const matches = wildcardMatcher(name);
  return (names ?? []).filter(matches).map((found) => prefix + found);
}

/** `a{b,c}d` → abd, acd. A brace that is not closed stands for itself, and so do all others then. */
function expandBraces(pattern: string, max: number): string[] | undefined {
  const group = firstGroup(pattern);
  if (group === undefined) return [pattern];
  const results: string[] = [];
  for (const member of group.members) {
    const expanded = expandBraces(group.head + member + group.rest, max - results.length);
    if (expanded === undefined) return undefined;
    results.push(...expanded);
  }
  return results.length > max ? undefined : results;
}

interface Group {
  readonly head: string;
  readonly members: readonly string[];
  readonly rest: string;
}

function firstGroup(pattern: string): Group | undefined {
  const members: string[] = [];
  let open = -1;
  let start = 0;
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === "\\") i++;
    else if (open < 0) {
      if (character === "{") {
        open = i;
        start = i + 1;
      }
    } else if (depth === 0 && (character === "," || character === "}")) {
      members.push(pattern.slice(start, i));
      start = i + 1;
      if (character === "}") return { head: pattern.slice(0, open), members, rest: pattern.slice(i + 1) };
    } else if (character === "{") depth++;
    else if (character === "}") depth--;
  }
  return undefined;
}
