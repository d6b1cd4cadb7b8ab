// The kernel's table of virtual services: read by dumps, changed in batches. Whoever keeps services compares what list()
// says with what is wanted and hands the difference to change(): the table itself wants nothing. The kernel tells nobody
// of changes, so there is nothing to watch.
import type {
  ConnectionTimeouts,
  DumpedDestination,
  DumpedService,
  Operation,
  ServiceKey,
  SyncDaemon,
} from "@baton/ipvs";
import type { ChangeResult, Closable } from "./api.ts";
import { LinuxError } from "./error.ts";
import { decodeFamily, familyRequest, NETLINK_GENERIC } from "./generic-netlink.ts";
import { changeEach } from "./ipvs-batch.ts";
import { ipvsFamilyName } from "./ipvs-numbers.ts";
import {
  type DumpedServiceAlone,
  decodeDaemon,
  decodeDestination,
  decodeInfo,
  decodeService,
  decodeTimeouts,
  type IpvsInfo,
} from "./ipvs-reply.ts";
import {
  daemonDumpBody,
  destinationDumpBody,
  encodeDaemonStart,
  encodeDaemonStop,
  encodeTimeouts,
  encodeZero,
  infoRequest,
  serviceDumpBody,
  timeoutsRequest,
} from "./ipvs-request.ts";
import { openNetlinkClient } from "./netlink-socket.ts";

/** Of the network namespace in which it was opened. Every function throws LinuxError when the kernel does not answer. */
export interface IpvsTable extends Closable {
  info(): IpvsInfo;
  /** Without what is behind them: one dump. */
  listServices(): DumpedServiceAlone[];
  /** Empty too when there is no such service. */
  listDestinations(service: ServiceKey): DumpedDestination[];
  /**
   * Everything, in the kernel's order. The kernel tells destinations by service alone, one dump each. What changes while it
   * is read may be in it or not, also when it belongs to a service that does not change.
   */
  list(): DumpedService[];
  /**
   * Carries out each, whatever becomes of those before it; a result for each, in order. By errno: EEXIST, the service or
   * destination is there; ESRCH, no such service; ENOENT, no such destination, or no such scheduler or engine. The kernel
   * loads the module of a scheduler within the call (some 80 ms for one that it has not). EINVAL too: it cannot be written.
   */
  change(batch: readonly Operation[]): ChangeResult[];
  timeouts(): ConnectionTimeouts;
  setTimeouts(timeouts: ConnectionTimeouts): ChangeResult;
  /** Those that run: at most one of each role. */
  listDaemons(): SyncDaemon[];
  /** EEXIST: one of that role runs; ENODEV: no such interface. */
  startDaemon(daemon: SyncDaemon): ChangeResult;
  /** ESRCH: none of that role runs. */
  stopDaemon(role: SyncDaemon["role"]): ChangeResult;
  /** Sets the traffic counters of a service and its destinations to 0; of all where none is named. */
  zero(service?: ServiceKey): ChangeResult;
}

/** Throws LinuxError with ENOENT where the kernel has no IPVS, also no module of it that it could load. */
export function openIpvsTable(): IpvsTable {
  const client = openNetlinkClient(NETLINK_GENERIC);
  const answered = <T>(what: string, answer: T | undefined): T => {
    if (answer === undefined) throw new LinuxError("EPROTO", what, "the kernel's answer makes no sense");
    return answer;
  };
  const findFamily = (): number => {
    try {
      return answered("generic netlink family", client.ask(familyRequest(ipvsFamilyName), decodeFamily));
    } catch (error) {
      client.close();
      throw error;
    }
  };
  const family = findFamily();
  const changeOne = (request: Parameters<typeof client.change>[0][number]): ChangeResult => {
    const [result] = client.change([request]);
    return answered("ipvs change", result);
  };
  const listServices = (): DumpedServiceAlone[] =>
    client.dump(family, serviceDumpBody(), (message) => decodeService(message, family));
  const listDestinations = (service: ServiceKey): DumpedDestination[] =>
    client.dump(family, destinationDumpBody(service), (message) => decodeDestination(message, family, service));
  return {
    info: () =>
      answered(
        "ipvs info",
        client.ask(infoRequest(family), (message) => decodeInfo(message, family)),
      ),
    listServices,
    listDestinations,
    list: () => listServices().map((service) => ({ ...service, destinations: listDestinations(service.key) })),
    change: (batch) => changeEach(family, batch, (requests) => client.change(requests)),
    timeouts: () =>
      answered(
        "ipvs timeouts",
        client.ask(timeoutsRequest(family), (message) => decodeTimeouts(message, family)),
      ),
    setTimeouts: (timeouts) => changeOne(encodeTimeouts(family, timeouts)),
    listDaemons: () => client.dump(family, daemonDumpBody(), (message) => decodeDaemon(message, family)),
    startDaemon: (daemon) => changeOne(encodeDaemonStart(family, daemon)),
    stopDaemon: (role) => {
      // Of a daemon that had not begun to run the kernel says nothing at all (netlink_rcv_skb passes over EINTR): the
      // answer to what follows, and changes nothing, tells that it is through.
      const nothing = encodeTimeouts(family, { tcp: 0, tcpFin: 0, udp: 0 });
      const [result] = client.change([encodeDaemonStop(family, role), nothing]);
      return answered("ipvs change", result);
    },
    zero: (service) => changeOne(encodeZero(family, service)),
    close: () => client.close(),
  };
}
