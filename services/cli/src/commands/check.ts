// `baton check FILE…`: what control would say about configurations on this machine, without applying them; and what lint
// says of them, each alone and all together as the routers of one set.
import { resolve } from "node:path";
import type { ConfigurationResult } from "@baton/host/configuration";
import { configuresNothing, type Diagnostic, type LintMachine, lint, type ParseResult } from "@baton/keepalived-conf";
import type { CheckCommand } from "../arguments/parse-arguments.ts";
import { countDiagnostics, diagnosticLines, plural } from "../rendering/diagnostic-text.ts";
import type { Screen } from "../rendering/screen.ts";
import type { Console } from "./console.ts";

export interface CheckDependencies {
  readonly console: Console;
  readonly screen: Screen;
  read(file: string): ConfigurationResult;
  /** Without the facts of this machine. `id`: for which @NAME lines; undefined: as for `read`. */
  readPeer(file: string, id: string | undefined): ParseResult;
  /** `namespace`: where the node would run; undefined: where this command does. */
  machineIn(namespace: string | undefined): LintMachine;
}

type CheckOptions = Omit<CheckCommand, "type" | "id" | "color" | "settings">;

/** What `--json` prints, one a line for each file: stable; absent is null. */
export interface CheckReport {
  readonly file: string;
  /** Whether a node would run with it. */
  readonly usable: boolean;
  readonly exitCode: number;
  readonly diagnostics: readonly JsonDiagnostic[];
}

type JsonDiagnostic = Omit<Diagnostic, "text" | "used" | "hint"> &
  Readonly<Record<"text" | "used" | "hint", string | null>>;

interface Verdict {
  readonly file: string;
  readonly result: ConfigurationResult;
  readonly diagnostics: readonly Diagnostic[];
  readonly exitCode: number;
}

/** `--strict`: as keepalived counts its own warnings. */
const strictExitCode = 5;

/** Returns the exit code: the highest of all files, each as `keepalived -t` exits. */
export function check(options: CheckOptions, dependencies: CheckDependencies): number {
  const verdicts = judge(options, dependencies);
  const { console } = dependencies;
  if (options.json) for (const verdict of verdicts) console.out(`${JSON.stringify(reportOf(verdict))}\n`);
  else tell(verdicts, dependencies);
  return Math.max(...verdicts.map(({ exitCode }) => exitCode));
}

function judge(
  { files, peers, peerIds, strict, lint: wanted }: CheckOptions,
  { read, readPeer, machineIn }: CheckDependencies,
): Verdict[] {
  // A file that is named twice is no peer of itself.
  const [named, others] = [distinct(files, []), distinct(peers, files)];
  const results = named.map((file) => ({ file, result: read(file) }));
  const parsedPeers = wanted ? others.map((peer) => readPeer(peer, undefined)) : [];
  const parsed = results.map(({ result }) => result.parsed);
  return results.map(({ file, result }) => {
    const otherNodes = wanted ? peerIds.map((id) => readPeer(file, id)) : [];
    const peersOfFile = [...parsed.filter((other) => other !== result.parsed), ...parsedPeers, ...otherNodes];
    const machine = machineIn(result.parsed.config?.global.node.netNamespace);
    const linted = wanted ? lint({ files: [result.parsed], peers: peersOfFile, machine }) : result.parsed.diagnostics;
    // Lint knows nothing of baton.yaml.
    const ofSettings = result.diagnostics.filter((each) => !result.parsed.diagnostics.includes(each));
    const diagnostics = [...ofSettings, ...linted];
    const fails = strict && result.exitCode === 0 && diagnostics.some(({ severity }) => severity !== "info");
    return { file, result, diagnostics, exitCode: fails ? strictExitCode : result.exitCode };
  });
}

/** Each file once, by its first name, and none of those that are `known`. */
function distinct(files: readonly string[], known: readonly string[]): string[] {
  const seen = new Set(known.map((file) => resolve(file)));
  return files.filter((file) => {
    const isNew = !seen.has(resolve(file));
    seen.add(resolve(file));
    return isNew;
  });
}

const reportOf = ({ file, result, diagnostics, exitCode }: Verdict): CheckReport => ({
  file,
  usable: result.configuration !== undefined,
  exitCode,
  diagnostics: diagnostics.map(({ text, used, hint, ...rest }) => ({
    ...rest,
    text: text ?? null,
    used: used ?? null,
    hint: hint ?? null,
  })),
});

function tell(verdicts: readonly Verdict[], { console, screen }: CheckDependencies): void {
  for (const { result, file, diagnostics, exitCode } of verdicts) {
    const { files } = result.parsed.source;
    const sourceOf = (name: string): string | undefined => {
      const content = files.get(name);
      return content !== undefined && "text" in content ? content.text : undefined;
    };
    for (const line of diagnosticLines(diagnostics, sourceOf, screen)) console.out(`${line}\n`);
    const strict = exitCode === result.exitCode ? "" : "; warnings fail (--strict)";
    // Of a file that Baton refuses keepalived may have nothing to say.
    const isTheirs = strict === "" && result.configuration !== undefined;
    const ends = exitCode === 0 ? "" : `; exit code ${exitCode}${isTheirs ? ", as keepalived -t" : ""}`;
    console.out(`${screen.bold(file)}: ${verdictText(result, diagnostics, screen)}${strict}${ends}\n`);
  }
}

function verdictText(
  { configuration }: ConfigurationResult,
  diagnostics: readonly Diagnostic[],
  { green, red, yellow }: Screen,
): string {
  const found = countDiagnostics(diagnostics);
  if (configuration === undefined) return `${red("cannot be used")}: ${found}`;
  const { instances, virtualServers } = configuration.config;
  const what = [
    ...(instances.length === 0 ? [] : [plural(instances.length, "VRRP instance")]),
    ...(virtualServers.length === 0 ? [] : [plural(virtualServers.length, "virtual server")]),
  ].join(", ");
  const isGood = diagnostics.every(({ severity }) => severity === "info");
  const findings = found === "" ? "" : `, with ${found}`;
  if (what === "" && configuresNothing(configuration.config)) return `${yellow("configures nothing")}${findings}`;
  return `${isGood ? green("good") : yellow("usable")}${findings}${what === "" ? "" : ` (${what})`}`;
}
