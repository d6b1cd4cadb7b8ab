// The vocabulary every package shares. Pure: no I/O, no clock, no dependencies.
export { assert, assertNever } from "./assert.ts";
export { checkFailureWords } from "./check-failure.ts";
export { messageOf, toError } from "./error.ts";
export type {
  Aggregate,
  AggregateKind,
  BatonEvent,
  BatonEventOf,
  BatonEventType,
  CauseRef,
  EventEnvelope,
  ServiceName,
} from "./events.ts";
export { changesWords, destinationsWords, drainLimit, type ExplainContext, explain } from "./explain.ts";
export {
  compareIp,
  type IpAddress,
  ipFamily,
  ipFromBytes,
  ipToBytes,
  isIpAddress,
  parseIp,
  unspecifiedIp,
} from "./ip.ts";
export { routingNames } from "./routing-names.ts";
export {
  addMicros,
  centisecondsToMicros,
  type Instant,
  instant,
  type Micros,
  micros,
  microsSince,
  millisToMicros,
  secondsToMicros,
  toMillis,
  toSeconds,
} from "./time.ts";
export { type TrackerKind, trackerAggregate } from "./tracker.ts";
export { isPriority, isVrid, type Priority, priority, type Term, term, type Vrid, vrid } from "./vrrp.ts";
