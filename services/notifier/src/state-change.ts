// What the notifier hears of an instance -> the state that scripts and mails are to tell of. Pure.
import type { InstanceState } from "@baton/contracts";
import type { CauseRef, EventEnvelope } from "@baton/domain";

/** keepalived's words, as scripts get them. */
export type NotifyState = "MASTER" | "BACKUP" | "FAULT" | "STOP" | "DELETED";

/** An instance is in a state, and why. */
export interface StateChange {
  readonly instance: string;
  readonly state: NotifyState;
  /** Effective priority where the source tells it. */
  readonly priority: number | undefined;
  readonly interface: string;
  readonly vrid: number;
  readonly term: number;
  readonly reason: string;
  readonly addresses: readonly string[];
  /** The event's place among the events of the instance; undefined when it was read from a snapshot. */
  readonly order: { readonly epoch: number; readonly version: number } | undefined;
  /** CLOCK_BOOTTIME in microseconds: orders what has no version. */
  readonly at: number;
  /** Wall clock, RFC 3339; for people. */
  readonly time: string;
  readonly cause: CauseRef;
  /** Told from a snapshot after a restart or a gap, not from the event itself (SAFETY S21). */
  readonly replayed: boolean;
}

/** The reason that election gives when a reload took the instance out of the configuration. */
const removedReason = "removed-from-configuration";

/** Undefined for an event that changes no state. */
export function changeOfEvent(envelope: EventEnvelope): StateChange | undefined {
  const { event } = envelope;
  const told = {
    order: { epoch: envelope.epoch, version: envelope.version },
    at: envelope.at,
    time: envelope.time,
    cause: { id: envelope.id, correlationId: envelope.correlationId, traceparent: envelope.traceparent },
    replayed: false,
  };
  switch (event.type) {
    case "became-master":
    case "became-backup": {
      const { instance, vrid, term, priority, reason } = event.data;
      const state = event.type === "became-master" ? "MASTER" : "BACKUP";
      const addresses = event.type === "became-master" ? event.data.addresses : [];
      return { instance, state, priority, interface: event.data.interface, vrid, term, reason, addresses, ...told };
    }
    case "entered-fault": {
      const { instance, vrid, term, priority, causes } = event.data;
      const reason = causes.join(", ");
      return {
        instance,
        state: "FAULT",
        priority,
        interface: event.data.interface,
        vrid,
        term,
        reason,
        addresses: [],
        ...told,
      };
    }
    case "instance-stopped": {
      const { instance, vrid, term, reason } = event.data;
      const state = reason === removedReason ? "DELETED" : "STOP";
      const common = { instance, state, interface: event.data.interface, vrid, term, reason } as const;
      return { ...common, priority: undefined, addresses: [], ...told };
    }
    default:
      return undefined;
  }
}

const statesOfSnapshot: Readonly<Record<string, NotifyState>> = { master: "MASTER", backup: "BACKUP", fault: "FAULT" };

/**
 * Undefined while the instance is on its way (initialize, listening, leaving): the event at the end of it will tell.
 * `time`: the wall clock of `since`.
 */
export function changeOfSnapshot(state: InstanceState, time: string, replayed: boolean): StateChange | undefined {
  const notifyState = statesOfSnapshot[state.state];
  if (notifyState === undefined) return undefined;
  const id = state.lastEventId;
  return {
    instance: state.name,
    state: notifyState,
    priority: state.effectivePriority,
    interface: state.interface,
    vrid: state.vrid,
    term: state.term,
    reason: state.state === "fault" ? state.faultCauses.join(", ") : state.reason,
    addresses: state.state === "master" ? state.addresses : [],
    order: undefined,
    at: state.since,
    time,
    cause: {
      id,
      correlationId: state.correlationId === "" ? id : state.correlationId,
      traceparent: state.traceparent === "" ? undefined : state.traceparent,
    },
    replayed,
  };
}
