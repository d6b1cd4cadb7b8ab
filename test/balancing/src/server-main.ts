// A real server: says its name and the client's address to whoever connects, then echoes; to a datagram it answers the same.
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";

const [name = "", ...ports] = process.argv.slice(2);

const plain = (address: string | undefined): string => (address ?? "").replace(/^::ffff:/, "");

function serve(socket: Socket): void {
  // Clients reset and vanish: that is theirs.
  socket.on("error", () => socket.destroy());
  socket.write(`${name} ${plain(socket.remoteAddress)}\n`);
  socket.pipe(socket);
}

const listening = ports.flatMap((port) => {
  const [tcp, udp] = [createServer(serve), createSocket({ type: "udp6", ipv6Only: false })];
  udp.on("message", (_, from) => udp.send(`${name} ${plain(from.address)}\n`, from.port, from.address));
  return [
    new Promise<void>((resolve) => tcp.listen({ port: Number(port), host: "::", backlog: 4096 }, resolve)),
    new Promise<void>((resolve) => udp.bind(Number(port), "::", resolve)),
  ];
});
await Promise.all(listening);
process.send?.({ type: "started" });
process.on("disconnect", () => process.exit(0));
