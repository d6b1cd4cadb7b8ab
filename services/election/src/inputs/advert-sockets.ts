// Where adverts come in: one socket for each interface, family and protocol, and each address that packets are sent to, the
// group or one's own. Instances share it and are told apart by `findInstance`. An interface that is deleted takes its
// socket with it; the new one of the same name gets a new socket.
import { type IpAddress, toError } from "@baton/domain";
import { type AdvertDatagram, type AdvertSocket, openAdvertSocket } from "@baton/linux";
import {
  ahProtocol,
  type DiscardReason,
  decodePacket,
  type VrrpPacket,
  vrrpProtocol,
  type WireConfig,
} from "@baton/vrrp";

export interface AdvertPlace {
  readonly interface: string;
  readonly ifindex: number;
  readonly family: 4 | 6;
  readonly protocol: 112 | 51;
  readonly address: IpAddress;
}

export interface AdvertSocketsOptions {
  onPacket(interfaceName: string, packet: VrrpPacket): void;
  /** No packet that could belong to any instance. */
  onDiscard(reason: DiscardReason): void;
  onError(place: AdvertPlace, error: Error): void;
}

export interface AdvertSockets {
  /** Listens in these places and nowhere else. */
  listen(places: Iterable<AdvertPlace>): void;
  get(place: AdvertPlace): AdvertSocket | undefined;
  /** Takes in every packet that waits, synchronously (SAFETY S2). */
  drain(): void;
  close(): void;
}

/** Where an instance speaks and listens; undefined while it has no interface, or no address to be written to. */
export function placeOf(
  { family, authentication, reach }: WireConfig,
  on: { readonly name: string; readonly ifindex: number; readonly address: IpAddress | undefined },
): AdvertPlace | undefined {
  const address = reach.cast === "multicast" ? reach.group : on.address;
  if (on.ifindex === 0 || address === undefined) return undefined;
  const protocol = authentication.type === "ah" ? ahProtocol : vrrpProtocol;
  return { interface: on.name, ifindex: on.ifindex, family, protocol, address };
}

const keyOf = ({ interface: name, ifindex, family, protocol, address }: AdvertPlace): string =>
  `${name} ${ifindex} ${family} ${protocol} ${address}`;

export function openAdvertSockets(options: AdvertSocketsOptions): AdvertSockets {
  const sockets = new Map<string, { readonly place: AdvertPlace; readonly socket: AdvertSocket }>();

  const take = (place: AdvertPlace, datagrams: readonly AdvertDatagram[]): void => {
    for (const datagram of datagrams) {
      const decoded = decodePacket(datagram);
      if (decoded.ok) options.onPacket(place.interface, decoded.packet);
      else options.onDiscard(decoded.reason);
    }
  };
  const drop = (key: string): void => {
    sockets.get(key)?.socket.close();
    sockets.delete(key);
  };
  const open = (key: string, place: AdvertPlace): void => {
    try {
      const socket = openAdvertSocket({
        ...place,
        onDatagrams: (datagrams) => take(place, datagrams),
        onError: (error) => {
          drop(key);
          options.onError(place, error);
        },
      });
      sockets.set(key, { place, socket });
    } catch (error) {
      options.onError(place, toError(error));
    }
  };

  return {
    listen(places) {
      const wanted = new Map([...places].map((place) => [keyOf(place), place]));
      for (const key of [...sockets.keys()]) if (!wanted.has(key)) drop(key);
      for (const [key, place] of wanted) if (!sockets.has(key)) open(key, place);
    },
    get: (place) => sockets.get(keyOf(place))?.socket,
    drain() {
      for (const { place, socket } of [...sockets.values()]) take(place, socket.drain());
    },
    close() {
      for (const key of [...sockets.keys()]) drop(key);
    },
  };
}
