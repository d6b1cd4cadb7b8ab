// `lvs_sync_daemon` and `lvs_timeouts`: what else there is to set in ip_vs, and when it has to be.
import { ipFamily, type Micros, toSeconds } from "@baton/domain";
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

/** What the kernel chooses where it is left open: whether it was, nobody can tell from a daemon that runs. */
export const daemonOptions = ({ maxLength, group, port, ttl }: SyncDaemonConfig): string =>
  JSON.stringify({ maxLength, group, port, ttl });

/** Daemons of Baton's own. `options`: what they were started with (`daemonOptions`); undefined: nobody knows. */
export interface OwnDaemons {
  readonly options: string | undefined;
}

/**
 * Stops first: the kernel starts no role twice, and changes none that runs. What the wish leaves open is the kernel's
 * choice, and as it is it is right, unless it is what ours was told before. Somebody else's is left alone while none is
 * wanted.
 */
export function planDaemons(
  config: SyncDaemonConfig | undefined,
  isMaster: boolean,
  running: readonly SyncDaemon[],
  own: OwnDaemons | undefined,
): DaemonOperation[] {
  const wanted = wantedDaemons(config, isMaster);
  const isToldAnew = own?.options !== undefined && config !== undefined && own.options !== daemonOptions(config);
  const isRight = (daemon: SyncDaemon): boolean => !isToldAnew && wanted.some((each) => isServedBy(each, daemon));
  const stopped = wanted.length === 0 && own === undefined ? [] : running.filter((daemon) => !isRight(daemon));
  const missing = wanted.filter((daemon) => isToldAnew || !running.some((each) => isServedBy(daemon, each)));
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

/**
 * As the kernel bends it. A backup takes in what others send: 1,024 octets at least, whatever it was told; and all of it
 * goes into one packet with its headers, of IP and UDP.
 */
function lengthOf({ role, maxLength, group }: SyncDaemon, running: SyncDaemon): number | undefined {
  if (maxLength === undefined) return running.maxLength;
  const headers = group !== undefined && ipFamily(group) === 6 ? 48 : 28;
  return Math.min(Math.max(maxLength, role === "backup" ? 1_024 : 0), 65_535 - headers);
}

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
