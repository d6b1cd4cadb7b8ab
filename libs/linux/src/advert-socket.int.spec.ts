// Adverts between two namespaces over every kind of socket, with what the kernel says beside them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type IpAddress, parseIp } from "@baton/domain";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { openAdvertSocket } from "./advert-socket.ts";
import type { AdvertDatagram, AdvertPacket, AdvertSocket, AdvertSocketOptions } from "./api.ts";
import { bootNow } from "./clock.ts";
import { VrrpSocketError } from "./error.ts";
import { limits } from "./limits.ts";
import { makeNamespacePair, type Namespace, openDescriptors } from "./testing/namespace.ts";

let namespaces: readonly [Namespace, Namespace];
const opened: { close(): void }[] = [];

beforeAll(() => {
  namespaces = makeNamespacePair("as");
  for (const [index, side] of namespaces.entries()) {
    // Without duplicate detection, so that the addresses are there at once.
    side.ip("address", "add", `fe80::${index + 1}/64`, "dev", "eth0", "nodad");
    side.ip("address", "add", `2001:db8::${index + 1}/64`, "dev", "eth0", "nodad");
  }
});
afterEach(() => {
  for (const resource of opened.splice(0)) resource.close();
});
afterAll(() => {
  for (const namespace of namespaces) namespace.remove();
});

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const ifindexOf = (namespace: Namespace) => Number(namespace.ip("-o", "link", "show", "eth0").split(":")[0]);

interface Heard {
  readonly socket: AdvertSocket;
  readonly datagrams: AdvertDatagram[];
  readonly errors: Error[];
}

function open(namespace: Namespace, address: string, change: Partial<AdvertSocketOptions> = {}): Heard {
  const [datagrams, errors]: [AdvertDatagram[], Error[]] = [[], []];
  const socket = namespace.inside(() =>
    openAdvertSocket({
      interface: "eth0",
      ifindex: ifindexOf(namespace),
      family: address.includes(":") ? 6 : 4,
      protocol: 112,
      address: ip(address),
      onDatagrams: (received) => datagrams.push(...received),
      onError: (error) => errors.push(error),
      ...change,
    }),
  );
  opened.push(socket);
  return { socket, datagrams, errors };
}

function over4(source: string, destination: string, mark: number, ttl = 255, protocol = 112): AdvertPacket {
  const bytes = new Uint8Array(28);
  bytes.set([0x45, 0xc0, 0, bytes.length, 0, mark, 0, 0, ttl, protocol, 0, 0]);
  bytes.set(source.split(".").map(Number), 12);
  bytes.set(destination.split(".").map(Number), 16);
  bytes.set([0x31, 51, 100, 0, 0, 100, 0, mark], 20);
  return { bytes, source: ip(source), destination: ip(destination), hopLimit: undefined };
}

/** Its checksum is wrong: nobody but the codec is to mind. */
const over6 = (source: string, destination: string, mark: number, hopLimit?: number): AdvertPacket => ({
  bytes: Uint8Array.of(0x31, 51, 100, 0, 0, 100, 0xab, mark),
  source: ip(source),
  destination: ip(destination),
  hopLimit,
});

const marks = (datagrams: readonly AdvertDatagram[]): unknown[] => datagrams.map(({ bytes }) => bytes.at(-1));

/** Sends one more that arrives, so that what was to arrive before it has. */
async function settled(send: () => void, heard: Heard, mark: number): Promise<void> {
  send();
  await vi.waitFor(() => expect(marks(heard.datagrams)).toContain(mark));
}

test("IPv6 multicast: the sender that is meant, the group, the hop limit, and a checksum that nobody has judged", async () => {
  const [left, right] = namespaces;
  const [a, b] = [open(left, "ff02::12"), open(right, "ff02::12")];
  const before = bootNow();
  // The interface has a second link-local address of its own: without being told, the kernel chooses.
  a.socket.send(over6("fe80::1", "ff02::12", 1, 255));
  await vi.waitFor(() => expect(b.datagrams.length).toBe(1));
  const [heard] = b.datagrams;
  expect(heard).toMatchObject({
    family: 6,
    source: "fe80::1",
    destination: "ff02::12",
    hopLimit: 255,
    truncated: false,
  });
  expect([...(heard?.bytes ?? [])]).toEqual([0x31, 51, 100, 0, 0, 100, 0xab, 1]);
  expect(heard?.receivedAt).toBeGreaterThanOrEqual(before);
  expect(heard?.receivedAt).toBeLessThanOrEqual(bootNow());
  expect(a.datagrams).toEqual([]); // our own are not heard
});

