// TCP connections of checks. The socket is ours, because Node knows neither SO_MARK nor SO_BINDTODEVICE; connecting,
// reading and TLS are Node's.
import { Socket } from "node:net";
import { ipFamily } from "@baton/domain";
import type { CheckConnection } from "@baton/keepalived-conf";
import { openTcpDescriptor, type SocketOrigin } from "@baton/linux";
import type { Attempt } from "./attempt.ts";

export const originOf = (connection: CheckConnection): SocketOrigin => ({
  mark: connection.mark,
  interface: connection.bindInterface,
  address: connection.bindAddress,
  port: connection.bindPort,
});

/**
 * Connects within the timeout, or fails the attempt. `onConnected` gets a socket that ends with the attempt; `onError`
 * hears of its errors from then on.
 */
export function connect(
  attempt: Attempt,
  connection: CheckConnection,
  onConnected: (socket: Socket) => void,
  onError: (error: Error) => void = (error) => attempt.failBy(error),
): void {
  const fd = openTcpDescriptor(ipFamily(connection.address), originOf(connection));
  const socket = new Socket({ fd, manualStart: true } as ConstructorParameters<typeof Socket>[0]);
  let connected = false;
  // It stays for errors that come after the end.
  socket.on("error", (error) => (connected ? onError(error) : attempt.failBy(error)));
  attempt.release(() => socket.destroy());
  attempt.allow(connection.timeout);
  socket.once("connect", () => {
    connected = true;
    if (!attempt.isOver()) onConnected(socket);
  });
  socket.connect({ host: connection.address, port: connection.port });
}
