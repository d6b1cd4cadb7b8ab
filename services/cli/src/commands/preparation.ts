// What has to be right before a node is started. Whatever a user can put right is one sentence, and nothing is touched
// before all of it is known.
import { existsSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { messageOf } from "@baton/domain";
import { type Configuration, paths, readConfiguration } from "@baton/host";
import { formatDiagnostic } from "@baton/keepalived-conf";
import { lockFile } from "@baton/linux";
import { makePrivateDirectory, runFiles } from "../supervision/run-directory.ts";
import { liveInNamespace } from "./namespace.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** One node, with every path absolute: services run in another directory. */
export interface NodePlaces {
  readonly name: string;
  /** For `@ID` lines of the configuration. */
  readonly configId: string;
  readonly config: string;
  /** Where it runs, whatever `net_namespace` says. */
  readonly netNamespace: string | undefined;
  readonly settings: string | undefined;
  /** Virtual services stay in the kernel at the end. */
  readonly keepsServices: boolean;
  readonly runDir: string;
  readonly stateDir: string;
  readonly readyFile: string | undefined;
  readonly pidFiles: readonly string[];
}

export class Refusal extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "Refusal";
    this.exitCode = exitCode;
  }
}

/** sizeof(struct sockaddr_un.sun_path) less its closing zero, <linux/un.h>. */
const socketPathBytesMax = 107;

/**
 * The configuration that is going to be applied. Control validates again, and is the one that applies: this is so that
 * a file that cannot be used ends nothing that runs.
 */
export function prepare(node: NodePlaces, env: Env, userId: number): Configuration {
  const { config: file, settings: settingsFile, configId, netNamespace } = node;
  const { configuration, diagnostics, exitCode } = readConfiguration({
    file,
    settingsFile,
    configId,
    netNamespace,
    env,
  });
  if (configuration === undefined) {
    throw new Refusal(diagnostics.map(formatDiagnostic).join("\n"), exitCode === 0 ? 1 : exitCode);
  }
  checkMachine(configuration, env, userId);
  moveInto(configuration.config.global.node.netNamespace);
  checkPlaces(node);
  return configuration;
}

function moveInto(namespace: string | undefined): void {
  if (namespace === undefined) return;
  try {
    liveInNamespace(namespace);
  } catch (error) {
    throw new Refusal(`net_namespace ${namespace}: ${messageOf(error)}`);
  }
}

function checkMachine({ settings }: Configuration, env: Env, userId: number): void {
  if (userId !== 0) throw new Refusal("baton up needs root: raw sockets, addresses, users of scripts");
  const needed = [
    ...(settings.nats === undefined ? ["nats-server"] : []),
    ...(settings.redis === undefined ? ["redis-server"] : []),
    "nft",
  ];
  const missing = needed.filter((program) => !isInPath(program, env));
  if (missing.length > 0) {
    throw new Refusal(`missing on this machine: ${missing.join(", ")} (deploy/bootstrap installs them)`);
  }
}

const isInPath = (program: string, env: Env): boolean =>
  (env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, program)));

function checkPlaces({ runDir, readyFile }: NodePlaces): void {
  const longest = paths.socket(runDir, "supervisor");
  if (Buffer.byteLength(longest) > socketPathBytesMax) {
    throw new Refusal(`the run directory's path is too long: sockets in ${runDir} need one that is shorter`);
  }
  if (readyFile !== undefined && !existsSync(dirname(readyFile))) {
    throw new Refusal(`the ready file cannot be made: there is no ${dirname(readyFile)}`);
  }
}

/** Takes both directories for this node alone. */
export function occupy(node: NodePlaces, userId: number): { close(): void } {
  for (const directory of [node.runDir, node.stateDir]) {
    try {
      makePrivateDirectory(directory);
      // In a directory that others may write somebody may have been first.
      if (statSync(directory).uid !== userId) throw new Error("it belongs to another user");
    } catch (error) {
      throw new Refusal(`cannot use ${directory}: ${messageOf(error)}`);
    }
  }
  const run = lockFile(runFiles.lock(node.runDir));
  if (run === undefined) {
    throw new Refusal(`baton is already running on ${node.runDir}; another node needs another --run-dir`);
  }
  const state = node.stateDir === node.runDir ? run : lockFile(runFiles.lock(node.stateDir));
  if (state === undefined) {
    run.close();
    throw new Refusal(`a node already keeps its state in ${node.stateDir}; another one needs another --state-dir`);
  }
  return {
    close() {
      state.close();
      run.close();
    },
  };
}
