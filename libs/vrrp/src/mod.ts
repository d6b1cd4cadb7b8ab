// VRRP without I/O: the advertisement codec, the timers and the election machine.
export { initialState, nextDeadline, step } from "./election.ts";
export { awaitsFirstResult, faultCauses } from "./priority.ts";
export {
  heartbeatInterval,
  kernelLeaseSeconds,
  kernelRenewalInterval,
  leaseLength,
  longestSkew,
  masterDownInterval,
  releaseLimit,
  shortestMasterDown,
  skewTime,
} from "./timers.ts";
export type {
  Advertisement,
  ClaimState,
  CommonState,
  Effect,
  ElectionConfig,
  ElectionCounter,
  ElectionState,
  Input,
  KnownMaster,
  PriorityChange,
  ResumeRecord,
  StateOf,
  Step,
  TrackerConfig,
  TrackerStatus,
} from "./types.ts";