test("IPv6 multicast without a hop limit leaves with 255, and any other as it is told", async () => {
  const [left, right] = namespaces;
  const [a, b] = [open(left, "ff02::12"), open(right, "ff02::12")];
  a.socket.send(over6("2001:db8::1", "ff02::12", 1));
  a.socket.send(over6("fe80::1", "ff02::12", 2, 64));
  await vi.waitFor(() => expect(b.datagrams.length).toBe(2));
  const heard = b.datagrams.map((each) => each.family === 6 && [each.source, each.hopLimit]);
  expect(heard).toEqual([
    ["2001:db8::1", 255],
    ["fe80::1", 64],
  ]);
});

test("an IPv6 advert is of the class of network control, and has hop limit 255", async () => {
  const [left, right] = namespaces;
  const a = open(left, "ff02::12");
  const words = ["netns", "exec", right.name, "tcpdump", "-lnx", "-c1", "-i", "eth0", "ip6 proto 112"];
  const sniffer = spawn("ip", words, { stdio: ["ignore", "pipe", "pipe"] });
  let [seen, ready] = ["", false];
  sniffer.stdout.on("data", (text) => {
    seen += text;
  });
  sniffer.stderr.on("data", (text) => {
    ready ||= String(text).includes("listening");
  });
  await vi.waitFor(() => expect(ready).toBe(true), 10_000);
  a.socket.send(over6("fe80::1", "ff02::12", 1));
  await once(sniffer, "close");
  // Version 6, class 0xc0, any flow label; 8 octets of protocol 112, hop limit 255.
  expect(seen).toMatch(/0x0000: {2}6c0[0-9a-f] [0-9a-f]{4} 0008 70ff/);
});

test("a group is heard by who joined it, a unicast packet by who is bound to its address", async () => {
  const [left, right] = namespaces;
  const sender = open(left, "ff02::12");
  const [group, other, alone] = [open(right, "ff02::12"), open(right, "ff02::77"), open(right, "2001:db8::2")];
  const talk = open(left, "2001:db8::1");
  sender.socket.send(over6("fe80::1", "ff02::77", 2));
  talk.socket.send(over6("2001:db8::1", "2001:db8::2", 3, 77));
  await settled(() => sender.socket.send(over6("fe80::1", "ff02::12", 1)), group, 1);
  await vi.waitFor(() => expect([other, alone].map(({ datagrams }) => datagrams.length)).toEqual([1, 1]));
  expect([group, other, alone].map(({ datagrams }) => marks(datagrams))).toEqual([[1], [2], [3]]);
  expect(alone.datagrams[0]).toMatchObject({ source: "2001:db8::1", destination: "2001:db8::2", hopLimit: 77 });
});

test("link-local unicast, with the zone of the interface; the kernel's hop limit where none is given", async () => {
  const [left, right] = namespaces;
  const [a, b] = [open(left, "fe80::1"), open(right, "fe80::2")];
  a.socket.send(over6("fe80::1", "fe80::2", 1));
  await vi.waitFor(() => expect(b.datagrams.length).toBe(1));
  expect(b.datagrams[0]).toMatchObject({ source: "fe80::1", destination: "fe80::2", hopLimit: 64 });
});

test("unicast without an interface goes where routing says", async () => {
  const [left, right] = namespaces;
  const anywhere = { ifindex: undefined };
  const [a, b] = [open(left, "10.99.0.1", anywhere), open(right, "10.99.0.2", anywhere)];
  a.socket.send(over4("10.99.0.1", "10.99.0.2", 1));
  const [c, d] = [open(left, "2001:db8::1", anywhere), open(right, "2001:db8::2", anywhere)];
  c.socket.send(over6("2001:db8::1", "2001:db8::2", 2));
  await vi.waitFor(() => expect([marks(b.datagrams), marks(d.datagrams)]).toEqual([[1], [2]]));
});

