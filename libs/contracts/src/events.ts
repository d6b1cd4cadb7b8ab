// Domain events <-> proto messages. The table fails to compile when events.proto and libs/domain drift apart.
import type { Aggregate, BatonEvent, BatonEventOf, BatonEventType, EventEnvelope, ServiceName } from "@baton/domain";
import * as proto from "./generated/baton/v1/events.ts";

type Codec<Data> = { fromJSON(json: unknown): Data; toJSON(data: Data): unknown };
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Table = { readonly [T in BatonEventType]: Codec<Writable<BatonEventOf<T>["data"]>> };

const table: Table = {
  "became-master": proto.BecameMaster,
  "became-backup": proto.BecameBackup,
  "entered-fault": proto.EnteredFault,
  "instance-stopped": proto.InstanceStopped,
  "priority-changed": proto.PriorityChanged,
  "mastership-degraded": proto.MastershipDegraded,
  "mastership-restored": proto.MastershipRestored,
  "preemption-held": proto.PreemptionHeld,
  "rival-heard": proto.RivalHeard,
  "tracker-stale": proto.TrackerStale,
  "tracker-fresh": proto.TrackerFresh,
  "foreign-vrid-seen": proto.ForeignVridSeen,
  "sync-group-changed": proto.SyncGroupChanged,
  "script-failed": proto.ScriptFailed,
  "script-succeeded": proto.ScriptSucceeded,
  "file-changed": proto.FileChanged,
  "process-quorum-lost": proto.ProcessQuorumLost,
  "process-quorum-gained": proto.ProcessQuorumGained,
  "bfd-session-up": proto.BfdSessionUp,
  "bfd-session-down": proto.BfdSessionDown,
  "check-failed": proto.CheckFailed,
  "check-attempt-failed": proto.CheckAttemptFailed,
  "check-succeeded": proto.CheckSucceeded,
  "realserver-up": proto.RealserverUp,
  "realserver-down": proto.RealserverDown,
  "quorum-gained": proto.QuorumGained,
  "quorum-lost": proto.QuorumLost,
  "sorry-server-added": proto.SorryServerAdded,
  "sorry-server-removed": proto.SorryServerRemoved,
  "destinations-changed": proto.DestinationsChanged,
  "drain-started": proto.DrainStarted,
  "drain-finished": proto.DrainFinished,
  "drain-undone": proto.DrainUndone,
  "balancer-programmed": proto.BalancerProgrammed,
  "balancer-repaired": proto.BalancerRepaired,
  "balancer-failed": proto.BalancerFailed,
  "server-idle": proto.ServerIdle,
  "vip-added": proto.VipAdded,
  "vip-removed": proto.VipRemoved,
  "vip-failed": proto.VipFailed,
  "garp-sent": proto.GarpSent,
  "drift-repaired": proto.DriftRepaired,
  "routes-added": proto.RoutesAdded,
  "routes-removed": proto.RoutesRemoved,
  "routes-failed": proto.RoutesFailed,
  "routes-repaired": proto.RoutesRepaired,
  "drift-war": proto.DriftWar,
  "lease-expired": proto.LeaseExpired,
  "claim-refused": proto.ClaimRefused,
  "notification-delivered": proto.NotificationDelivered,
  "notification-failed": proto.NotificationFailed,
  "config-applied": proto.ConfigApplied,
  "config-rejected": proto.ConfigRejected,
  "service-started": proto.ServiceStarted,
  "service-stopped": proto.ServiceStopped,
  "service-died": proto.ServiceDied,
  "events-lost": proto.EventsLost,
};

export const eventTypes = Object.keys(table) as BatonEventType[];
export const isEventType = (text: string): text is BatonEventType => Object.hasOwn(table, text);

/** The payload as proto JSON text. */
export function encodeData(event: BatonEvent): string {
  const codec = table[event.type] as Codec<unknown>;
  return JSON.stringify(codec.toJSON(event.data));
}

/** Undefined for a type this version does not know, or a body that is no JSON object: both are hostile or newer. */
export function decodeData(type: string, data: string): BatonEvent | undefined {
  if (!isEventType(type)) return undefined;
  try {
    const json: unknown = JSON.parse(data);
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    return { type, data: (table[type] as Codec<unknown>).fromJSON(json) } as BatonEvent;
  } catch {
    return undefined;
  }
}

export function toWire(envelope: EventEnvelope): proto.Envelope {
  const { aggregate, event, traceparent, ...rest } = envelope;
  return {
    ...rest,
    aggregateKind: aggregate.kind,
    aggregateId: aggregate.id,
    traceparent: traceparent ?? "",
    type: event.type,
    data: encodeData(event),
  };
}

/** Undefined when the event's type or payload is not understood. */
export function fromWire(wire: proto.Envelope): EventEnvelope | undefined {
  const event = decodeData(wire.type, wire.data);
  if (event === undefined) return undefined;
  return {
    id: wire.id,
    time: wire.time,
    at: wire.at,
    node: wire.node,
    service: wire.service as ServiceName,
    aggregate: { kind: wire.aggregateKind as Aggregate["kind"], id: wire.aggregateId },
    epoch: wire.epoch,
    version: wire.version,
    correlationId: wire.correlationId,
    causationId: wire.causationId,
    traceparent: wire.traceparent === "" ? undefined : wire.traceparent,
    event,
  };
}
