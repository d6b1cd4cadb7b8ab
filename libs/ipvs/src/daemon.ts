// `lvs_sync_daemon` and `lvs_timeouts`: what else there is to set in ip_vs, and when it has to be.
import { type Micros, toSeconds } from "@baton/domain";
import type { LvsGlobals, SyncDaemonConfig } from "@baton/keepalived-conf";
import type { ConnectionTimeouts, SyncDaemon } from "./model.ts";

export type DaemonOperation =
  | { readonly kind: "start-daemon"; readonly daemon: SyncDaemon }
  | { readonly kind: "stop-daemon"; readonly role: SyncDaemon["role"] };

/**
 * Which roles are to run. One that follows an instance sends while that is master and listens while it is not; without an
 * instance both run.
 */
export function wantedDaemons(config: SyncDaemonConfig | undefined, isMaster: boolean): SyncDaemon[] {
  if (config === undefined) return [];
  const { id, maxLength, group, port, ttl } = config;
  const daemon = (role: SyncDaemon["role"]): SyncDaemon => ({
    role,
    interface: config.interface,
    id,
    maxLength,
    group,
    port,
    ttl,
  });
  if (config.instance === undefined) return [daemon("master"), daemon("backup")];
  return [daemon(isMaster ? "master" : "backup")];
}

/**
 * Stops first: the kernel starts no role twice, and changes none that runs. What the wish leaves open is the kernel's
 * choice, and as it is it is right. `own`: a daemon runs that Baton has started; somebody else's is left alone while none
 * is wanted.
 */
export function planDaemons(
  wanted: readonly SyncDaemon[],
  running: readonly SyncDaemon[],
  own: boolean,
): DaemonOperation[] {
  const right = (daemon: SyncDaemon): boolean => wanted.some((each) => isServedBy(each, daemon));
  const stopped = wanted.length === 0 && !own ? [] : running.filter((daemon) => !right(daemon));
  const missing = wanted.filter((daemon) => !running.some((each) => isServedBy(daemon, each)));
  return [
    ...stopped.map(({ role }): DaemonOperation => ({ kind: "stop-daemon", role })),
    ...missing.map((daemon): DaemonOperation => ({ kind: "start-daemon", daemon })),
  ];
}

const isServedBy = (wanted: SyncDaemon, running: SyncDaemon): boolean =>
  wanted.role === running.role &&
  wanted.interface === running.interface &&
  wanted.id === running.id &&
  lengthOf(wanted, running) === running.maxLength &&
  (wanted.group ?? running.group) === running.group &&
  (wanted.port ?? running.port) === running.port &&
  (wanted.ttl ?? running.ttl) === running.ttl;

/** A backup takes in what others send: 1,024 octets at least, whatever it was told. */
const lengthOf = ({ role, maxLength }: SyncDaemon, running: SyncDaemon): number | undefined =>
  maxLength === undefined ? running.maxLength : Math.max(maxLength, role === "backup" ? 1_024 : 0);

/** What to set; undefined: nothing. What the file does not say, and what is right already, stays: 0 in the command. */
export function planTimeouts(
  wanted: LvsGlobals["timeouts"],
  current: ConnectionTimeouts,
): ConnectionTimeouts | undefined {
  const change = (seconds: Micros | undefined, now: number): number => {
    const value = seconds === undefined ? now : Math.round(toSeconds(seconds));
    return value === now ? 0 : value;
  };
  const changes = {
    tcp: change(wanted.tcp, current.tcp),
    tcpFin: change(wanted.tcpFin, current.tcpFin),
    udp: change(wanted.udp, current.udp),
  };
  return changes.tcp === 0 && changes.tcpFin === 0 && changes.udp === 0 ? undefined : changes;
}
