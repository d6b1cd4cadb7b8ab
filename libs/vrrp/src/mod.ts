// VRRP without I/O: the advertisement codec, the timers and the election machine.
export {
  type Authentication,
  type DecodedAdvertisement,
  decodeAdvertisement,
  type Expectation,
  encodeAdvertisement,
  type WireFormat,
} from "./advertisement.ts";
export { type ChecksumRule, type Endpoints, groupAddress, vrrpProtocol } from "./checksum.ts";
export { type AdvertNotice, type DiscardReason, discardReasons } from "./discard.ts";
export { initialState, nextDeadline, step } from "./election.ts";
export {
  type DecodedPacket,
  decodeIpv4Packet,
  encodeIpv4Packet,
  type Ipv4Addressing,
  type Ipv4Packet,
} from "./ipv4.ts";
export { awaitsFirstResult, faultCauses } from "./priority.ts";
export {
  type GroupClaim,
  type GroupState,
  type GroupStep,
  initialGroup,
  type MemberEffect,
  nextGroupDeadline,
  stepGroup,
} from "./sync-group.ts";
export {
  heartbeatInterval,
  kernelLeaseSeconds,
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
