import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type IpAddress, parseIp } from "@baton/domain";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { openConnectionCounter } from "./connection-count.ts";
import { removeUdpFlows, type UdpFlows, type UdpService } from "./flow-removal.ts";
import { runNft } from "./nft.ts";
import { makeNamespace, type Namespace, openDescriptors } from "./testing/namespace.ts";
import type { Endpoint } from "./tracked-connection.ts";

/** Whoever asks for 10.9.0.1, 10.9.0.9 or a 10.8.*.* is led to 10.9.0.2. */
const rules = `
  table ip t {
    chain c { type nat hook output priority -100
      ip daddr { 10.9.0.1, 10.9.0.9, 10.8.0.0/16 } udp dport 53 dnat to 10.9.0.2:5353
      ip daddr 10.9.0.1 udp dport 54 dnat to 10.9.0.2:5354
    }
  }
  table ip6 t {
    chain c { type nat hook output priority -100
      ip6 daddr fd09::1 udp dport 53 dnat to [fd09::2]:5353
    }
  }
`;

const parts = {} as { namespace: Namespace; leave: () => void };
const open: Socket[] = [];

beforeAll(() => {
  const namespace = makeNamespace("cfr");
  for (const each of ["10.9.0.1/32", "10.9.0.2/32", "10.9.0.9/32", "fd09::1/128", "fd09::2/128"]) {
    namespace.ip("address", "add", each, "dev", "lo", ...(each.includes(":") ? ["nodad"] : []));
  }
  namespace.ip("route", "add", "local", "10.8.0.0/16", "dev", "lo");
  Object.assign(parts, { namespace, leave: namespace.enter() });
  runNft(rules, "translate");
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
  remove(["10.9.0.2", "fd09::2"].map((each) => ({ asked: undefined, server: at(each, 0) })));
});
afterAll(() => {
  parts.leave();
  parts.namespace.remove();
});

const at = (address: string, port: number): Endpoint => ({ address: parseIp(address) as IpAddress, port });

const counted = (server: Endpoint, asked?: Endpoint): number => {
  const counter = openConnectionCounter();
  const [count = 0] = counter.count([{ protocol: "udp", server, asked }]);
  counter.close();
  return count;
};

async function send(host: string, port: number): Promise<void> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  open.push(socket.on("error", () => undefined));
  socket.send("x", port, host);
  await once(socket, "listening");
}

/** In so many steps. */
function remove(flows: readonly UdpFlows[], services: readonly UdpService[] = [], sweeps = false): number {
  let steps = 0;
  for (const _ of removeUdpFlows(flows, services, { sweeps })) steps += 1;
  return steps;
}

const server = at("10.9.0.2", 5353);
const asked = at("10.9.0.1", 53);

async function start(): Promise<void> {
  for (const [host, port] of [
    ["10.9.0.1", 53],
    ["10.9.0.9", 53],
    ["10.9.0.1", 54],
    ["fd09::1", 53],
  ] as const)
    await send(host, port);
  await vi.waitFor(() => expect(counts()).toEqual([1, 1, 1, 1]));
}
const counts = () => [
  counted(server, asked),
  counted(server, at("10.9.0.9", 53)),
  counted(at("10.9.0.2", 5354)),
  counted(at("fd09::2", 5353)),
];

test("those that a rule has led from this address to this server, and no others", async () => {
  await start();
  const rows: readonly [UdpFlows, readonly number[]][] = [
    [{ asked: at("10.9.0.1", 55), server }, [1, 1, 1, 1]],
    [{ asked, server: at("10.9.0.3", 5353) }, [1, 1, 1, 1]],
    [{ asked, server: at("10.9.0.2", 5354) }, [1, 1, 1, 1]],
    // They are led.
    [{ asked, server: undefined }, [1, 1, 1, 1]],
    [{ asked, server }, [0, 1, 1, 1]],
    [{ asked: at("fd09::1", 0), server: at("fd09::2", 0) }, [0, 1, 1, 0]],
    [{ asked: undefined, server: at("10.9.0.2", 0) }, [0, 0, 0, 0]],
  ];
  for (const [flows, expected] of rows) {
    remove([flows]);
    expect(counts(), JSON.stringify(flows)).toEqual(expected);
  }
});

