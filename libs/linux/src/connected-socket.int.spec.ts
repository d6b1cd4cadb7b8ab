import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { type IpAddress, parseIp } from "@baton/domain";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type ConnectedSocketOptions, openConnectedSocket, openTcpDescriptor } from "./connected-socket.ts";
import { LinuxError } from "./error.ts";
import { makeNamespace, type Namespace, openDescriptors } from "./testing/mod.ts";
import { openUdpSocket } from "./udp-socket.ts";

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};
const origin = { mark: 0, interface: undefined, address: undefined, port: undefined };
const opened: { close(): void }[] = [];
let namespace: Namespace;
beforeAll(() => {
  namespace = makeNamespace("conn");
});
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});
afterAll(() => namespace.remove());

/** A socket, and what it tells in order. */
function datagrams(over: Partial<ConnectedSocketOptions> & Pick<ConnectedSocketOptions, "peer" | "protocol">) {
  const told: string[] = [];
  const options: ConnectedSocketOptions = {
    port: 53,
    origin,
    bufferBytes: 64,
    onDatagram: (bytes) => told.push(Buffer.from(bytes).toString("hex")),
    onError: (error) => told.push(error.code),
    ...over,
  };
  const socket = namespace.inside(() => openConnectedSocket(options));
  opened.push(socket);
  return { socket, told };
}
const told = (list: readonly string[], expected: unknown) =>
  vi.waitFor(() => expect(list).toEqual(expected), { timeout: 5_000, interval: 5 });

describe.each([
  [4, ip("127.0.0.1")],
  [6, ip("::1")],
] as const)("IPv%i", (family, address) => {
  test("a descriptor for TCP is bound, and Node's from then on", async () => {
    const server = createServer((socket) => socket.end("hello"));
    server.listen({ fd: namespace.inside(() => openTcpDescriptor(family, { ...origin, address, port: 8080 })) });
    await once(server, "listening");
    const fd = namespace.inside(() => openTcpDescriptor(family, { ...origin, address, port: 12_345 }));
    const client = new Socket({ fd, manualStart: true } as ConstructorParameters<typeof Socket>[0]);
    client.connect({ host: address, port: 8080 });
    const [chunk] = await once(client, "data");
    expect([String(chunk), client.localPort]).toEqual(["hello", 12_345]);
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  test("UDP: the peer's answers, and what ICMP says", async () => {
    const server = namespace.inside(() =>
      openUdpSocket({
        family,
        ports: { from: 53, to: 53 },
        bufferBytes: 64,
        onDatagrams: (them) => {
          for (const { bytes } of them)
            server.send(
              bytes.map((octet) => octet + 1),
              address,
              40_000,
            );
        },
      }),
    );
    opened.push(server);
    const answered = datagrams({ protocol: "udp", peer: address, origin: { ...origin, port: 40_000 } });
    answered.socket.send(Uint8Array.of(1, 2));
    await told(answered.told, ["0203"]);
    const refused = datagrams({ protocol: "udp", peer: address, port: 54 });
    refused.socket.send(Uint8Array.of(1));
    await told(refused.told, ["ECONNREFUSED"]);
  });

  test("ICMP: echo replies alone, not the requests that pass on the same machine", async () => {
    const { socket, told: heard } = datagrams({ protocol: "icmp", peer: address, bufferBytes: 200 });
    // Type, code, checksum (of IPv6 the kernel's), identifier, sequence.
    socket.send(family === 4 ? Uint8Array.of(8, 0, 0xf7, 0xfd, 0, 1, 0, 1) : Uint8Array.of(128, 0, 0, 0, 0, 1, 0, 1));
    await told(heard, [expect.stringMatching(family === 4 ? /0000fffd00010001$/ : /^8100.{4}00010001$/)]);
  });
});

test("what cannot be set is said before anything is sent", () => {
  const call = (over: Partial<typeof origin> & object): string => {
    try {
      datagrams({ protocol: "udp", peer: ip("127.0.0.1"), origin: { ...origin, ...over } });
      return "opened";
    } catch (error) {
      return error instanceof LinuxError ? `${error.code} ${error.call}` : String(error);
    }
  };
  const before = openDescriptors().length;
  expect(call({ interface: "eth7" } as object)).toBe("ENODEV bind to eth7");
  expect(call({ address: ip("203.0.113.1") } as object)).toBe("EADDRNOTAVAIL bind to 203.0.113.1 port 0");
  expect(openDescriptors().length).toBe(before);
});

test("close gives the descriptor back, twice is once, and nothing is told any more", async () => {
  const before = openDescriptors().length;
  const { socket, told: heard } = datagrams({ protocol: "udp", peer: ip("127.0.0.1"), port: 54 });
  socket.send(Uint8Array.of(1));
  for (const each of [...opened, ...opened.splice(0)]) each.close();
  expect(openDescriptors().length).toBe(before);
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  expect(heard).toEqual([]);
  expect(() => socket.send(Uint8Array.of(1))).toThrow(/EBADF/);
});
