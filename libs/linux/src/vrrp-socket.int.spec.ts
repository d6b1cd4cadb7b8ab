import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseIp } from "@baton/domain";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { VrrpDatagram, VrrpSocket } from "./api.ts";
import { bootNow } from "./clock.ts";
import { VrrpSocketError } from "./error.ts";
import { makeNamespacePair, type Namespace, openDescriptors } from "./testing/namespace.ts";
import { openVrrpSocket } from "./vrrp-socket.ts";

const group = ip("224.0.0.18");
let namespaces: readonly [Namespace, Namespace];
const opened: { close(): void }[] = [];

beforeAll(() => {
  namespaces = makeNamespacePair("vs");
});
afterEach(() => {
  for (const resource of opened.splice(0)) resource.close();
});
afterAll(() => {
  for (const namespace of namespaces) namespace.remove();
});

function ip(text: string) {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

/** An IPv4 packet of protocol 112 as the codec writes it; the kernel fills in the checksum. */
function packet(source: string, destination: string, payload: Uint8Array, id = 7): Uint8Array {
  const bytes = new Uint8Array(20 + payload.length);
  bytes.set([0x45, 0xc0, 0, bytes.length, id >> 8, id & 255, 0, 0, 255, 112, 0, 0]);
  bytes.set(source.split(".").map(Number), 12);
  bytes.set(destination.split(".").map(Number), 16);
  bytes.set(payload, 20);
  return bytes;
}
const advert = (id: number) => packet("10.99.0.1", "224.0.0.18", new Uint8Array([0x21, 51, 100, 1, 0, 1, 0, id]), id);

const ifindexOf = (namespace: Namespace, name = "eth0") =>
  Number(namespace.ip("-o", "link", "show", name).split(":")[0]);

interface Heard {
  readonly socket: VrrpSocket;
  readonly datagrams: VrrpDatagram[];
  readonly errors: Error[];
}
function open(namespace: Namespace, ifindex = ifindexOf(namespace)): Heard {
  const [datagrams, errors]: [VrrpDatagram[], Error[]] = [[], []];
  const socket = namespace.inside(() =>
    openVrrpSocket({
      interface: "eth0",
      ifindex,
      family: 4,
      onDatagrams: (received) => datagrams.push(...received),
      onError: (error) => errors.push(error),
    }),
  );
  opened.push(socket);
  return { socket, datagrams, errors };
}

test("an advert arrives whole: TTL 255, TOS 0xc0, the sender's identification, and a valid header checksum", async () => {
  const [a, b] = [open(namespaces[0]), open(namespaces[1])];
  const before = bootNow();
  a.socket.send(advert(0x1234), group);
  await vi.waitFor(() => expect(b.datagrams.length).toBe(1));
  const [heard] = b.datagrams;
  expect(heard?.source).toBe("10.99.0.1");
  expect(heard?.ttl).toBe(255);
  expect(heard?.receivedAt).toBeGreaterThanOrEqual(before);
  expect(heard?.receivedAt).toBeLessThanOrEqual(bootNow());
  const bytes = Buffer.from(heard?.bytes ?? []);
  expect(bytes.length).toBe(28);
  expect(bytes[1]).toBe(0xc0);
  expect(bytes.readUInt16BE(4)).toBe(0x1234);
  expect(bytes.readUInt16BE(6)).toBe(0); // no DF
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += bytes.readUInt16BE(i);
  expect((sum & 0xffff) + (sum >> 16)).toBe(0xffff);
  // Our own are not heard (IP_MULTICAST_LOOP 0).
  expect(a.datagrams).toEqual([]);
});

test("every datagram of a burst is a copy of its own, in order; unicast ones come too", async () => {
  const [a, b] = [open(namespaces[0]), open(namespaces[1])];
  for (let i = 1; i <= 100; i++) a.socket.send(advert(i), group);
  a.socket.send(packet("10.99.0.1", "10.99.0.2", new Uint8Array(8), 101), ip("10.99.0.2"));
  await vi.waitFor(() => expect(b.datagrams.length).toBe(101));
  const ids = b.datagrams.map(({ bytes }) => ((bytes[4] ?? 0) << 8) | (bytes[5] ?? 0));
  expect(ids).toEqual(Array.from({ length: 101 }, (_, i) => i + 1));
  expect(new Set(b.datagrams.map(({ bytes }) => bytes.buffer)).size).toBe(101);
});

test("drain reads without a loop turn, with the time of reception; what it took is not told again", async () => {
  const [a, b] = [open(namespaces[0]), open(namespaces[1])];
  const start = bootNow();
  a.socket.send(advert(1), group);
  while (bootNow() - start < 50_000); // a process that is not scheduled
  a.socket.send(advert(2), group);
  const drained = b.socket.drain();
  expect(drained.length).toBe(2);
  const [first, second] = drained.map(({ receivedAt }) => receivedAt - start);
  expect(first).toBeLessThan(20_000);
  expect(second).toBeGreaterThanOrEqual(49_000);
  expect(b.socket.drain()).toEqual([]);
  a.socket.send(advert(3), group);
  await vi.waitFor(() => expect(b.datagrams.length).toBe(1));
  expect(b.datagrams[0]?.bytes[5]).toBe(3);
});

test("only this interface is heard, and 255 adverts wait while the process is busy", () => {
  const [left, right] = namespaces;
  left.ip("link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", right.name);
  for (const side of namespaces) side.ip("link", "set", "eth1", "up");
  left.ip("address", "add", "10.98.0.1/24", "dev", "eth1");
  right.ip("address", "add", "10.98.0.2/24", "dev", "eth1");
  const other = open(left, ifindexOf(left, "eth1"));
  const [a, b] = [open(left), open(right)];
  for (let i = 1; i <= 255; i++) {
    other.socket.send(packet("10.98.0.1", "224.0.0.18", new Uint8Array(8), i), group);
    a.socket.send(advert(i), group);
  }
  const drained = b.socket.drain();
  expect(drained.length).toBe(255);
  expect(new Set(drained.map(({ source }) => source))).toEqual(new Set(["10.99.0.1"]));
  left.ip("link", "del", "eth1");
});

test("a flood does not keep the loop: other work has its turn between 64 datagrams", async () => {
  const a = open(namespaces[0]);
  const turns: number[] = [];
  const socket = namespaces[1].inside(() =>
    openVrrpSocket({ ...options("eth0", ifindexOf(namespaces[1])), onDatagrams: (read) => turns.push(read.length) }),
  );
  opened.push(socket);
  for (let i = 1; i <= 1_000; i++) a.socket.send(advert(i), group);
  let between = 0;
  const count = () => {
    between++;
    if (turns.length < 16) setImmediate(count);
  };
  setImmediate(count);
  await vi.waitFor(() => expect(turns.reduce((sum, length) => sum + length, 0)).toBe(1_000));
  expect(Math.max(...turns)).toBe(64);
  expect(between).toBeGreaterThanOrEqual(15);
});

test("it goes on when nobody keeps it, and opens on a link that is down", async () => {
  const [left, right] = namespaces;
  right.ip("link", "set", "eth0", "down");
  const heard: VrrpDatagram[] = [];
  const ifindex = ifindexOf(right);
  (() => {
    // Only its own callbacks hold it from here on.
    const socket = right.inside(() =>
      openVrrpSocket({ ...options("eth0", ifindex), onDatagrams: (read) => heard.push(...read) }),
    );
    void socket;
  })();
  right.ip("link", "set", "eth0", "up");
  right.ip("address", "replace", "10.99.0.2/24", "dev", "eth0");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise(setImmediate);
  }
  const a = open(left);
  await vi.waitFor(() => {
    a.socket.send(advert(1), group);
    expect(heard.length).toBeGreaterThan(0);
  });
});

