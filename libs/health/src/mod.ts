// Health as pure machines: a script tracker's schedule, verdict and way of ending; the number of a file; how many of a
// process run. Checkers follow later.
export { type BfdDiscard, type BfdPacket, controlBytes, decodeBfd, encodeBfd } from "./bfd/packet.ts";
export {
  type BfdEffect,
  type BfdInput,
  type BfdSession,
  type BfdSessionConfig,
  type BfdStep,
  nextBfdDeadline,
  startBfd,
  stepBfd,
} from "./bfd/session.ts";
export {
  excerptMax,
  type ProbeFailure,
  type ProbeObstacle,
  type ProbeOutcome,
  probeFailures,
  probeObstacles,
} from "./check/outcome.ts";
export { type FileTracker, fileBytesMax, learnFile, readTrackedNumber } from "./file-tracker.ts";
export {
  matchesProcess,
  type ProcessStep,
  type ProcessTracker,
  type ProcessTrackerConfig,
  type ProcessTrackerInput,
  startProcessTracker,
  stepProcess,
} from "./process-tracker.ts";
export { nextDeadline, startTracker, step } from "./tracker.ts";
export type {
  Effect,
  Input,
  Phase,
  RunOutcome,
  ScriptCounts,
  ScriptStatus,
  ScriptTracker,
  ScriptTrackerConfig,
  Step,
} from "./types.ts";