const serviceAt = (address: string, port: number, ...servers: Endpoint[]): UdpService => ({
  asked: at(address, port),
  servers,
});

test("by a mark anything that was asked for, but at no service by address", async () => {
  await start();
  const mark = { asked: undefined, server: at("10.9.0.2", 0) };
  remove([mark], [serviceAt("10.9.0.9", 53), serviceAt("10.9.0.1", 0)]);
  expect(counts()).toEqual([1, 1, 1, 1]);
  remove([{ ...mark, server }], [serviceAt("10.9.0.9", 53)]);
  expect(counts()).toEqual([0, 1, 1, 1]);
});

test("a server that has left one service keeps what another leads to it", async () => {
  await start();
  const left = [{ asked: at("10.9.0.1", 0), server: at("10.9.0.2", 0) }];
  const any = serviceAt("10.9.0.1", 0, at("10.9.0.3", 0));
  remove(left, [any, serviceAt("10.9.0.1", 53, server), serviceAt("10.9.0.1", 54, at("10.9.0.2", 0))]);
  expect(counts()).toEqual([1, 1, 1, 1]);
  // It began when there was only the one of any port.
  remove(left, [any, serviceAt("10.9.0.1", 53, at("10.9.0.3", 5353)), serviceAt("10.9.0.1", 54, at("10.9.0.2", 5354))]);
  expect(counts()).toEqual([0, 1, 1, 1]);
});

test("a sweep takes out what was asked for at a service and goes another way than it leads, also nowhere", async () => {
  await start();
  const six = serviceAt("fd09::1", 53, at("fd09::2", 0));
  remove([], [serviceAt("10.9.0.1", 0, at("10.9.0.2", 0)), six, serviceAt("10.9.0.9", 53, server)], true);
  expect(counts()).toEqual([1, 1, 1, 1]);
  remove([], [serviceAt("10.9.0.1", 53, at("10.9.0.3", 5353)), six], true);
  expect(counts()).toEqual([0, 1, 1, 1]);
  remove([], [serviceAt("10.9.0.1", 0), serviceAt("fd09::1", 53)], true);
  expect(counts()).toEqual([0, 1, 0, 0]);
});

test("a flow that began before there was a rule is never led by it, until it is taken out", async () => {
  const socket = createSocket("udp4").on("error", () => undefined);
  open.push(socket);
  const [late, other] = [at("10.9.0.1", 60), at("10.9.0.2", 5360)];
  const sendLate = (): Promise<unknown> => new Promise((resolve) => socket.send("x", late.port, late.address, resolve));
  await sendLate();
  runNft("add rule ip t c ip daddr 10.9.0.1 udp dport 60 dnat to 10.9.0.2:5360\n", "translate");
  await sendLate();
  expect(counted(other)).toBe(0);
  remove([{ asked: at("10.9.0.1", 61), server: undefined }]);
  remove([{ asked: late, server: other }]);
  await sendLate();
  expect(counted(other)).toBe(0);
  remove([{ asked: late, server: undefined }]);
  await sendLate();
  expect(counted(other)).toBe(1);
});

test("thousands go in many steps; who gives up leaves no descriptor", async () => {
  const socket = createSocket("udp4").on("error", () => undefined);
  open.push(socket);
  const sent = Array.from({ length: 3_000 }, (_, flow) => {
    return new Promise((resolve) => socket.send("x", 53, `10.8.${flow >> 8}.${flow & 255}`, resolve));
  });
  await Promise.all(sent);
  const before = openDescriptors();
  const all = [{ asked: undefined, server }];
  const first = removeUdpFlows(all, []);
  first.next();
  expect(openDescriptors().length).toBe(before.length + 1);
  first.return();
  expect(openDescriptors()).toEqual(before);
  expect(counted(server)).toBeGreaterThanOrEqual(3_000);
  expect(remove(all)).toBeGreaterThan(30);
  expect(counted(server)).toBe(0);
  expect(openDescriptors()).toEqual(before);
});