test("errors of send have codes: no source, link down, interface gone, closed", () => {
  const { socket } = open(namespaces[0]);
  const codeOf = (action: () => void): string => {
    try {
      action();
    } catch (error) {
      if (error instanceof VrrpSocketError) return error.code;
      throw error;
    }
    return "none";
  };
  expect(codeOf(() => socket.send(packet("0.0.0.0", "224.0.0.18", new Uint8Array(8)), group))).toBe("EINVAL");
  namespaces[0].ip("link", "set", "eth0", "down");
  expect(codeOf(() => socket.send(advert(1), group))).toBe("ENETUNREACH");
  namespaces[0].ip("link", "set", "eth0", "up");
  expect(codeOf(() => socket.send(advert(1), group))).toBe("none");
  const descriptors = openDescriptors();
  socket.close();
  expect(codeOf(() => socket.send(advert(1), group))).toBe("EBADF");
  expect(openDescriptors().length).toBe(descriptors.length - 1); // nothing was opened behind our back
  expect(codeOf(() => open(namespaces[0], 4711))).toBe("ENODEV");
  expect(openDescriptors().length).toBe(descriptors.length - 1);
});

test("it goes on over a link that goes down and up, and after a rename", async () => {
  const [a, b] = [open(namespaces[0]), open(namespaces[1])];
  const right = namespaces[1];
  right.ip("link", "set", "eth0", "down");
  right.ip("link", "set", "eth0", "name", "wan0");
  right.ip("link", "set", "wan0", "up");
  await vi.waitFor(() => {
    a.socket.send(advert(9), group);
    expect(b.datagrams.length).toBeGreaterThan(0);
  });
  right.ip("link", "set", "wan0", "down");
  right.ip("link", "set", "wan0", "name", "eth0");
  right.ip("link", "set", "eth0", "up");
  right.ip("address", "replace", "10.99.0.2/24", "dev", "eth0");
  expect(b.errors).toEqual([]);
});

test("sockets leave no descriptor behind, and are not inherited by children", () => {
  const before = openDescriptors();
  const sockets = Array.from({ length: 30 }, () => open(namespaces[0]).socket);
  const descriptors = openDescriptors().filter((entry) => !before.includes(entry));
  expect(descriptors.length).toBe(30);
  for (const entry of descriptors) {
    const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${entry.split(" ")[0]}`, "utf8"))?.[1];
    expect(Number.parseInt(flags ?? "0", 8) & 0o2000000).toBe(0o2000000); // O_CLOEXEC
  }
  for (const socket of sockets) socket.close();
  for (const socket of sockets) socket.close();
  expect(openDescriptors()).toEqual(before);
});

test("without the capability the error says EPERM", () => {
  const uid = process.geteuid?.() ?? 0;
  process.seteuid?.(65534);
  try {
    expect(() => openVrrpSocket(options("lo", 1))).toThrow(expect.objectContaining({ code: "EPERM" }));
  } finally {
    process.seteuid?.(uid);
  }
});

const options = (name: string, ifindex: number) => ({
  interface: name,
  ifindex,
  family: 4 as const,
  onDatagrams: () => undefined,
  onError: () => undefined,
});
