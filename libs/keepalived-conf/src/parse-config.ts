// keepalived.conf → Config and diagnostics: the front door. Pure: files and facts about the machine come in as functions.

import { configuresNothing } from "./config/nothing.ts";
import type { Config } from "./config.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { virtualServer } from "./keywords/virtual-server.ts";
import { vrrpInstance } from "./keywords/vrrp-instance.ts";
import type { Machine } from "./machine.ts";
import { collectProblems } from "./problem-list.ts";
import type { Report } from "./report.ts";
import type { CommandContext } from "./resolve/command.ts";
import { advise } from "./resolve/context.ts";
import { mergeGlobals, resolveDefaults } from "./resolve/defaults.ts";
import { resolveGlobal } from "./resolve/global.ts";
import { resolveInstance } from "./resolve/instance.ts";
import { resolveLoadBalancer } from "./resolve/load-balancer.ts";
import { checkRouterConflicts } from "./resolve/router-conflicts.ts";
import { resolveRules } from "./resolve/rules.ts";
import { checkScriptSecurity, resolveScripts, usedScripts } from "./resolve/scripts.ts";
import { resolveStatic } from "./resolve/static.ts";
import { findGroups, resolveSyncGroups } from "./resolve/sync-group.ts";
import { resolveBfdInstances, resolveTrackFiles, resolveTrackProcesses } from "./resolve/trackers.ts";
import type { FileContent, FileError } from "./source/include.ts";
import { openLines } from "./source/line-reader.ts";
import { decodeOctets, type FileText } from "./source/octets.ts";
import { parseLines } from "./syntax/parser.ts";
import { type Block, blocksOf } from "./syntax/tree.ts";

export interface ParseInput extends Machine {
  readonly file: string;
  readonly readFile: (path: string) => FileContent;
  /** Names in a directory; undefined when it cannot be opened. Absent: no directory can be. */
  readonly listDirectory?: ((path: string) => readonly string[] | undefined) | undefined;
  /** For `@ID` lines; the host name up to its first dot when absent. */
  readonly configId?: string | undefined;
  /** For `${_ENV NAME}`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The working directory, for `${_PWD}`. */
  readonly directory?: string | undefined;
}

export interface ParseResult {
  /** undefined: nothing is usable: the file cannot be read, or a word is missing, beyond which keepalived does not go. */
  readonly config: Config | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly source: Source;
}

/** What the Config was made of: the rules of lint look for places and comments in it. Not plain JSON, not to be kept. */
export interface Source {
  /** As it was named to parseConfig. */
  readonly file: string;
  /** For which node its `@ID` lines were read. */
  readonly configId: string;
  /** All that were read, or were tried to be, in that order. */
  readonly files: ReadonlyMap<string, FileText | FileError>;
  readonly tree: Block;
}

export function parseConfig(input: ParseInput): ParseResult {
  const problems = collectProblems();
  const files = new Map<string, FileText | FileError>();
  const readFile = (path: string): FileText | FileError => {
    const known = files.get(path);
    if (known !== undefined) return known;
    const content = input.readFile(path);
    const file = "octets" in content ? decodeOctets(content.octets) : content;
    files.set(path, file);
    return file;
  };
  const { report } = problems;
  const configId = input.configId ?? input.hostName.split(".")[0] ?? "";
  const lines = openLines({
    file: input.file,
    directory: input.directory ?? "",
    readFile,
    listDirectory: input.listDirectory,
    configId,
    env: input.env ?? {},
    seed: `${input.hostName}\n${configId}`,
    report,
  });
  const root = parseLines(lines, report);
  const readable = [...files.values()].some((content) => "text" in content);
  const whole = readable && !problems.has("missing-parameter") && !problems.has("too-much");
  const config = whole ? resolve(root, input, report, problems.has) : undefined;
  return {
    // The lines of value blocks are read by resolve(): a word may be missing there, too.
    config: problems.has("missing-parameter") ? undefined : config,
    diagnostics: problems.inOrder([...files.keys()], input.file),
    source: { file: input.file, configId, files, tree: root },
  };
}

function resolve(root: Block, machine: ParseInput, report: Report, reported: (code: string) => boolean): Config {
  const globals = mergeGlobals(root, { report, machine });
  const defaults = resolveDefaults(globals, { report, machine });
  const context: CommandContext = { report, machine, defaults, programs: [] };
  const global = resolveGlobal(root, globals, context);
  const scripts = resolveScripts(root, context);
  const files = resolveTrackFiles(root, context);
  const processes = resolveTrackProcesses(root, context);
  const bfds = resolveBfdInstances(root, context);
  const objects = { scripts, files: files.names, processes: processes.names, bfds: bfds.names.vrrp };
  const { groups, membership } = findGroups(root, context);
  const entryContext = { ...context, dynamicInterfaces: defaults.dynamicInterfaces };
  const rules = resolveRules(root, entryContext);
  const instanceContext = { ...context, objects, membership, rules, ownInterfaces: new Map<string, string>() };
  const resolved = blocksOf(root, vrrpInstance).flatMap((block) => {
    const instance = resolveInstance(block, instanceContext);
    return instance === undefined ? [] : [[block, instance] as const];
  });
  checkRouterConflicts(resolved, context);
  const instances = resolved.map(([, instance]) => instance);
  const named = new Map(instances.map((instance) => [instance.name, instance]));
  const statics = resolveStatic(root, rules.statics, new Set(named.keys()), entryContext);
  const syncGroups = resolveSyncGroups(groups, named, { ...context, objects });
  const balancing = { ...context, programs: [] };
  const balancer = resolveLoadBalancer(root, { ...balancing, files: files.names, sessions: bfds.names.checker });
  if (configuresNothing({ instances, ...balancer, ...statics })) {
    const place = { file: machine.file, line: 0, column: 0 };
    advise(context, place, "nothing-configured", nothingMessage(root));
  }
  // The checker process of keepalived has looked at its scripts before the other one comes to miss an interface.
  const programs = [...balancing.programs, ...context.programs];
  checkScriptSecurity({ ...context, programs }, balancing.programs.length === 0 && reported("interface-missing"));
  const trackers = [...instances, ...syncGroups];
  const tracked = new Set(trackers.flatMap(({ trackScripts }) => trackScripts.map(({ name }) => name)));
  return {
    global,
    scripts: usedScripts(scripts, tracked, context),
    trackFiles: files.configs,
    trackProcesses: processes.configs,
    bfdInstances: bfds.configs,
    instances,
    syncGroups,
    ...balancer,
    ...statics,
  };
}

const nothingMessage = ({ blocks }: Block): string =>
  blocks.some(({ spec }) => spec === vrrpInstance || spec === virtualServer)
    ? "nothing is left to do: no vrrp_instance and no virtual_server can be used"
    : "there is nothing to do: no vrrp_instance and no virtual_server";
