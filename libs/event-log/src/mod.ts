// The node's memory of what happened: outbox on disk, stream on NATS, readers. The only package that knows NATS.
export {
  type Bus,
  type BusStats,
  type DurableOptions,
  eventStream,
  type HistoryQuery,
  PublishError,
  type PublishRefusal,
  type StoredEvent,
} from "./bus.ts";
export { type PrepareBusOptions, prepareBus } from "./bus-admin.ts";
export { isAfter, readEnvelope } from "./envelope.ts";
export { type Hub, type HubOptions, type HubStreamOptions, hubStream, openHub, witnessPrefix } from "./hub.ts";
export { type HubLogin, type HubServerOptions, hubPermissions, hubServerConfig } from "./hub-server-config.ts";
export { aggregateKey, type Recovered, recoverVersions } from "./journal.ts";
export { type Credentials, type NatsBus, type NatsBusOptions, openNatsBus } from "./nats-bus.ts";
export { type Outbox, type OutboxOptions, type OutboxStats, openOutbox } from "./outbox.ts";
export { inboxPrefix, type NatsServerOptions, type NatsUser, natsServerConfig, natsUsers } from "./server-config.ts";
