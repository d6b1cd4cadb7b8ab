// struct sockaddr_in and sockaddr_in6, as the kernel takes them.
import { type IpAddress, ipToBytes } from "@baton/domain";

export const AF_INET = 2;
export const AF_INET6 = 10;

export interface SocketPlace {
  /** The zone, for link-local addresses; others ignore it. */
  readonly ifindex?: number | undefined;
  readonly port?: number;
}

export function socketAddress(address: IpAddress, { ifindex = 0, port = 0 }: SocketPlace = {}): Uint8Array {
  const bytes = ipToBytes(address);
  const socket = new Uint8Array(bytes.length === 4 ? 16 : 28);
  const view = new DataView(socket.buffer);
  view.setUint16(0, bytes.length === 4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  socket.set(bytes, bytes.length === 4 ? 4 : 8);
  if (bytes.length === 16) view.setInt32(24, ifindex, true);
  return socket;
}
