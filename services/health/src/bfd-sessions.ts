// The bfd_instances in the world (RFC 5881, RFC 5883): sockets, packets to their sessions, and one timer for all.
// A packet with another TTL than the neighbor's own packets can have is nobody's, whatever it says (RFC 5881 section 5).
import { randomInt } from "node:crypto";
import type { AggregateState, Counter } from "@baton/contracts";
import { type CauseRef, type Instant, ipFamily, messageOf, trackerAggregate } from "@baton/domain";
import {
  type BfdDiscard,
  type BfdEffect,
  type BfdInput,
  type BfdPacket,
  type BfdSession,
  type BfdSessionConfig,
  controlBytes,
  decodeBfd,
  encodeBfd,
  nextBfdDeadline,
  startBfd,
  stepBfd,
} from "@baton/health";
import type { Host } from "@baton/host";
import type { BfdConfig, Config } from "@baton/keepalived-conf";
import { openDeadlineTimer, openUdpSocket, type UdpDatagram, type UdpSocket } from "@baton/linux";
import { metric, prometheusName } from "@baton/telemetry";
import { firstByName } from "./tracked.ts";
import { announceChange } from "./tracker-story.ts";
import { bfdState } from "./tracker-view.ts";

export interface BfdSessions {
  apply(config: Config, origin: "fresh" | "resumed"): void;
  /** undefined: it is not known yet, or there is none. */
  isUp(name: string): boolean | undefined;
  states(): AggregateState[];
  counters(): Counter[];
  /** Tells every neighbor that it was done by hand. */
  close(): void;
}

/** RFC 5881 section 4, RFC 5883 section 5. */
const ports = { singleHop: 3784, multihop: 4784 } as const;
const sourcePorts = { from: 49_152, to: 65_535 } as const;
const discriminatorMax = 0xffffffff;
/** A packet has 24 octets, and more only with an authentication that we refuse. */
const bufferBytes = 128;

interface Member {
  config: BfdConfig;
  session: BfdSession;
  socket: UdpSocket | undefined;
  readonly counts: { received: number; sent: number };
  lastEvent: CauseRef | undefined;
  /** The last reason why nothing could be sent: said once. */
  trouble: string;
}

type Dropped = BfdDiscard | "truncated" | "ttl" | "unknown-session";

export type OnBfdChange = (session: string, up: boolean, cause: CauseRef) => void;

