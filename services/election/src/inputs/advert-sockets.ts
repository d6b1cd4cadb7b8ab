// Protocol 112 on each interface: one socket per interface and family, every instance's adverts told apart by VRID.
// An interface that is deleted takes its socket with it; the new one of the same name gets a new socket.
import { openVrrpSocket, type VrrpDatagram, type VrrpSocket } from "@baton/linux";
import { type DiscardReason, decodePacket, type VrrpPacket } from "@baton/vrrp";

export interface AdvertSocketsOptions {
  onPacket(key: string, packet: VrrpPacket): void;
  /** No packet that could belong to any instance. */
  onDiscard(key: string, reason: DiscardReason): void;
  onError(key: string, error: Error): void;
}

export interface AdvertSockets {
  /** Makes the socket of `key` listen on this interface; ifindex 0: the interface does not exist now. */
  bind(key: string, name: string, ifindex: number): void;
  get(key: string): VrrpSocket | undefined;
  /** Takes in every packet that waits, synchronously (SAFETY S2). */
  drain(): void;
  close(): void;
}

export function openAdvertSockets(options: AdvertSocketsOptions): AdvertSockets {
  const sockets = new Map<string, { ifindex: number; socket: VrrpSocket }>();

  const take = (key: string, datagrams: readonly VrrpDatagram[]): void => {
    for (const datagram of datagrams) {
      const decoded = decodePacket({ family: 4, bytes: datagram.bytes });
      if (decoded.ok) options.onPacket(key, decoded.packet);
      else options.onDiscard(key, decoded.reason);
    }
  };

  const drop = (key: string): void => {
    sockets.get(key)?.socket.close();
    sockets.delete(key);
  };

  return {
    bind(key, name, ifindex) {
      if (sockets.get(key)?.ifindex === ifindex) return;
      drop(key);
      if (ifindex === 0) return;
      try {
        const socket = openVrrpSocket({
          interface: name,
          ifindex,
          family: 4,
          onDatagrams: (datagrams) => take(key, datagrams),
          onError: (error) => {
            drop(key);
            options.onError(key, error);
          },
        });
        sockets.set(key, { ifindex, socket });
      } catch (error) {
        options.onError(key, error instanceof Error ? error : new Error(String(error)));
      }
    },
    get: (key) => sockets.get(key)?.socket,
    drain() {
      for (const [key, { socket }] of [...sockets]) take(key, socket.drain());
    },
    close() {
      for (const key of [...sockets.keys()]) drop(key);
    },
  };
}
