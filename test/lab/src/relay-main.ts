// Lets the host reach a port inside a network namespace: listens on a unix socket, which no namespace hides, and
// connects to the port from within.
import { connect, createServer } from "node:net";

const [socketPath = "", host = "", port = ""] = process.argv.slice(2);

const server = createServer((near) => {
  const far = connect(Number(port), host);
  near.pipe(far).pipe(near);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
  near.on("close", () => far.destroy());
  far.on("close", () => near.destroy());
});
server.listen(socketPath, () => process.send?.({ type: "started" }));
process.on("disconnect", () => process.exit(0));
