import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type IpAddress, parseIp } from "@baton/domain";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openConnectionCounter, type TranslatedConnections } from "./connection-count.ts";
import { runNft } from "./nft.ts";
import { makeNamespace, type Namespace } from "./testing/namespace.ts";

/** 81 leads to 8080, on 10.9.0.1 to 10.9.0.2. */
const rules = (family: "ip" | "ip6", from: string, to: string) => `
  table ${family} t {
    chain c { type nat hook output priority -100
      ${family} daddr ${from} tcp dport 81 dnat to ${to}:8080
      ${family} daddr ${from} udp dport 81 dnat to ${to}:8080
    }
  }
`;

const parts = {} as { namespace: Namespace; leave: () => void; server: Server; accepted: Socket[] };

beforeAll(async () => {
  const namespace = makeNamespace("ct");
  for (const each of ["10.9.0.1/32", "10.9.0.2/32", "fd09::1/128", "fd09::2/128"]) {
    namespace.ip("address", "add", each, "dev", "lo", ...(each.includes(":") ? ["nodad"] : []));
  }
  const leave = namespace.enter();
  runNft(rules("ip", "10.9.0.1", "10.9.0.2") + rules("ip6", "fd09::1", "[fd09::2]"), "translate");
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket.resume())).listen(8080);
  await once(server, "listening");
  Object.assign(parts, { namespace, leave, server, accepted });
});

afterAll(() => {
  for (const socket of parts.accepted) socket.destroy();
  parts.server.close();
  parts.leave();
  parts.namespace.remove();
});

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`${text} is not an address`);
  return address;
}
const to = (address: string, port = 8080) => ({ address: ip(address), port });
const tcp: TranslatedConnections = { protocol: "tcp", server: to("10.9.0.2"), asked: undefined };

const count = (connections: TranslatedConnections): number => {
  const counter = openConnectionCounter();
  try {
    return counter.count([connections])[0] ?? 0;
  } finally {
    counter.close();
  }
};

async function open(host: string, port: number): Promise<Socket> {
  const before = parts.accepted.length;
  const socket = connect({ host, port, allowHalfOpen: true });
  await once(socket, "connect");
  await vi.waitFor(() => expect(parts.accepted.length).toBeGreaterThan(before));
  return socket;
}

test("connections that a rule has led to a server are counted, by whom they asked for, and no others", async () => {
  expect(count(tcp)).toBe(0);
  const sockets = [await open("10.9.0.1", 81), await open("10.9.0.1", 81), await open("10.9.0.2", 8080)];
  expect(count(tcp)).toBe(2);
  const rows: readonly [Partial<TranslatedConnections>, number][] = [
    [{ server: to("10.9.0.2", 0) }, 2],
    [{ server: to("10.9.0.2", 80) }, 0],
    [{ server: to("10.9.0.3") }, 0],
    [{ asked: to("10.9.0.1", 81) }, 2],
    [{ asked: to("10.9.0.1", 0) }, 2],
    [{ asked: to("10.9.0.1", 82) }, 0],
    [{ asked: to("10.9.0.2", 81) }, 0],
    [{ protocol: "udp" }, 0],
    [{ server: to("fd09::2") }, 0],
  ];
  for (const [change, expected] of rows) expect(count({ ...tcp, ...change }), JSON.stringify(change)).toBe(expected);
  const counter = openConnectionCounter();
  const all = rows.map(([change]) => ({ ...tcp, ...change }));
  expect(counter.count(all), "all at once").toEqual(rows.map(([, expected]) => expected));
  counter.close();
  for (const socket of [...sockets, ...parts.accepted]) socket.destroy();
  await vi.waitFor(() => expect(count(tcp)).toBe(0));
});

test("one that only one side has ended still counts; when both have, it does not", async () => {
  const socket = await open("10.9.0.1", 81);
  const other = parts.accepted.at(-1);
  const ended = other && once(other, "end");
  socket.end();
  await ended;
  expect(count(tcp)).toBe(1);
  other?.end();
  await once(socket.resume(), "close");
  await vi.waitFor(() => expect(count(tcp)).toBe(0));
});

test("IPv6, and datagrams", async () => {
  const six: TranslatedConnections = { protocol: "tcp", server: to("fd09::2"), asked: to("fd09::1", 81) };
  expect(count(six)).toBe(0);
  const socket = await open("fd09::1", 81);
  expect(count(six)).toBe(1);
  socket.destroy();

  const flow: TranslatedConnections = { protocol: "udp", server: to("10.9.0.2"), asked: to("10.9.0.1", 81) };
  const udp = createSocket("udp4");
  udp.send("x", 81, "10.9.0.1");
  await vi.waitFor(() => expect(count(flow)).toBe(1));
  udp.close();
});
