// `baton check FILE`: what control would say about a configuration on this machine, without applying it.
import type { ConfigurationResult } from "@baton/host";
import { type Diagnostic, formatDiagnostic } from "@baton/keepalived-conf";
import type { Console } from "./console.ts";

export interface CheckDependencies {
  readonly console: Console;
  read(file: string): ConfigurationResult;
}

/** Returns the exit code: that of `keepalived -t`. */
export function check(options: { file: string; json: boolean }, { console, read }: CheckDependencies): number {
  const { configuration, diagnostics, exitCode } = read(options.file);
  if (options.json) {
    const usable = configuration !== undefined;
    console.out(`${JSON.stringify({ file: options.file, usable, exitCode, diagnostics })}\n`);
    return exitCode;
  }
  for (const diagnostic of diagnostics) console.error(formatDiagnostic(diagnostic));
  console.out(`${options.file}: ${summary(diagnostics, configuration)}\n`);
  return exitCode;
}

function summary(diagnostics: readonly Diagnostic[], configuration: ConfigurationResult["configuration"]): string {
  const count = (severity: Diagnostic["severity"], noun: string): string[] => {
    const found = diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
    return found === 0 ? [] : [plural(found, noun)];
  };
  const found = [...count("error", "error"), ...count("warning", "warning")].join(", ");
  if (configuration === undefined) return `cannot be used (${found})`;
  const { instances, virtualServers } = configuration.config;
  const what = plural(instances.length, "VRRP instance");
  const servers = virtualServers.length === 0 ? "" : `, ${plural(virtualServers.length, "virtual server")}`;
  return `${found === "" ? "good" : found} (${what}${servers})`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
