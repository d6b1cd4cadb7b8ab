// What the notifier hears of an instance -> the state that scripts and mails are to tell of. Pure.
import type { InstanceState, SyncGroupState } from "@baton/contracts";
import type { CauseRef, EventEnvelope } from "@baton/domain";

/** keepalived's words, as scripts get them. */
export type NotifyState = "MASTER" | "BACKUP" | "FAULT" | "STOP" | "DELETED";

/** An instance or a sync group is in a state, and why. */
export interface StateChange {
  readonly subject: "instance" | "group";
  /** Its name. */
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

/** Whose states these are: a group may be called as an instance. */
export const subjectKey = ({ subject, instance }: Pick<StateChange, "subject" | "instance">): string =>
  subject === "group" ? `sync-group ${instance}` : instance;

/** Undefined for an event that changes no state. */
export function changeOfEvent(envelope: EventEnvelope): StateChange | undefined {
  const { event } = envelope;
  const told = {
    subject: "instance" as const,
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
    case "sync-group-changed": {
      const { group, term, reason, member } = event.data;
      const state = statesOfGroup[event.data.state];
      if (state === undefined) return undefined;
      const why = reason === "" ? member : `${member}: ${reason}`;
      return { ...told, ...ofGroup(group), state, term, reason: reason === "resumed" ? reason : why };
    }
    default:
      return undefined;
  }
}

const statesOfGroup: Readonly<Record<string, NotifyState>> = {
  master: "MASTER",
  backup: "BACKUP",
  fault: "FAULT",
  stopped: "STOP",
};

/** A group has neither interface nor VRID, and no priority of its own. */
const ofGroup = (instance: string) =>
  ({ subject: "group", instance, priority: undefined, interface: "", vrid: 0, addresses: [] }) as const;

/** As `changeOfSnapshot`, for a group. */
export function changeOfGroupSnapshot(group: SyncGroupState, time: string, replayed: boolean): StateChange | undefined {
  const state = statesOfSnapshot[group.state];
  if (state === undefined) return undefined;
  const { name, term, reason, since: at } = group;
  const cause = causeOf(group);
  return { ...ofGroup(name), state, term, reason, order: undefined, at, time, cause, replayed };
}

const causeOf = ({ lastEventId: id, correlationId, traceparent }: InstanceState | SyncGroupState): CauseRef => ({
  id,
  correlationId: correlationId === "" ? id : correlationId,
  traceparent: traceparent === "" ? undefined : traceparent,
});

const statesOfSnapshot: Readonly<Record<string, NotifyState>> = { master: "MASTER", backup: "BACKUP", fault: "FAULT" };

/**
 * Undefined while the instance is on its way (initialize, listening, leaving): the event at the end of it will tell.
 * `time`: the wall clock of `since`.
 */
export function changeOfSnapshot(state: InstanceState, time: string, replayed: boolean): StateChange | undefined {
  const notifyState = statesOfSnapshot[state.state];
  if (notifyState === undefined) return undefined;
  return {
    subject: "instance",
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
    cause: causeOf(state),
    replayed,
  };
}
