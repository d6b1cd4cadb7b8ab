// VRRP without I/O: the advertisement codec, the timers and the election machine.
export { initialState, movesLeaseOnly, nextDeadline, step } from "./election.ts";
export { awaitsAnswer } from "./facts.ts";
export { awaitsFirstResult, faultCauses, trackerKey } from "./priority.ts";
export {
  excuseStayPut,
  type QuorumFacts,
  type StayPut,
  startStayPut,
  type Verdict,
  weighQuorum,
} from "./stay-put.ts";
export {
  claimants,
  type GroupClaim,
  type GroupState,
  type GroupStep,
  initialGroup,
  type MemberEffect,
  nextGroupDeadline,
  regroup,
  stepGroup,
} from "./sync-group.ts";
export {
  heartbeatInterval,
  heartbeatOf,
  kernelLeaseSeconds,
  leaseLength,
  longestMasterDown,
  longestSkew,
  masterDownInterval,
  questionLimit,
  releaseLimit,
  shortestMasterDown,
  skewTime,
  successorWait,
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
export {
  type AuthKey,
  authKey,
  type HmacSettings,
  type HmacState,
  type ReplayMark,
} from "./wire/auth-hmac.ts";
export { ahProtocol } from "./wire/authentication-header.ts";
export { type ChecksumRule, groupAddress, groupAddressV6, vrrpProtocol } from "./wire/checksum.ts";
export {
  type AdvertNotice,
  advertNotices,
  countsAsReceived,
  type DiscardReason,
  discardReasons,
  discards,
  type KeepalivedStatistic,
} from "./wire/discard.ts";
export { type Dispatched, findInstance, type Listener } from "./wire/dispatch.ts";
export { heardMaster, type LogCause, type LogMemory, nothingTold, tellOnce } from "./wire/log-once.ts";
export { type DecodedPacket, decodePacket, type ReceivedDatagram, type VrrpPacket } from "./wire/packet.ts";
export { type ReceivedAdvertisement, type ReceiveFacts, receiveAdvertisement } from "./wire/receive.ts";
export { buildAdvertisement, type OutgoingPacket, type SendFacts, type SentAdvertisement } from "./wire/send.ts";
export {
  type Authentication,
  type ChecksumSettings,
  initialWireState,
  type Reach,
  type UnicastPeer,
  type WireConfig,
  type WireState,
} from "./wire/wire.ts";
