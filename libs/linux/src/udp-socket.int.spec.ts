import { type IpAddress, parseIp } from "@baton/domain";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { makeNamespace, type Namespace } from "./testing/mod.ts";
import { openUdpSocket, type UdpDatagram, type UdpSocket, type UdpSocketOptions } from "./udp-socket.ts";

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};

let namespace: Namespace;
const opened: UdpSocket[] = [];
beforeAll(() => {
  namespace = makeNamespace("udp");
});
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});
afterAll(() => namespace.remove());

function open(over: Partial<UdpSocketOptions> & Pick<UdpSocketOptions, "ports">) {
  const got: UdpDatagram[] = [];
  const options = {
    family: 4,
    bufferBytes: 64,
    onDatagrams: (them: readonly UdpDatagram[]) => got.push(...them),
    ...over,
  };
  const socket = namespace.inside(() => openUdpSocket(options as UdpSocketOptions));
  opened.push(socket);
  return { socket, got };
}
const port = (number: number) => ({ from: number, to: number });

describe.each([
  [4, "127.0.0.1"],
  [6, "::1"],
] as const)("IPv%i", (family, address) => {
  test("who sent it, where to, with which TTL, and when", async () => {
    const { got } = open({ family, ports: port(3784) });
    const { socket } = open({ family, ports: { from: 49_152, to: 65_535, first: 50_000 }, ttl: 255 });
    socket.send(Uint8Array.of(1, 2, 3), ip(address), 3784);
    await vi.waitFor(() => expect(got).toHaveLength(1), { timeout: 5_000, interval: 5 });
    expect(got[0]).toMatchObject({ source: address, destination: address, ttl: 255, truncated: false });
    expect([...(got[0]?.bytes ?? [])]).toEqual([1, 2, 3]);
  });

  test("the next free port is taken, and none is an error", () => {
    open({ family, ports: { from: 50_001, to: 50_002, first: 50_002 } });
    open({ family, ports: { from: 50_001, to: 50_002, first: 50_002 } });
    expect(() => open({ family, ports: { from: 50_001, to: 50_002 } })).toThrow(/EADDRINUSE/);
  });
});

test("nobody there: the answer of the kernel is no datagram, and the socket goes on", async () => {
  const { socket } = open({ ports: { from: 50_010, to: 50_010 } });
  socket.send(Uint8Array.of(1), ip("127.0.0.1"), 9);
  const { got } = open({ ports: port(9) });
  await vi.waitFor(
    () => {
      socket.send(Uint8Array.of(1), ip("127.0.0.1"), 9);
      expect(got.length).toBeGreaterThan(0);
    },
    { timeout: 5_000, interval: 5 },
  );
});

test("too long is cut and said so; an address that is not here is refused; closed is closed", async () => {
  const { got } = open({ ports: port(3784) });
  const { socket } = open({ ports: { from: 50_020, to: 50_020 } });
  socket.send(new Uint8Array(65), ip("127.0.0.1"), 3784);
  await vi.waitFor(() => expect(got[0]?.truncated).toBe(true), { timeout: 5_000, interval: 5 });
  expect(() => open({ ports: port(50_030), address: ip("203.0.113.1") })).toThrow(/EADDRNOTAVAIL/);
  socket.close();
  socket.close();
  expect(() => socket.send(Uint8Array.of(1), ip("127.0.0.1"), 9)).toThrow(/EBADF/);
  expect(socket.drain()).toEqual([]);
});
