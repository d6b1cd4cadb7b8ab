// keepalived.conf and baton.yaml from this machine's disk, checked against this machine: what control applies and what
// `baton check` tells is the same.
import { readFileSync } from "node:fs";
import { messageOf } from "@baton/domain";
import {
  type Config,
  type Diagnostic,
  exitCodeOf,
  isFatal,
  type ParseResult,
  parseConfig,
} from "@baton/keepalived-conf";
import { balancingProblems, slowStartAdvice } from "./balancing-problems.ts";
import { machineFacts } from "./machine-facts.ts";
import { defaultSettings, type ParsedSettings, parseSettings, type Settings } from "./settings.ts";
import { trackingProblems } from "./tracking-problems.ts";

export interface ConfigurationFiles {
  /** keepalived.conf. */
  readonly file: string;
  /** baton.yaml; all defaults without it. */
  readonly settingsFile?: string | undefined;
  /** For `@ID` lines; the host's name up to its first dot when absent. */
  readonly configId?: string | undefined;
  /** The network namespace that the node runs in; what `net_namespace` says when absent. */
  readonly netNamespace?: string | undefined;
  /** Whoever reads is in that namespace already, and stays there whatever a new file says. */
  readonly isInside?: boolean | undefined;
  /** For `${_ENV NAME}` and PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Configuration {
  readonly config: Config;
  readonly settings: Settings;
}

export interface ConfigurationResult {
  /** Undefined: it must not be applied; `diagnostics` say why. */
  readonly configuration: Configuration | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** As `keepalived -t` exits; not 0 for warnings either. */
  readonly exitCode: number;
  /** keepalived.conf alone, with its text. */
  readonly parsed: ParseResult;
}

/** keepalived's code for a configuration that it cannot run with. */
const settingsExitCode = 4;

export function readConfiguration(files: ConfigurationFiles): ConfigurationResult {
  const parsed = parseHere(files);
  const { config, diagnostics } = parsed;
  const own = readSettings(files.settingsFile);
  const { settings } = own;
  const crossed =
    config === undefined || settings === undefined
      ? []
      : [
          ...trackingProblems(config, settings, files.settingsFile ?? ""),
          ...balancingProblems(config, settings, files.file),
        ];
  const unusable = config === undefined || settings === undefined || isFatal(diagnostics) || crossed.length > 0;
  const exitCode = exitCodeOf(diagnostics);
  const advice = unusable ? [] : slowStartAdvice(config, settings, files.file);
  return {
    configuration: unusable ? undefined : { config, settings },
    diagnostics: [...own.diagnostics, ...crossed, ...advice, ...diagnostics],
    exitCode: (settings === undefined || crossed.length > 0) && exitCode === 0 ? settingsExitCode : exitCode,
    parsed,
  };
}

/** The interfaces that a configuration may name are those that are there where it runs. */
function parseHere({ file, configId, netNamespace, isInside, env }: ConfigurationFiles): ParseResult {
  const input = { file, configId, netNamespace };
  const parsed = parseConfig({ ...input, ...machineFacts(env, isInside ? undefined : netNamespace) });
  const named = parsed.config?.global.node.netNamespace;
  if (isInside || named === netNamespace) return parsed;
  return parseConfig({ ...input, ...machineFacts(env, named) });
}

/** The file of another router: of this machine it only has the disk. Which programs and interfaces that one has is not known. */
export function readPeer({ file, configId, env }: Pick<ConfigurationFiles, "file" | "configId" | "env">): ParseResult {
  const { hostName, readFile, listDirectory, directory } = machineFacts(env);
  return parseConfig({ file, configId, env, hostName, readFile, listDirectory, directory });
}

export function readSettings(file: string | undefined): ParsedSettings {
  if (file === undefined) return { settings: defaultSettings, diagnostics: [] };
  const read = (path: string): string => readFileSync(path, "utf8");
  try {
    return parseSettings(read(file), file, read);
  } catch (error) {
    const message = messageOf(error);
    const place = { file, line: 0, column: 0 };
    const kind = { severity: "error", code: "settings-unreadable", errorClass: "file-not-found" } as const;
    return {
      settings: undefined,
      diagnostics: [{ ...place, ...kind, message, text: undefined, used: undefined, hint: undefined }],
    };
  }
}