test("IPv4: groups apart, unicast apart, protocol 51 apart", async () => {
  const [left, right] = namespaces;
  const sender = open(left, "224.0.0.18");
  const talk = open(left, "10.99.0.1");
  const protected51 = open(left, "224.0.0.18", { protocol: 51 });
  const heard = [
    open(right, "224.0.0.18"),
    open(right, "224.0.0.77"),
    open(right, "239.1.2.3"),
    open(right, "10.99.0.2"),
    open(right, "224.0.0.18", { protocol: 51 }),
  ];
  sender.socket.send(over4("10.99.0.1", "224.0.0.18", 1));
  sender.socket.send(over4("10.99.0.1", "224.0.0.77", 2));
  sender.socket.send(over4("10.99.0.1", "239.1.2.3", 3));
  talk.socket.send(over4("10.99.0.1", "10.99.0.2", 4, 64));
  protected51.socket.send(over4("10.99.0.1", "224.0.0.18", 5, 255, 51));
  await vi.waitFor(() => expect(heard.map(({ datagrams }) => marks(datagrams))).toEqual([[1], [2], [3], [4], [5]]));
  const [first] = heard;
  expect(first?.datagrams[0]).toMatchObject({ family: 4, truncated: false });
  expect([...(heard[3]?.datagrams[0]?.bytes.subarray(8, 10) ?? [])]).toEqual([64, 112]);
});

test("an address that is not there yet is bound to, and heard once it is", async () => {
  const [left, right] = namespaces;
  const sent = [over4("10.99.0.1", "10.99.0.50", 1), over6("2001:db8::1", "2001:db8::50", 1, 255)] as const;
  const senders = [open(left, "10.99.0.1"), open(left, "2001:db8::1")];
  const heard = [open(right, "10.99.0.50"), open(right, "2001:db8::50")];
  right.ip("address", "add", "10.99.0.50/24", "dev", "eth0");
  right.ip("address", "add", "2001:db8::50/64", "dev", "eth0", "nodad");
  await vi.waitFor(() => {
    for (const [index, { socket }] of senders.entries()) socket.send(sent[index] ?? sent[0]);
    expect(heard.every(({ datagrams }) => datagrams.length > 0)).toBe(true);
  });
  right.ip("address", "del", "10.99.0.50/24", "dev", "eth0");
  right.ip("address", "del", "2001:db8::50/64", "dev", "eth0");
});

test("drain reads without a loop turn; what it took is not told again", async () => {
  const [left, right] = namespaces;
  const [a, b] = [open(left, "ff02::12"), open(right, "ff02::12")];
  const start = bootNow();
  a.socket.send(over6("fe80::1", "ff02::12", 1));
  while (bootNow() - start < 50_000); // a process that is not scheduled
  a.socket.send(over6("fe80::1", "ff02::12", 2));
  const drained = b.socket.drain();
  expect(marks(drained)).toEqual([1, 2]);
  const [first = 0, second = 0] = drained.map(({ receivedAt }) => receivedAt - start);
  expect(second - first).toBeGreaterThanOrEqual(40_000);
  await settled(() => a.socket.send(over6("fe80::1", "ff02::12", 3)), b, 3);
  expect(marks(b.datagrams)).toEqual([3]);
});

test("a flood is read in slices, each datagram a copy of its own", async () => {
  const [left, right] = namespaces;
  const a = open(left, "ff02::12");
  const turns: number[] = [];
  const b = open(right, "ff02::12", { onDatagrams: (read) => turns.push(read.length) });
  for (let i = 0; i < 600; i++) a.socket.send(over6("fe80::1", "ff02::12", i & 0xff));
  await vi.waitFor(() => expect(turns.reduce((sum, length) => sum + length, 0)).toBe(600));
  expect(Math.max(...turns)).toBe(64);
  expect(b.errors).toEqual([]);
});

