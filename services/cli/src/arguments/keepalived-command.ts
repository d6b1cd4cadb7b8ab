// The words after `keepalived`, or `baton keepalived`: what they ask of Baton.
import { isSignalName } from "../commands/signals.ts";
import { defaults } from "./command-table.ts";
import { type GivenOptions, notesOf, readKeepalivedOptions } from "./keepalived-options.ts";
import type { Command, KeepalivedCommand } from "./parse-arguments.ts";

/** Where keepalived's packages put it. */
const configFile = "/etc/keepalived/keepalived.conf";

const foregroundLog = "--log-file has no effect with --dont-fork: log lines go to standard error";

/** A string is what is wrong. */
export function keepalivedCommand(words: readonly string[]): Command | string {
  const given = readKeepalivedOptions(words);
  if (typeof given === "string") return given;
  if (given.has("help")) return { type: "keepalived-help" };
  if (given.has("version")) return { type: "keepalived-version" };
  const signal = given.get("signum");
  if (signal !== undefined) return isSignalName(signal) ? { type: "signum", name: signal } : `unknown signal ${signal}`;
  const config = given.get("use-file") ?? configFile;
  const id = given.get("config-id");
  const log = given.get("config-test");
  if (log !== undefined) {
    const netNamespace = given.get("namespace");
    return { type: "config-test", file: config, id, netNamespace, log: log === "" ? undefined : log };
  }
  return refusal(given) ?? runOf(given, config, id);
}

function refusal(given: GivenOptions): string | undefined {
  if (given.has("check") && !given.has("all")) return "--check: Baton has VRRP, and no checks of real servers yet";
  return undefined;
}

function runOf(given: GivenOptions, config: string, id: string | undefined): KeepalivedCommand {
  const log = given.get("log-file");
  const runDir = given.get("run-dir") ?? defaults.runDir;
  const isInBackground = !given.has("dont-fork");
  return {
    type: "keepalived",
    up: {
      type: "up",
      config,
      id,
      name: given.get("name"),
      runDir,
      stateDir: given.get("state-dir") ?? defaults.stateDir,
      settings: given.get("settings"),
      readyFile: given.get("ready-file"),
      pidFiles: [],
      asKeepalived: {
        pidFile: given.get("pid"),
        vrrpPidFile: given.get("vrrp_pid"),
        checkersPidFile: given.get("checkers_pid"),
        keepsServices: given.has("dont-release-ipvs"),
        ignoresInterrupt: given.has("ignore-sigint"),
        netNamespace: given.get("namespace"),
      },
    },
    isInBackground,
    logFile: log === "" ? `${runDir}/keepalived.log` : log,
    logsToConsole: given.has("log-console"),
    notes: [...notesOf(given), ...(log === undefined || isInBackground ? [] : [foregroundLog])],
  };
}
