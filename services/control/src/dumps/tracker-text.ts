// What instances track, as keepalived.data tells it: each with who tracks it.
import type {
  Config,
  TrackedConfig,
  TrackFileConfig,
  TrackProcessConfig,
  TrackScriptConfig,
} from "@baton/keepalived-conf";
import { commandText, type DumpFacts, trackerOf, userText } from "./dump-facts.ts";

/** Undefined: a line that is not there. */
export type Line = string | undefined;
export interface Section {
  readonly title: string;
  readonly lines: readonly Line[];
}

export function trackerSections(facts: DumpFacts): Section[] {
  const { scripts, trackFiles, trackProcesses } = facts.config;
  return [
    { title: "VRRP Scripts", lines: scripts.flatMap((script) => scriptLines(facts, script)) },
    { title: "VRRP Track files", lines: trackFiles.flatMap((file) => fileLines(facts, file)) },
    { title: "VRRP Track processes", lines: trackProcesses.flatMap((process) => processLines(facts, process)) },
  ];
}

const weightText = ({ weight, reverse }: { readonly weight: number; readonly reverse: boolean }): string =>
  `${weight}${reverse ? " reverse" : ""}`;

/** `2`, or `0.500`. */
const secondsText = (micros: number): string => {
  const [whole, rest] = [Math.floor(micros / 1_000_000), micros % 1_000_000];
  return rest === 0 ? String(whole) : `${whole}.${String(Math.floor(rest / 1_000)).padStart(3, "0")}`;
};

/** A group's trackers are those of each of its members. */
function trackingLines(
  { instances, syncGroups }: Config,
  kind: "trackScripts" | "trackFiles" | "trackProcesses",
  name: string,
): string[] {
  const refOf = (tracked: TrackedConfig | undefined) => tracked?.[kind].find((ref) => ref.name === name);
  return instances.flatMap((instance) => {
    const group = syncGroups.find(({ members }) => members.includes(instance.name));
    const ref = refOf(instance) ?? refOf(group);
    return ref === undefined ? [] : [`     ${instance.name}, weight ${weightText(ref)}`];
  });
}

function scriptLines(facts: DumpFacts, script: TrackScriptConfig): Line[] {
  const tracker = trackerOf(facts, "script", script.name);
  const isKnown = tracker !== undefined && tracker.status !== "unknown";
  return [
    ` VRRP Script = ${script.name}`,
    `   Command = ${commandText(script.command)}`,
    `   Interval = ${secondsText(script.interval)} sec`,
    `   Timeout = ${secondsText(script.timeout)} sec`,
    `   Weight = ${weightText(script)}`,
    `   Rise = ${script.rise}`,
    `   Fall = ${script.fall}`,
    `   Result = ${tracker?.result ?? 0}`,
    "   Insecure = no",
    `   Init state = ${isKnown ? "unknown" : script.initFail ? "INIT/FAILED" : "INIT"}`,
    `   Status = ${tracker?.status === "up" ? "GOOD" : "BAD"}`,
    `   Script uid:gid = ${userText(script.command)}`,
    "   VRRP instances :",
    ...trackingLines(facts.config, "trackScripts", script.name),
    // Between two runs, as it is most of the time: the service that runs them tells results only.
    "   State = idle",
  ];
}

function fileLines(facts: DumpFacts, file: TrackFileConfig): Line[] {
  return [
    ` Track file = ${file.name}`,
    `   File = ${file.path}`,
    `   Status = ${trackerOf(facts, "file", file.name)?.value ?? 0}`,
    `   Weight = ${weightText(file)}`,
    "   Tracking instances :",
    ...trackingLines(facts.config, "trackFiles", file.name),
  ];
}

function processLines(facts: DumpFacts, process: TrackProcessConfig): Line[] {
  const tracker = trackerOf(facts, "process", process.name);
  const match = { none: undefined, exact: "", partial: " = partial", initial: " = initial" }[process.match];
  return [
    ` VRRP Track process = ${process.name}`,
    `   Process = ${process.path}`,
    process.parameters.length === 0 ? undefined : `   Parameters = ${process.parameters.join(" ")}`,
    match === undefined ? undefined : `   Param match${match}`,
    `   Min processes = ${process.quorum}`,
    process.quorumMax === undefined ? undefined : `   Max processes = ${process.quorumMax}`,
    `   Current processes = ${tracker?.value ?? 0}`,
    `   Have quorum = ${tracker?.status === "up"}`,
    `   Weight = ${weightText(process)}`,
    `   Terminate delay = ${(process.terminateDelay / 1_000_000).toFixed(6)}s`,
    `   Fork delay = ${(process.forkDelay / 1_000_000).toFixed(6)}s`,
    `   Full command = ${process.fullCommand}`,
    "   Tracking instances :",
    ...trackingLines(facts.config, "trackProcesses", process.name),
  ];
}