test("the longest advert there is arrives whole, and a longer datagram says that it was cut", async () => {
  const [left, right] = namespaces;
  for (const side of namespaces) side.ip("link", "set", "eth0", "mtu", "9000");
  const [a, b] = [open(left, "2001:db8::1"), open(right, "2001:db8::2")];
  const [c, d] = [open(left, "10.99.0.1"), open(right, "10.99.0.2")];
  const long = (packet: AdvertPacket, length: number): AdvertPacket => {
    const bytes = new Uint8Array(length);
    bytes.set(packet.bytes);
    return { ...packet, bytes };
  };
  const longest = 8 + 255 * 16 + 28;
  a.socket.send(long(over6("2001:db8::1", "2001:db8::2", 0), longest));
  c.socket.send(long(over4("10.99.0.1", "10.99.0.2", 0), 5_000));
  await vi.waitFor(() => expect([b.datagrams.length, d.datagrams.length]).toEqual([1, 1]));
  const told = [...b.datagrams, ...d.datagrams].map(({ bytes, truncated }) => [bytes.length, truncated]);
  expect(told).toEqual([
    [longest, false],
    [limits.datagramBytes, true],
  ]);
  expect(() => a.socket.send(long(over6("2001:db8::1", "2001:db8::2", 0), 5_000))).toThrow("no advert is as long");
  for (const side of namespaces) side.ip("link", "set", "eth0", "mtu", "1500");
});

test("errors of send have codes", () => {
  const [left] = namespaces;
  const [four, six] = [open(left, "224.0.0.18"), open(left, "ff02::12")];
  const codeOf = (action: () => void): string => {
    try {
      action();
    } catch (error) {
      if (error instanceof VrrpSocketError) return error.code;
      throw error;
    }
    return "none";
  };
  expect(codeOf(() => four.socket.send(over4("0.0.0.0", "224.0.0.18", 1)))).toBe("EINVAL");
  expect(codeOf(() => six.socket.send(over6("::", "ff02::12", 1)))).toBe("EINVAL");
  left.ip("link", "set", "eth0", "down");
  const down = [
    codeOf(() => four.socket.send(over4("10.99.0.1", "224.0.0.18", 1))),
    codeOf(() => six.socket.send(over6("fe80::1", "ff02::12", 1))),
  ];
  left.ip("link", "set", "eth0", "up");
  for (const address of ["fe80::1/64", "2001:db8::1/64"])
    left.ip("address", "replace", address, "dev", "eth0", "nodad");
  expect(down).toEqual(["ENETUNREACH", "ENETUNREACH"]);
  for (const { socket } of [four, six]) socket.close();
  expect(codeOf(() => four.socket.send(over4("10.99.0.1", "224.0.0.18", 1)))).toBe("EBADF");
  expect(four.socket.drain()).toEqual([]);
  expect(codeOf(() => open(left, "ff02::12", { ifindex: 4711 }))).toBe("ENODEV");
  expect(() => open(left, "ff02::12", { family: 4 })).toThrow("assertion failed");
  expect(() => open(left, "224.0.0.18", { ifindex: undefined })).toThrow("assertion failed");
});

