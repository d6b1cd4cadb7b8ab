// What a node's uplink says of the node each second, on core NATS: the level behind the events on the hub. A page that
// missed an event is right again one heartbeat later, and a node that says nothing is known to be silent.
import { NodeStatus, subjectToken } from "@baton/contracts";

export interface Heartbeat {
  readonly node: string;
  /** CLOCK_BOOTTIME µs of the node when `status` was taken. */
  readonly at: number;
  /** The node's wall clock at that time, milliseconds of the Unix epoch. */
  readonly wallMillis: number;
  /** Undefined while the node's control does not answer: the node lives, its last status stands. */
  readonly status: NodeStatus | undefined;
  /** The last heartbeat of an orderly stop. */
  readonly stopping: boolean;
}

export const heartbeatEveryMillis = 1_000;
/** Three heartbeats missed. */
export const silentAfterMillis = 3_000;

export const encodeHeartbeat = (heartbeat: Heartbeat): string =>
  JSON.stringify({
    ...heartbeat,
    status: heartbeat.status === undefined ? null : NodeStatus.toJSON(heartbeat.status),
  });

export const heartbeatSubject = (node: string): string => `fleet.${subjectToken(node)}.status`;
export const heartbeatFilter = "fleet.*.status";

/** Undefined when it is no heartbeat of the node whose subject it came on: who may publish may publish nonsense. */
export function decodeHeartbeat(subject: string, text: string): Heartbeat | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null) return undefined;
    const { node, at, wallMillis, status, stopping } = json as Record<string, unknown>;
    if (typeof node !== "string" || heartbeatSubject(node) !== subject) return undefined;
    if (!Number.isSafeInteger(at) || typeof wallMillis !== "number" || !isTime(wallMillis)) return undefined;
    if (typeof status !== "object" || Array.isArray(status)) return undefined;
    const decoded = status === null ? undefined : NodeStatus.fromJSON(status);
    if (decoded !== undefined && decoded.node !== node) return undefined;
    return { node, at: at as number, wallMillis, status: decoded, stopping: stopping === true };
  } catch {
    return undefined;
  }
}

const isTime = (millis: number): boolean => !Number.isNaN(new Date(millis).getTime());
