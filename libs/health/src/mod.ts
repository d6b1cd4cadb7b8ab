// Health as pure machines: a script tracker's schedule, verdict and way of ending; the number of a file; how many of a
// process run; BFD sessions; the checkers of real servers, and the pools of virtual servers.
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
export { nextCheckDeadline, startCheck, stepCheck } from "./check/checker.ts";
export {
  type FollowedCheck,
  type FollowedConfig,
  type FollowedStep,
  followBfd,
  followFile,
  startFollowed,
} from "./check/followed.ts";
export { checkIdentity } from "./check/identity.ts";
export {
  excerptMax,
  type ProbeFailure,
  type ProbeObstacle,
  type ProbeOutcome,
  probeFailures,
  probeObstacles,
} from "./check/outcome.ts";
export {
  isProbed,
  type ReloadedChecks,
  reloadChecks,
  type ServerCheck,
  type ServerCheckConfig,
} from "./check/reload.ts";
export {
  type CheckConfig,
  type CheckCounts,
  type CheckEffect,
  type CheckEvent,
  type Checker,
  type CheckInput,
  type CheckMoment,
  type CheckNews,
  type CheckPhase,
  type CheckStep,
  type LastProbe,
  type ProbedType,
  probedTypes,
  type WeightPart,
} from "./check/types.ts";
export { type FileTracker, fileBytesMax, learnFile, readTrackedNumber } from "./file-tracker.ts";
export { liveWeight, nextPoolDeadline, startPool, stepPool } from "./pool/pool.ts";
export type {
  Drain,
  Pool,
  PoolCheck,
  PoolChecks,
  PoolConfig,
  PoolEffect,
  PoolEvent,
  PoolInput,
  PoolServer,
  PoolServerConfig,
  PoolStep,
  Told,
} from "./pool/types.ts";
export { type WantedDestination, wantedDestinations } from "./pool/wanted.ts";
export { effectiveWeight, type WeightInputs, weightMax } from "./pool/weight.ts";
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