test("sockets leave no descriptor behind, and are not inherited by children", () => {
  const [left] = namespaces;
  const before = openDescriptors();
  const sockets = ["224.0.0.18", "ff02::12", "10.99.0.1", "2001:db8::1"].map((address) => open(left, address).socket);
  const descriptors = openDescriptors().filter((entry) => !before.includes(entry));
  expect(descriptors.length).toBe(4);
  for (const entry of descriptors) {
    const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${entry.split(" ")[0]}`, "utf8"))?.[1];
    expect(Number.parseInt(flags ?? "0", 8) & 0o2000000).toBe(0o2000000); // O_CLOEXEC
  }
  for (const socket of sockets) socket.close();
  for (const socket of sockets) socket.close();
  expect(openDescriptors()).toEqual(before);
});

test("it goes on over a link that goes down and up", async () => {
  const [left, right] = namespaces;
  const [a, b] = [open(left, "ff02::12"), open(right, "ff02::12")];
  right.ip("link", "set", "eth0", "down");
  right.ip("link", "set", "eth0", "up");
  // The kernel looks at carriers once a second.
  await vi.waitFor(
    () => {
      a.socket.send(over6("fe80::1", "ff02::12", 1));
      expect(b.datagrams.length).toBeGreaterThan(0);
    },
    { timeout: 10_000 },
  );
  expect(b.errors).toEqual([]);
});

test("IPv4: the header as it was written, its checksum by the kernel, and the time of reception", async () => {
  const [left, right] = namespaces;
  const [a, b] = [open(left, "224.0.0.18"), open(right, "224.0.0.18")];
  const before = bootNow();
  a.socket.send(over4("10.99.0.1", "224.0.0.18", 9));
  await vi.waitFor(() => expect(b.datagrams.length).toBe(1));
  const bytes = Buffer.from(b.datagrams[0]?.bytes ?? []);
  expect(bytes.subarray(0, 10).toString("hex")).toBe("45c0001c00090000ff70");
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += bytes.readUInt16BE(at);
  expect((sum & 0xffff) + (sum >> 16)).toBe(0xffff);
  expect(b.datagrams[0]?.receivedAt).toBeGreaterThanOrEqual(before);
  expect(b.datagrams[0]?.receivedAt).toBeLessThanOrEqual(bootNow());
  // Our own are not heard (IP_MULTICAST_LOOP 0).
  expect(a.datagrams).toEqual([]);
});

test("only this interface is heard, and 255 adverts wait while the process is busy", () => {
  const [left, right] = namespaces;
  left.ip("link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", right.name);
  for (const side of namespaces) side.ip("link", "set", "eth1", "up");
  left.ip("address", "add", "10.98.0.1/24", "dev", "eth1");
  right.ip("address", "add", "10.98.0.2/24", "dev", "eth1");
  const eth1 = Number(left.ip("-o", "link", "show", "eth1").split(":")[0]);
  const other = open(left, "224.0.0.18", { interface: "eth1", ifindex: eth1 });
  const [a, b] = [open(left, "224.0.0.18"), open(right, "224.0.0.18")];
  for (let mark = 1; mark <= 255; mark++) {
    other.socket.send(over4("10.98.0.1", "224.0.0.18", mark));
    a.socket.send(over4("10.99.0.1", "224.0.0.18", mark));
  }
  const drained = b.socket.drain();
  expect(drained.length).toBe(255);
  expect(new Set(drained.map(({ bytes }) => bytes.subarray(12, 16).join(".")))).toEqual(new Set(["10.99.0.1"]));
  left.ip("link", "del", "eth1");
});

test("it goes on when nobody keeps it, and opens on a link that is down", async () => {
  const [left, right] = namespaces;
  right.ip("link", "set", "eth0", "down");
  const heard: AdvertDatagram[] = [];
  // Only its own callbacks hold it from here on.
  (() => void open(right, "224.0.0.18", { onDatagrams: (read) => heard.push(...read) }))();
  const close = opened.splice(0).map((socket) => socket.close);
  right.ip("link", "set", "eth0", "up");
  right.ip("address", "replace", "10.99.0.2/24", "dev", "eth0");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let turn = 0; turn < 5; turn++) {
    collect();
    await new Promise(setImmediate);
  }
  const a = open(left, "224.0.0.18");
  await vi.waitFor(() => {
    a.socket.send(over4("10.99.0.1", "224.0.0.18", 1));
    expect(heard.length).toBeGreaterThan(0);
  });
  for (const each of close) each();
});

test("without the capability the error says EPERM", () => {
  const uid = process.geteuid?.() ?? 0;
  process.seteuid?.(65534);
  try {
    const loopback = { interface: "lo", ifindex: 1, family: 4, protocol: 112, address: ip("127.0.0.1") } as const;
    const unheard = { onDatagrams: () => undefined, onError: () => undefined };
    expect(() => openAdvertSocket({ ...loopback, ...unheard })).toThrow(expect.objectContaining({ code: "EPERM" }));
  } finally {
    process.seteuid?.(uid);
  }
});
