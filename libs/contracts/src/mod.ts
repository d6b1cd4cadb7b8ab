// Everything generated from proto/ leaves through this door, with the converters between wire and domain.

export { decodeData, encodeData, eventTypes, fromWire, isEventType, toWire } from "./events.ts";
export { evolve } from "./evolve.ts";
export { changeDestinations } from "./evolve-balancing.ts";
export { DestinationWeight, Envelope } from "./generated/baton/v1/events.ts";
export type { LeaseServiceServer } from "./generated/baton/v1/lease.ts";
export {
  ClaimState,
  LeaseAdvert,
  LeaseClaim,
  LeaseConfirm,
  LeaseFrame,
  LeaseHello,
  LeaseRecord,
  LeaseReply,
  LeaseServiceClient,
  LeaseServiceService,
  LeaseStanding,
  LeaseStatus,
} from "./generated/baton/v1/lease.ts";
export type { HealthServiceServer, NodeServiceServer } from "./generated/baton/v1/node.ts";
export {
  BusState,
  ConfigChange,
  ConfigDiagnostic,
  ConfigFieldChange,
  DrainedServer,
  DrainRequest,
  DrainResult,
  GetStatusRequest,
  HealthServiceClient,
  HealthServiceService,
  NodeServiceClient,
  NodeServiceService,
  NodeStatus,
  PlanRequest,
  PlanResult,
  PoolsSummary,
  PoolTrouble,
  ReloadRequest,
  ReloadResult,
  StreamEventsRequest,
} from "./generated/baton/v1/node.ts";
export type { WatchServiceServer } from "./generated/baton/v1/watch.ts";
export {
  AddressesState,
  AddressState,
  AggregateState,
  AggregateVersion,
  BalancerState,
  CheckerState,
  ConfigState,
  Counter,
  InstanceState,
  PoolServerState,
  Pulse,
  ServiceState,
  Snapshot,
  SyncGroupState,
  TrackerState,
  VirtualServerState,
  WatchRequest,
  WatchServiceClient,
  WatchServiceService,
  WatchUpdate,
} from "./generated/baton/v1/watch.ts";
export type { WitnessServiceServer } from "./generated/baton/v1/witness.ts";
export { Testimony, TestimonyKind, WitnessServiceClient, WitnessServiceService } from "./generated/baton/v1/witness.ts";
export { decodeMessage, type EncodedEvent, encodeMessage, subjectFilter, subjectOf, subjectToken } from "./nats.ts";
