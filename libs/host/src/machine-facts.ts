// What the configuration is checked against on this machine: its files, programs, interfaces and users. The parser is
// pure; these are its eyes. Only while a configuration is read, never on the failover path.
import { accessSync, constants, lstatSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { cpus, hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { messageOf } from "@baton/domain";
import type { FileKind, ParseInput, ScriptWeakness } from "@baton/keepalived-conf";
import { insideNamespace, namespacePath, openLinkMonitor, resolveUser } from "@baton/linux";
import { listDirectory, readConfigFile } from "./config-file.ts";
import { numberNames } from "./number-names.ts";

/**
 * Everything that parseConfig wants to know, but the file's name; for one configuration: an answer stays what it was.
 * `namespace`: the network namespace whose interfaces count; this thread's own when undefined.
 */
export function machineFacts(
  env: Readonly<Record<string, string | undefined>>,
  namespace?: string,
): Omit<ParseInput, "file"> {
  const link = links(namespace);
  const path = env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return {
    hostName: hostname(),
    env,
    readFile: readConfigFile,
    listDirectory,
    directory: workingDirectory(),
    processors: cpus().length || undefined,
    executable: remember((name) => findExecutable(name, path) !== undefined),
    fileKind: remember(fileKind),
    interfaceExists: interfaceNames(namespace),
    namespaceTrouble: remember(findNamespaceTrouble),
    userExists: remember((name) => resolveUser(name) !== undefined),
    groupExists: remember((name) => resolveUser("root", name) !== undefined),
    scriptWeakness: remember((name, user) => findWeakness(name, user, path)),
    numberOfName: numberNames(),
    linkKind: (name) => link(name)?.kind,
    mtu: (name) => link(name)?.mtu,
  };
}

/** Thousands of lines may name the same program: each is looked at once while a configuration is read. */
function remember<Fact>(ask: (name: string, user?: string) => Fact): (name: string, user?: string) => Fact {
  const answers = new Map<string, { readonly fact: Fact }>();
  return (name, user) => {
    const key = JSON.stringify([name, user]);
    const known = answers.get(key) ?? { fact: ask(name, user) };
    answers.set(key, known);
    return known.fact;
  };
}

/** It may have been removed. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "";
  }
}

/** A name with a slash is a path; any other is looked for in PATH. */
function findExecutable(name: string, path: string): string | undefined {
  const candidates = name.includes("/") ? [name] : path.split(":").map((directory) => join(directory || ".", name));
  return candidates.find(isExecutableFile);
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function fileKind(path: string): FileKind | undefined {
  try {
    const stats = statSync(path);
    return stats.isDirectory() ? "directory" : stats.isFile() ? "file" : "other";
  } catch {
    return undefined;
  }
}

/** The names are read when one is asked for first. */
function interfaceNames(namespace: string | undefined): (name: string) => boolean {
  let names: ReadonlySet<string> | "unknown" | undefined;
  return (name) => {
    names ??= readNames(namespace);
    return names === "unknown" || names.has(name); // not known: nothing to complain about
  };
}

/** /proc/thread-self/net is of this thread's own network namespace, whatever /sys was mounted in. */
function readNames(namespace: string | undefined): ReadonlySet<string> | "unknown" {
  try {
    const text = lookInto(namespace, () => readFileSync("/proc/thread-self/net/dev", "utf8"));
    const lines = text.split("\n").slice(2);
    return new Set(lines.map((line) => line.slice(0, line.indexOf(":")).trim()));
  } catch {
    return "unknown";
  }
}

interface LinkFacts {
  readonly kind: string;
  readonly mtu: number;
}

/** The links are read when one is asked for first. */
function links(namespace: string | undefined): (name: string) => LinkFacts | undefined {
  let known: ReadonlyMap<string, LinkFacts> | undefined;
  return (name) => {
    known ??= readLinks(namespace);
    return known.get(name);
  };
}

function readLinks(namespace: string | undefined): ReadonlyMap<string, LinkFacts> {
  const nothing = (): void => undefined;
  try {
    const monitor = lookInto(namespace, () => openLinkMonitor({ onChange: nothing, onGap: nothing }));
    try {
      return new Map(monitor.links().map(({ name, kind = "", mtu }) => [name, { kind, mtu }]));
    } finally {
      monitor.close();
    }
  } catch {
    return new Map(); // not known: nothing to complain about
  }
}

/** Throws where there is no way into it. */
export const lookInto = <Facts>(namespace: string | undefined, look: () => Facts): Facts =>
  namespace === undefined ? look() : insideNamespace(namespacePath(namespace), look);

function findNamespaceTrouble(name: string): string | undefined {
  try {
    lookInto(name, () => undefined);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** keepalived's script security. */
function findWeakness(name: string, user: string | undefined, path: string): ScriptWeakness | undefined {
  const program = findExecutable(name, path);
  if (program === undefined || (user !== undefined && resolveUser(user)?.uid !== 0)) return undefined;
  return pathWeakness(program) ?? linkOnPath(program);
}

/** A directory on the way that is a link: keepalived 2.4 runs nothing below it as root. */
function linkOnPath(program: string): ScriptWeakness | undefined {
  try {
    const parts = [...partsOf(program), ...partsOf(realpathSync(program))];
    const link = parts.find((part) => part !== resolve(program) && lstatSync(part).isSymbolicLink());
    return link === undefined ? undefined : { path: link, reason: "link" };
  } catch {
    return undefined; // gone in this moment: it cannot be started either
  }
}

/** On the path as it is written and on the one that its links lead to. */
export function pathWeakness(path: string): ScriptWeakness | undefined {
  try {
    for (const part of [...partsOf(path), ...partsOf(realpathSync(path))]) {
      const reason = weaknessOf(lstatSync(part));
      if (reason !== undefined) return { path: part, reason };
    }
  } catch {
    // It is not there, or gone in this moment: it cannot be started either.
  }
  return undefined;
}

/** `/a/b` → `/`, `/a`, `/a/b`. */
function partsOf(program: string): string[] {
  const parts: string[] = [];
  for (let part = resolve(program); part !== "/"; part = dirname(part)) parts.push(part);
  return ["/", ...parts.toReversed()];
}

function weaknessOf(stats: Stats): ScriptWeakness["reason"] | undefined {
  if (stats.uid !== 0) return "owner";
  // The bits of a link mean nothing; in a sticky directory (/tmp) nobody can replace another one's file.
  if (stats.isSymbolicLink() || (stats.isDirectory() && (stats.mode & 0o1000) !== 0)) return undefined;
  if ((stats.mode & 0o002) !== 0) return "everybody";
  return (stats.mode & 0o020) !== 0 && stats.gid !== 0 ? "group" : undefined;
}
