// VRRP without I/O: the advertisement codec, the timers and the election machine.
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
  ResumeRecord,
  Step,
  TrackerConfig,
  TrackerStatus,
} from "./types.ts";
