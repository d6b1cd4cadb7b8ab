// The service behind the virtual address: answers each probe with the router's name, on every address the router has.
import { createSocket } from "node:dgram";
import { echoPort } from "./probe-protocol.ts";

const name = Buffer.from(process.argv[2] ?? "");

function answer(type: "udp4" | "udp6", address: string): Promise<void> {
  const socket = createSocket({ type, ipv6Only: type === "udp6" });
  socket.on("message", (bytes, from) => {
    socket.send([bytes, name], from.port, from.address, () => undefined);
  });
  // The client is out of reach for the moment: its next probe will be answered.
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    socket.bind(echoPort, address, () => {
      socket.setRecvBufferSize(4 * 1024 * 1024);
      resolve();
    });
  });
}

await Promise.all([answer("udp4", "0.0.0.0"), answer("udp6", "::")]);
process.send?.({ type: "started" });
process.on("disconnect", () => process.exit(0));
