// What nftables cannot carry. A service is carried whole or not at all: half of what was asked for is a surprise.
import type { Destination, ForwardingMethod, Protocol, Service, serviceFlags, WantedService } from "@baton/ipvs";

/** The kernel's bits, as libs/ipvs has them: the compiler says when they differ. */
export const flag: typeof serviceFlags = { persistent: 1, onePacket: 4, sched1: 8, sched2: 16, sched3: 32 };

/** Why a service cannot be carried. */
export type Obstacle =
  | { readonly kind: "protocol"; readonly protocol: Protocol }
  /** It would have to count living connections, or to know more than an address. */
  | { readonly kind: "scheduler"; readonly scheduler: string }
  /** Translation is per connection. */
  | { readonly kind: "one-packet" }
  | { readonly kind: "persistence-engine"; readonly engine: string }
  /** Only what is translated passes back through this machine. */
  | { readonly kind: "forwarding"; readonly destination: Destination; readonly method: ForwardingMethod["method"] }
  /** `uthreshold` and `lthreshold` count living connections. */
  | { readonly kind: "connection-limit"; readonly destination: Destination }
  | { readonly kind: "family"; readonly destination: Destination };

/** A service that is left out, and why. */
export interface Refusal {
  readonly service: string;
  /** At least one. */
  readonly obstacles: readonly Obstacle[];
}

/** Schedulers by the number that they choose with. */
const schedulers = ["rr", "wrr", "sh", "dh"] as const;
export type Scheduler = (typeof schedulers)[number];

export const schedulerOf = ({ scheduler }: Service): Scheduler | undefined =>
  schedulers.find((name) => name === scheduler);

/** Everything that stands in the way; empty: it can be carried. `local` destinations are translated to like others. */
export function obstacles(service: WantedService): Obstacle[] {
  const { key, scheduler, flags, engine, destinations } = service;
  return [
    ...(key.kind === "address" && key.protocol === "sctp"
      ? [{ kind: "protocol", protocol: key.protocol } as const]
      : []),
    ...(schedulerOf(service) === undefined ? [{ kind: "scheduler", scheduler } as const] : []),
    ...((flags & flag.onePacket) !== 0 ? [{ kind: "one-packet" } as const] : []),
    ...(engine === undefined ? [] : [{ kind: "persistence-engine", engine } as const]),
    ...destinations.flatMap((destination) => destinationObstacles(service, destination)),
  ];
}

function destinationObstacles({ key }: Service, destination: Destination): Obstacle[] {
  const { forwarding, upperThreshold, lowerThreshold, family } = destination;
  const translated = forwarding.method === "masquerade" || forwarding.method === "local";
  return [
    ...(translated ? [] : [{ kind: "forwarding", destination, method: forwarding.method } as const]),
    ...(upperThreshold > 0 || lowerThreshold > 0 ? [{ kind: "connection-limit", destination } as const] : []),
    ...(family === key.family ? [] : [{ kind: "family", destination } as const]),
  ];
}

/** For people. */
export function explainObstacle(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case "protocol":
      return `nftables carries TCP and UDP, not ${obstacle.protocol.toUpperCase()}`;
    case "scheduler":
      return `nftables has no scheduler ${obstacle.scheduler}: ${schedulers.join(", ")} are there`;
    case "one-packet":
      return "nftables translates connections, not single packets";
    case "persistence-engine":
      return `nftables knows a client by its address, not by the persistence engine ${obstacle.engine}`;
    case "forwarding":
      return `nftables reaches ${obstacle.destination.address} by NAT only, not by ${obstacle.method}`;
    case "connection-limit":
      return `nftables does not count the connections of ${obstacle.destination.address}: no limits`;
    case "family":
      return `nftables does not translate between IPv4 and IPv6: ${obstacle.destination.address}`;
  }
}
