// Where adverts come in: for each interface, family and protocol, and each address that packets are sent to, the group or
// one's own, a socket for what its instances expect and one for everything else. Instances share them and are told apart
// by `findInstance`. What is expected is read at once, whatever comes beside it: a flood of other VRIDs ends in the
// kernel, but for a sample. An interface that is deleted takes its sockets with it; the new one of the same name gets new ones.
import { type IpAddress, toError } from "@baton/domain";
import {
  type AdvertDatagram,
  type AdvertSocket,
  type ExpectedAdvert,
  limits,
  openAdvertSocket,
  openStrangerSocket,
  type StrangerSocket,
} from "@baton/linux";
import {
  ahProtocol,
  type DiscardReason,
  decodePacket,
  type VrrpPacket,
  vrrpProtocol,
  type WireConfig,
} from "@baton/vrrp";
import { Strangers } from "./strangers.ts";

/** Where an instance speaks and listens, and what is for it there. */
export interface AdvertPlace extends ExpectedAdvert {
  readonly interface: string;
  readonly ifindex: number;
  readonly family: 4 | 6;
  readonly protocol: 112 | 51;
  readonly address: IpAddress;
}

/**
 * `unread`: expected by nobody and too many to be looked at; `no-room`: perhaps for us, but more than we could read. What
 * they were, nobody knows.
 */
export type UnseenReason = "unread" | "no-room";

export interface AdvertSocketsOptions {
  onPacket(interfaceName: string, packet: VrrpPacket): void;
  /** No packet that could belong to any instance. */
  onDiscard(reason: DiscardReason | UnseenReason, count: number): void;
  onError(place: AdvertPlace, error: Error): void;
}

export interface AdvertSockets {
  /** Listens in these places for what is expected there, and nowhere else. */
  listen(places: Iterable<AdvertPlace>): void;
  get(place: AdvertPlace): AdvertSocket | undefined;
  /** Takes in every packet that waits and may concern somebody, synchronously (SAFETY S2). */
  drain(): void;
  close(): void;
}

/** Undefined while the instance has no interface, or no address to be written to. */
export function placeOf(
  { family, authentication, reach, version, vrid }: WireConfig,
  on: { readonly name: string; readonly ifindex: number; readonly address: IpAddress | undefined },
): AdvertPlace | undefined {
  const address = reach.cast === "multicast" ? reach.group : on.address;
  if (on.ifindex === 0 || address === undefined) return undefined;
  const protocol = authentication.type === "ah" ? ahProtocol : vrrpProtocol;
  return { interface: on.name, ifindex: on.ifindex, family, protocol, address, version, vrid };
}

const keyOf = ({ interface: name, ifindex, family, protocol, address }: AdvertPlace): string =>
  `${name} ${ifindex} ${family} ${protocol} ${address}`;

function groupByKey(places: Iterable<AdvertPlace>): ReadonlyMap<string, readonly AdvertPlace[]> {
  const groups = new Map<string, AdvertPlace[]>();
  for (const place of places) {
    const key = keyOf(place);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [place]);
    else group.push(place);
  }
  return groups;
}

/** The two sockets of a place. */
interface Ears {
  readonly place: AdvertPlace;
  readonly socket: AdvertSocket;
  readonly strangers: StrangerSocket;
  /** Versions and VRIDs, to be told from others. */
  expected: string;
}

const nameOf = (expected: readonly ExpectedAdvert[]): string =>
  [...new Set(expected.map(({ version, vrid }) => version * 256 + vrid))].sort((a, b) => a - b).join();

export function openAdvertSockets(options: AdvertSocketsOptions): AdvertSockets {
  return new OpenAdvertSockets(options);
}

class OpenAdvertSockets implements AdvertSockets {
  readonly #options: AdvertSocketsOptions;
  readonly #ears = new Map<string, Ears>();
  readonly #strangers = new Strangers<string>({ read: (key, max) => this.#readStrangers(key, max) });

  constructor(options: AdvertSocketsOptions) {
    this.#options = options;
  }

  listen(places: Iterable<AdvertPlace>): void {
    const wanted = groupByKey(places);
    for (const key of [...this.#ears.keys()]) if (!wanted.has(key)) this.#drop(key);
    for (const [key, expected] of wanted) {
      const ears = this.#ears.get(key);
      if (ears === undefined) this.#open(key, expected);
      else this.#expect(ears, expected);
    }
  }

  get(place: AdvertPlace): AdvertSocket | undefined {
    return this.#ears.get(keyOf(place))?.socket;
  }

  drain(): void {
    for (const { place, socket } of [...this.#ears.values()]) this.#take(place, socket.drain(), socket);
  }

  close(): void {
    for (const key of [...this.#ears.keys()]) this.#drop(key);
    this.#strangers.close();
  }

  #open(key: string, expected: readonly AdvertPlace[]): void {
    const [place] = expected;
    if (place === undefined) return;
    const fail = (error: Error): void => {
      this.#drop(key);
      this.#options.onError(place, error);
    };
    const opened: { close(): void }[] = [];
    try {
      const socket = openAdvertSocket({
        ...{ ...place, expected, onError: fail },
        onDatagrams: (datagrams) => this.#take(place, datagrams, socket),
      });
      opened.push(socket);
      const strangers = openStrangerSocket({
        ...{ ...place, expected, onError: fail },
        onWaiting: () => this.#strangers.onWaiting(key),
      });
      this.#ears.set(key, { place, socket, strangers, expected: nameOf(expected) });
    } catch (error) {
      for (const each of opened) each.close();
      this.#options.onError(place, toError(error));
    }
  }

  /** A lost packet of an instance that comes or goes harms nobody; all others are in both expectations. */
  #expect(ears: Ears, expected: readonly AdvertPlace[]): void {
    const name = nameOf(expected);
    if (name === ears.expected) return;
    try {
      ears.strangers.expect(expected);
      ears.socket.expect(expected);
      ears.expected = name;
    } catch (error) {
      this.#drop(keyOf(ears.place));
      this.#options.onError(ears.place, toError(error));
    }
  }

  #drop(key: string): void {
    const ears = this.#ears.get(key);
    ears?.socket.close();
    ears?.strangers.close();
    this.#ears.delete(key);
    this.#strangers.forget(key);
  }

  #take(place: AdvertPlace, datagrams: readonly AdvertDatagram[], socket?: AdvertSocket): void {
    for (const datagram of datagrams) {
      const decoded = decodePacket(datagram);
      if (decoded.ok) this.#options.onPacket(place.interface, decoded.packet);
      else this.#options.onDiscard(decoded.reason, 1);
    }
    // As long as each turn finds few, none can have been turned away.
    if (socket !== undefined && datagrams.length >= limits.datagramsPerTurn) this.#tell("no-room", socket.missed());
  }

  #readStrangers(key: string, max: number): { count: number; more: boolean } {
    const ears = this.#ears.get(key);
    if (ears === undefined) return { count: 0, more: false };
    const { datagrams, missed, more } = ears.strangers.read(max);
    this.#take(ears.place, datagrams);
    this.#tell("unread", missed);
    return { count: datagrams.length, more };
  }

  #tell(reason: UnseenReason, count: number): void {
    if (count > 0) this.#options.onDiscard(reason, count);
  }
}
