// Two network namespaces for probes: they start in one, the servers are in the other, over IPv4 and IPv6.
import { execFileSync } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { type IpAddress, ipFamily, micros, parseIp } from "@baton/domain";
import type { CheckConnection, CheckTimes } from "@baton/keepalived-conf";
import { openTcpDescriptor } from "@baton/linux";
import { makeNamespacePair, type Namespace } from "@baton/linux/testing";

export const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};

/** Of the server, by family. */
export const serverAddress = { 4: ip("10.99.0.2"), 6: ip("2001:db8::2") } as const;
export const ownAddress = { 4: ip("10.99.0.1"), 6: ip("2001:db8::1") } as const;
export const families = [4, 6] as const;

export const times: CheckTimes = {
  alpha: false,
  delayLoop: micros(1_000_000),
  warmup: micros(0),
  retry: 0,
  delayBeforeRetry: micros(0),
  logAllFailures: false,
};

export const connectionTo = (
  address: IpAddress,
  port: number,
  over: Partial<CheckConnection> = {},
): CheckConnection => ({
  address,
  port,
  bindAddress: undefined,
  bindPort: undefined,
  bindInterface: undefined,
  timeout: micros(5_000_000),
  mark: 0,
  ...over,
});

export interface ProbeWorld {
  readonly ours: Namespace;
  readonly theirs: Namespace;
  /** Answers each connection with `onConnection`; ended by `clear`. */
  serve(address: IpAddress, port: number, onConnection?: (socket: Socket) => void): Server;
  /** One nft command in the servers' namespace; its table `block` is gone after `clear`. */
  drop(rule: string): void;
  /** A descriptor of a TCP socket that is bound there, for servers of other kinds (`listen({ fd })`). */
  bound(address: IpAddress, port: number): number;
  /** After each test. */
  clear(): Promise<void>;
  remove(): void;
}

export function makeProbeWorld(label: string): ProbeWorld {
  const [ours, theirs] = makeNamespacePair(label);
  ours.ip("address", "add", `${ownAddress[6]}/64`, "dev", "eth0", "nodad");
  theirs.ip("address", "add", `${serverAddress[6]}/64`, "dev", "eth0", "nodad");
  const servers: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];
  const nft = (...words: string[]): void =>
    void execFileSync("ip", ["netns", "exec", theirs.name, "nft", ...words], { stdio: "pipe" });
  let blocked = false;
  const bound = (address: IpAddress, port: number): number =>
    theirs.inside(() => openTcpDescriptor(ipFamily(address), { mark: 0, interface: undefined, address, port }));
  return {
    ours,
    theirs,
    bound,
    serve: (address, port, onConnection = () => undefined) => {
      const sockets = new Set<Socket>();
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        sockets.add(socket);
        // What a probe does to its server is its own affair.
        socket.on("error", () => undefined);
        socket.on("close", () => sockets.delete(socket));
        onConnection(socket);
      });
      servers.push({ server, sockets });
      return server.listen({ fd: bound(address, port) });
    },
    drop: (rule) => {
      if (!blocked) nft("add table inet block; add chain inet block in { type filter hook input priority 0; }");
      blocked = true;
      nft(`add rule inet block in ${rule}`);
    },
    clear: async () => {
      if (blocked) nft("delete table inet block");
      blocked = false;
      for (const { server, sockets } of servers.splice(0)) {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      }
    },
    remove: () => {
      ours.remove();
      theirs.remove();
    },
  };
}
