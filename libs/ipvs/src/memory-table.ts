// The kernel's table in memory, by the rules of the kernel (net/netfilter/ipvs/ip_vs_ctl.c): for tests, simulations and
// rehearsals. What is said of it here is held against the real one by testing/contract.ts.
import { type IpAddress, ipToBytes } from "@baton/domain";
import {
  type DestinationKey,
  type DumpedDestination,
  type DumpedService,
  destinationName,
  type Operation,
  type Service,
  type ServiceKey,
  serviceFlagsMask,
  serviceName,
} from "./model.ts";

/**
 * Why the kernel refuses a command. EEXIST, ENOENT: of a destination, and of a scheduler or engine that it does not know;
 * ESRCH: there is no such service; EINVAL: what cannot be; ERANGE: weight and thresholds.
 */
export type TableError = "EEXIST" | "ENOENT" | "ESRCH" | "EINVAL" | "ERANGE";

const schedulersKnown = new Set("none rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos".split(" "));
const enginesKnown = new Set(["sip"]);
const countsOfNone = { active: 0, inactive: 0, persistent: 0 };
const trafficOfNone = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };

interface Entry {
  service: Service;
  readonly destinations: Map<string, DumpedDestination>;
}

export class MemoryTable {
  readonly #entries = new Map<string, Entry>();
  /** A sync daemon runs: its messages have no room for two families in one service. */
  syncing = false;

  /** Undefined: done. Nothing has changed when it is refused. */
  apply(operation: Operation): TableError | undefined {
    switch (operation.kind) {
      case "flush":
        this.#entries.clear();
        return undefined;
      case "new-service":
      case "set-service":
        return this.#putService(operation.kind, operation.service);
      case "delete-service":
        return this.#entries.delete(serviceName(operation.service)) ? undefined : "ESRCH";
      default:
        return this.#changeDestination(operation);
    }
  }

  /** Services in the order of their making; of a service's destinations the newest comes first. */
  dump(): DumpedService[] {
    return [...this.#entries.values()].map(({ service, destinations }) => ({
      ...service,
      traffic: trafficOfNone,
      destinations: [...destinations.values()].toReversed(),
    }));
  }

  /** As traffic would: what of it survives a change can be seen in the next dump. False: there is no such destination. */
  connect(service: ServiceKey, destination: DestinationKey, active: number, inactive = 0): boolean {
    const destinations = this.#entries.get(serviceName(service))?.destinations;
    const name = destinationName(destination);
    const found = destinations?.get(name);
    if (found === undefined) return false;
    destinations?.set(name, { ...found, connections: { ...found.connections, active, inactive } });
    return true;
  }

  #putService(kind: "new-service" | "set-service", given: Service): TableError | undefined {
    const name = serviceName(given.key);
    const entry = this.#entries.get(name);
    if (kind === "new-service" ? entry !== undefined : entry === undefined) {
      return kind === "new-service" ? "EEXIST" : "ESRCH";
    }
    if (!schedulersKnown.has(given.scheduler)) return "ENOENT";
    if (given.engine !== undefined && !enginesKnown.has(given.engine)) return "ENOENT";
    if (given.key.family === 6 && (given.netmask < 1 || given.netmask > 128)) return "EINVAL";
    const { key, scheduler, flags, timeoutSeconds, netmask, engine } = given;
    const service = { key, scheduler, flags: flags & serviceFlagsMask, timeoutSeconds, netmask, engine };
    if (entry === undefined) this.#entries.set(name, { service, destinations: new Map() });
    else entry.service = service;
    return undefined;
  }

  #changeDestination(operation: DestinationOperation): TableError | undefined {
    const entry = this.#entries.get(serviceName(operation.service));
    if (entry === undefined) return "ESRCH";
    const name = destinationName(operation.destination);
    const before = entry.destinations.get(name);
    if (operation.kind === "delete-destination") return entry.destinations.delete(name) ? undefined : "ENOENT";
    const { destination } = operation;
    const { method } = destination.forwarding;
    const mixed = destination.family !== entry.service.key.family;
    if (mixed && (this.syncing || method !== "tunnel")) return "EINVAL";
    if (destination.weight < 0 || destination.weight >= 2 ** 31) return "ERANGE";
    if (destination.lowerThreshold > destination.upperThreshold) return "ERANGE";
    if (hasNoPort(destination.forwarding)) return "EINVAL";
    if (operation.kind === "set-destination") {
      if (before === undefined) return "ENOENT";
      // Its connections stay, and its place in the order.
      entry.destinations.set(name, { ...before, ...destination });
      return undefined;
    }
    if (before !== undefined) return "EEXIST";
    if (!canBeServer(destination.address)) return "EINVAL";
    entry.destinations.set(name, { ...destination, connections: countsOfNone, traffic: trafficOfNone });
    return undefined;
  }
}

type DestinationOperation = Extract<Operation, { readonly destination: unknown }>;

const hasNoPort = (forwarding: DumpedDestination["forwarding"]): boolean =>
  forwarding.method === "tunnel" && forwarding.tunnel.type === "gue" && forwarding.tunnel.port === 0;

/** One machine's, and not of one link alone. What only the machine's own addresses tell (broadcasts) is not known here. */
function canBeServer(address: IpAddress): boolean {
  const bytes = ipToBytes(address);
  const [first = 0, second = 0] = bytes;
  if (bytes.every((byte) => byte === 0)) return false;
  if (bytes.length === 4) return (first < 224 || first >= 240) && bytes.some((byte) => byte < 255);
  return first !== 0xff && !(first === 0xfe && (second & 0xc0) === 0x80);
}
