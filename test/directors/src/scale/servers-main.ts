// All real servers of a crowd in one process. SIGUSR2 closes the next door; a line says which one, and when (milliseconds
// since 1970).
import { createServer, type Server } from "node:net";
import { crowdPort, doorAddress, doorCount, doorPort } from "./crowd.ts";

const answering = (): Server => createServer((socket) => socket.on("error", () => undefined).destroy());

const doors = Array.from({ length: doorCount }, (_none, at) => answering().listen(doorPort, doorAddress(at), 511));
const state = { next: 0 };
process.on("SIGUSR2", () => {
  const at = state.next++;
  doors[at]?.close();
  process.stdout.write(`closed ${at} ${performance.timeOrigin + performance.now()}\n`);
});
answering().listen({ port: crowdPort, host: "0.0.0.0", backlog: 4096 }, () => process.stdout.write("answering\n"));
