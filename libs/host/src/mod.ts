// What a Baton service needs of its process. Services import this, and nothing of what is behind it.
export type {
  BusStanding,
  ConfigSource,
  EventReader,
  EventWriter,
  GrpcService,
  Host,
  HostEnv,
  Log,
  Span,
  SpanLink,
  SpanOptions,
  Tracer,
  WatchSource,
} from "./api.ts";
export { balancingProblems } from "./balancing-problems.ts";
export { atCommonTimes } from "./common-times.ts";
export { type NodeCredentials, readCredentials } from "./credentials.ts";
export { batonVersion, paths } from "./env.ts";
export { clientOptions, type GrpcServer, serveGrpc } from "./grpc.ts";
export { type HostOptions, startHost } from "./host.ts";
export { machineFacts } from "./machine-facts.ts";
export { changeFromWire, changeToWire, diagnosticFromWire, diagnosticToWire } from "./plan-wire.ts";
export { keepProcessSettings, type ProcessRole } from "./process-settings.ts";
export {
  type Configuration,
  type ConfigurationFiles,
  type ConfigurationResult,
  readConfiguration,
  readSettings,
} from "./read-configuration.ts";
export {
  defaultSettings,
  type LoadBalancer,
  type ParsedSettings,
  parseSettings,
  type Settings,
  type TrackedVirtualServer,
} from "./settings.ts";
export { type ConfigSnapshot, parseSnapshot, readSnapshot, snapshotHash, writeSnapshot } from "./snapshot.ts";
export { type DumpKind, notNeeded, type ServiceReport, type SupervisorCommand } from "./supervisor-link.ts";
export { askSnapshot, type SnapshotAnswer, type SnapshotQuestion } from "./watch-snapshot.ts";