export function createBfdSessions(
  host: Pick<Host, "now" | "events" | "tracer" | "log">,
  onBfdChange: OnBfdChange = () => undefined,
): BfdSessions {
  const members = new Map<string, Member>();
  const listeners = new Map<string, UdpSocket>();
  const dropped = new Map<Dropped, number>();
  const timer = openDeadlineTimer(() => {
    // What came in time counts, although we are late (SAFETY S2).
    for (const [key, socket] of listeners) take(socket.drain(), isMultihop(key));
    for (const member of [...members.values()]) {
      const deadline = nextBfdDeadline(member.session);
      if (deadline !== undefined && deadline <= host.now()) feed(member, { type: "deadline-reached" });
    }
    arm();
  });

  const moment = () => ({ now: host.now(), random: Math.random() });

  function arm(): void {
    const deadlines = [...members.values()].map(({ session }) => nextBfdDeadline(session));
    const earliest = deadlines.filter((at): at is Instant => at !== undefined).toSorted((a, b) => a - b)[0];
    timer.arm(earliest);
  }

  function feed(member: Member, input: BfdInput): void {
    const { state, effects } = stepBfd(member.session, input, moment());
    member.session = state;
    for (const effect of effects) carryOut(member, effect);
  }

  function carryOut(member: Member, effect: BfdEffect): void {
    if (effect.type === "append-event") {
      member.lastEvent = announceChange(host, "bfd", member.config.name, effect.event);
      onBfdChange(member.config.name, effect.event.type === "bfd-session-up", member.lastEvent);
      return;
    }
    const { packet } = effect;
    attempt(member, () => {
      member.socket ??= openSender(member.config);
      member.socket.send(encodeBfd(packet), member.config.neighbor, portOf(member.config));
      member.counts.sent += 1;
      member.trouble = "";
    });
  }

  /** What fails is tried again with the next packet: an address or a route may come later. */
  function attempt(member: Member, action: () => void): void {
    try {
      action();
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== member.trouble) host.log.warn(`BFD session ${member.config.name} cannot send: ${reason}`);
      member.trouble = reason;
    }
  }

  function drop(reason: Dropped): void {
    dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
  }

  function take(datagrams: readonly UdpDatagram[], multihop: boolean): void {
    for (const datagram of datagrams) {
      const packet = datagram.truncated ? ({ discard: "truncated" } as const) : decodeBfd(datagram.bytes);
      if ("discard" in packet) drop(packet.discard);
      else receive(packet, datagram, multihop);
    }
  }

  function receive(packet: BfdPacket, datagram: UdpDatagram, multihop: boolean): void {
    const member = [...members.values()].find((each) => isFor(each, packet, datagram, multihop));
    if (member === undefined) return drop("unknown-session");
    const { ttl, maxHops } = member.config;
    if (maxHops >= 0 && (datagram.ttl ?? 0) < ttl - maxHops) return drop("ttl");
    member.counts.received += 1;
    feed(member, { type: "packet-received", packet, receivedAt: datagram.receivedAt });
  }

  /** One socket for each family and port; those that no session needs are closed. */
  function listen(): void {
    const needed = new Set([...members.values()].map(({ config }) => listenerKey(config)));
    for (const [key, socket] of listeners) {
      if (needed.has(key)) continue;
      socket.close();
      listeners.delete(key);
    }
    for (const { config } of members.values()) {
      const key = listenerKey(config);
      if (listeners.has(key)) continue;
      const port = portOf(config);
      try {
        const socket = openUdpSocket({
          family: ipFamily(config.neighbor),
          ports: { from: port, to: port },
          bufferBytes,
          onDatagrams: (datagrams) => {
            take(datagrams, config.multihop);
            arm();
          },
        });
        listeners.set(key, socket);
      } catch (error) {
        const reason = messageOf(error);
        host.log.error(`BFD packets cannot be received on port ${port}: ${reason}`);
      }
    }
  }

  function dismiss(member: Member): void {
    members.delete(member.config.name);
    feed(member, { type: "stop" });
    member.socket?.close();
  }

  function newDiscriminator(): number {
    const taken = new Set([...members.values()].map(({ session }) => session.discriminator));
    for (;;) {
      const drawn = randomInt(1, discriminatorMax);
      if (!taken.has(drawn)) return drawn;
    }
  }

  function admit(config: BfdConfig, origin: "fresh" | "resumed"): void {
    const { state, effects } = startBfd(machineConfig(config), newDiscriminator(), origin, moment());
    const counts = { received: 0, sent: 0 };
    const member: Member = { config, session: state, socket: undefined, counts, lastEvent: undefined, trouble: "" };
    members.set(config.name, member);
    attempt(member, () => {
      member.socket = openSender(config);
    });
    for (const effect of effects) carryOut(member, effect);
  }

  return {
    apply: (config, origin) => {
      // All of them, tracked or not, as keepalived does.
      const wanted = firstByName(config.bfdInstances);
      for (const member of [...members.values()]) if (!wanted.has(member.config.name)) dismiss(member);
      for (const [name, session] of wanted) {
        const member = members.get(name);
        if (member !== undefined && isSamePath(member.config, session)) {
          member.config = session;
          feed(member, { type: "configure", config: machineConfig(session) });
          continue;
        }
        // Over another path it is another session: others keep what they knew of it until that one has had its time.
        if (member !== undefined) dismiss(member);
        admit(session, member === undefined ? origin : "resumed");
      }
      listen();
      arm();
    },
    isUp: (name) => {
      const status = members.get(name)?.session.status ?? "unknown";
      return status === "unknown" ? undefined : status === "up";
    },
    states: () =>
      [...members.values()].map(({ session, lastEvent }) =>
        bfdState(session, { version: host.events.version(trackerAggregate("bfd", session.config.name)), lastEvent }),
      ),
    counters: () => [
      ...[...members.values()].flatMap(({ config, counts }) =>
        (["received", "sent"] as const).map((direction) => ({
          name: prometheusName(metric.bfdPackets),
          labels: { tracker: config.name, direction },
          value: counts[direction],
        })),
      ),
      ...[...dropped].map(([reason, value]) => ({
        name: prometheusName(metric.bfdDiscards),
        labels: { reason },
        value,
      })),
    ],
    close: () => {
      for (const member of [...members.values()]) dismiss(member);
      for (const socket of listeners.values()) socket.close();
      timer.close();
    },
  };
}

/** By the discriminator that we gave; before the neighbor knows it, by who sent it where (RFC 5881 section 3). */
function isFor({ config, session }: Member, packet: BfdPacket, datagram: UdpDatagram, multihop: boolean): boolean {
  if (config.neighbor !== datagram.source || config.multihop !== multihop) return false;
  if (packet.yourDiscriminator !== 0) return packet.yourDiscriminator === session.discriminator;
  return config.source === undefined || config.source === datagram.destination;
}

const isSamePath = (a: BfdConfig, b: BfdConfig): boolean =>
  a.neighbor === b.neighbor && a.source === b.source && a.multihop === b.multihop && a.ttl === b.ttl;

const portOf = ({ multihop }: BfdConfig): number => (multihop ? ports.multihop : ports.singleHop);
const listenerKey = (config: BfdConfig): string => `${ipFamily(config.neighbor)} ${portOf(config)}`;
const isMultihop = (key: string): boolean => key.endsWith(` ${ports.multihop}`);

/** The same source port for all packets of a session, from the range of RFC 5881 section 4. */
function openSender({ neighbor, source, ttl }: BfdConfig): UdpSocket {
  return openUdpSocket({
    family: ipFamily(neighbor),
    ...(source === undefined ? {} : { address: source }),
    ports: { ...sourcePorts, first: randomInt(sourcePorts.from, sourcePorts.to + 1) },
    ttl,
    bufferBytes: controlBytes,
    onDatagrams: () => undefined,
  });
}

const machineConfig = (config: BfdConfig): BfdSessionConfig => ({
  name: config.name,
  neighbor: config.neighbor,
  minReceiveInterval: config.minReceiveInterval,
  minTransmitInterval: config.minTransmitInterval,
  idleTransmitInterval: config.idleTransmitInterval,
  multiplier: config.multiplier,
  passive: config.passive,
});
