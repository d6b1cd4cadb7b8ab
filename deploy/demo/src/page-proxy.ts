// The fleet page lives in the hub's network namespace; a browser lives on the machine. This carries bytes between a port
// on loopback and the page's unix socket.
import { connect, createServer, type Socket } from "node:net";

export interface PageProxy {
  readonly address: string;
  close(): void;
}

/** The port that people remember, or any if it is taken. */
export async function openPageProxy(socketPath: string, port = 8112): Promise<PageProxy> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(socketPath);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  const listen = (wanted: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const refused = (error: NodeJS.ErrnoException): void =>
        error.code === "EADDRINUSE" && wanted !== 0 ? resolve(listen(0)) : reject(error);
      server.once("error", refused);
      server.listen(wanted, "127.0.0.1", () => {
        server.removeListener("error", refused);
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  const chosen = await listen(port);
  return {
    address: `http://127.0.0.1:${chosen}`,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
