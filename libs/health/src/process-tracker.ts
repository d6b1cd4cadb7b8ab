// A vrrp_track_process as a machine: how many of its processes run, and when that begins or ends to count.
import { addMicros, type BatonEventOf, type Instant, type Micros } from "@baton/domain";

/** What the machine and the matching need of a `vrrp_track_process`. */
export interface ProcessTrackerConfig {
  readonly name: string;
  readonly path: string;
  readonly parameters: readonly string[];
  readonly match: "none" | "exact" | "initial" | "partial";
  readonly fullCommand: boolean;
  /** 0 where `quorumMax` is. */
  readonly quorum: number;
  readonly quorumMax: number | undefined;
  readonly terminateDelay: Micros;
  readonly forkDelay: Micros;
}

export interface ProcessTracker {
  readonly config: ProcessTrackerConfig;
  /** `unknown`: nobody counted yet. */
  readonly status: "unknown" | "up" | "down";
  readonly running: number;
  /** When the other status counts, unless the number changes again before; undefined: nothing is pending. */
  readonly changesAt: Instant | undefined;
}

export type ProcessTrackerInput =
  /** `delayed`: by forks and ends, for which `fork_delay` and `terminate_delay` are; a program that was started or renamed counts at once. */
  | { readonly type: "counted"; readonly running: number; readonly delayed: boolean }
  | { readonly type: "deadline-reached" }
  | { readonly type: "configure"; readonly config: ProcessTrackerConfig };

export type ProcessEventOfTracker = BatonEventOf<"process-quorum-lost"> | BatonEventOf<"process-quorum-gained">;

export interface ProcessStep {
  readonly state: ProcessTracker;
  readonly event: ProcessEventOfTracker | undefined;
}

export const startProcessTracker = (config: ProcessTrackerConfig): ProcessTracker => ({
  config,
  status: "unknown",
  running: 0,
  changesAt: undefined,
});

/** The first count decides at once; later ones after the delay that the configuration gives them. */
export function stepProcess(state: ProcessTracker, input: ProcessTrackerInput, now: Instant): ProcessStep {
  switch (input.type) {
    case "counted":
      return weigh({ ...state, running: input.running }, input.delayed, now);
    case "configure":
      return state.status === "unknown"
        ? { state: { ...state, config: input.config }, event: undefined }
        : weigh({ ...state, config: input.config }, false, now);
    case "deadline-reached":
      return state.changesAt !== undefined && now >= state.changesAt
        ? weigh({ ...state, changesAt: undefined }, false, now)
        : { state, event: undefined };
  }
}

function weigh(state: ProcessTracker, delayed: boolean, now: Instant): ProcessStep {
  const status = hasQuorum(state) ? "up" : "down";
  if (status === state.status) return { state: { ...state, changesAt: undefined }, event: undefined };
  const delay = status === "up" ? state.config.forkDelay : state.config.terminateDelay;
  if (delayed && delay > 0 && state.status !== "unknown") {
    return { state: { ...state, changesAt: state.changesAt ?? addMicros(now, delay) }, event: undefined };
  }
  const type = status === "up" ? "process-quorum-gained" : "process-quorum-lost";
  const data = { process: state.config.name, running: state.running, wanted: wantedInWords(state.config) };
  return { state: { ...state, status, changesAt: undefined }, event: { type, data } };
}

const hasQuorum = ({ running, config }: ProcessTracker): boolean =>
  running >= config.quorum && running <= (config.quorumMax ?? Number.POSITIVE_INFINITY);

function wantedInWords(config: ProcessTrackerConfig): string {
  const { quorum, quorumMax } = config;
  if (quorumMax === undefined) return `at least ${quorum}`;
  if (quorumMax === 0) return "none";
  return quorum === quorumMax ? `${quorum}` : `${quorum} to ${quorumMax}`;
}

/** Whether a process is one of those that the tracker counts; its name has at most 15 octets, as the kernel keeps it. */
export function matchesProcess(
  config: ProcessTrackerConfig,
  process: { readonly name: string; readonly commandLine: readonly string[] },
): boolean {
  if (!config.fullCommand) return process.name === config.path;
  const [path, ...parameters] = process.commandLine;
  return path === config.path && matchesParameters(config, parameters);
}

function matchesParameters({ match, parameters: wanted }: ProcessTrackerConfig, given: readonly string[]): boolean {
  const equal = (count: number): boolean => wanted.slice(0, count).every((word, index) => given[index] === word);
  const last = wanted.at(-1);
  switch (match) {
    case "none":
      return true;
    case "exact":
      return given.length === wanted.length && equal(wanted.length);
    case "partial":
      return given.length >= wanted.length && equal(wanted.length);
    case "initial":
      if (last === undefined) return true;
      return (
        given.length >= wanted.length && equal(wanted.length - 1) && (given[wanted.length - 1] ?? "").startsWith(last)
      );
  }
}
