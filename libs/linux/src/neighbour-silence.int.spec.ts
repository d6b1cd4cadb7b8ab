import { execFileSync } from "node:child_process";
import type { IpAddress } from "@baton/domain";
import { ipToBytes } from "@baton/domain";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ArpPacket, NeighbourSilence, NeighbourSilenceOptions } from "./api.ts";
import { gratuitousFrame } from "./arp-packet.ts";
import { openArpPort } from "./arp-port.ts";
import { checked, libc } from "./libc.ts";
import { openNdPort } from "./nd-port.ts";
import { openNeighbourSilence } from "./neighbour-silence.ts";
import { ip } from "./testing/address-table-contract.ts";
import { makeNamespacePair, type Namespace, openDescriptors } from "./testing/namespace.ts";

let holder: Namespace;
let client: Namespace;
let heard: ArpPacket[] = [];
let leave: () => void;
const opened: { close(): void }[] = [];
const [vip, otherVip, own] = [ip("10.99.0.50"), ip("10.99.0.51"), ip("10.99.0.1")];

beforeEach(() => {
  [holder, client] = makeNamespacePair("sl");
  for (const address of [vip, otherVip]) holder.ip("address", "add", `${address}/32`, "dev", "eth0");
  // The silence calls nft: the whole test runs in the holder's namespace.
  leave = holder.enter();
  heard = [];
  client.inside(() => {
    const port = openArpPort({ ifindex: ifindexOf(client) });
    opened.push(port);
    port.onArp((packet) => heard.push(packet));
  });
});
afterEach(() => {
  for (const resource of opened.splice(0)) resource.close();
  leave();
  for (const namespace of [holder, client]) namespace.remove();
});

const ifindexOf = (namespace: Namespace) => Number(namespace.ip("-o", "link", "show", "eth0").split(":")[0]);
const open = (options?: NeighbourSilenceOptions): NeighbourSilence => {
  const silence = openNeighbourSilence(options);
  opened.push(silence);
  return silence;
};
const nft = (...words: string[]) => execFileSync("nft", words, { encoding: "utf8" });

/** The client asks on the wire who has each address. */
function ask(...addresses: IpAddress[]): void {
  client.inside(() => {
    const fd = checked(libc.socket(17, 3, 0), "socket");
    const to = new Uint8Array(20);
    const view = new DataView(to.buffer);
    view.setUint16(0, 17, true);
    view.setInt32(4, ifindexOf(client), true);
    const mac = JSON.parse(client.ip("-j", "link", "show", "eth0"))[0].address;
    for (const address of addresses) {
      const frame = gratuitousFrame(mac);
      frame.set(ipToBytes(ip("10.99.0.2")), 28);
      frame.set(ipToBytes(address), 38);
      checked(libc.sendto(fd, frame, frame.length, 0, to, to.length), "sendto");
    }
    libc.close(fd);
  });
}

/** Makes the holder look for `target`, which nobody is. */
function sendDatagram(source: IpAddress, target: IpAddress): void {
  const fd = checked(libc.socket(2, 2, 0), "socket");
  const [from, to] = [source, target].map((address) =>
    Uint8Array.of(2, 0, 0, 9, ...ipToBytes(address), ...Array(8).fill(0)),
  );
  if (from === undefined || to === undefined) return;
  checked(libc.bind(fd, from, from.length), "bind");
  checked(libc.sendto(fd, from, 1, 0, to, to.length), "sendto");
  libc.close(fd);
}

/** Which of the addresses answer. The holder's own is asked last: replies come in the order of the questions. */
async function answering(...addresses: IpAddress[]): Promise<IpAddress[]> {
  heard = [];
  const answers = () => heard.filter(({ operation }) => operation === "reply").map(({ senderIp }) => senderIp);
  ask(...addresses, own);
  await vi.waitFor(() => expect(answers()).toContain(own));
  return answers().filter((address) => address !== own);
}

test("a silenced address does not answer, others do; unsilenced it answers again", async () => {
  const silence = open();
  expect(await answering(vip, otherVip)).toEqual([vip, otherVip]);
  silence.silence([vip]);
  silence.silence([vip]);
  expect(silence.silenced()).toEqual([vip]);
  expect(await answering(vip, otherVip)).toEqual([otherVip]);
  silence.silence([otherVip]);
  expect(await answering(vip, otherVip)).toEqual([]);
  silence.unsilence([vip]);
  silence.unsilence([vip]);
  expect(silence.silenced()).toEqual([otherVip]);
  expect(await answering(vip, otherVip)).toEqual([vip]);
  silence.clear();
  silence.clear();
  expect(silence.silenced()).toEqual([]);
  expect(await answering(vip, otherVip)).toEqual([vip, otherVip]);
});

test("a silenced address does not ask either: a question names its sender", async () => {
  const silence = open();
  silence.silence([vip]);
  heard = [];
  for (const [source, target] of [
    [vip, "10.99.0.3"],
    [otherVip, "10.99.0.4"],
  ] as const) {
    sendDatagram(source, ip(target));
  }
  await vi.waitFor(() => expect(heard.map(({ senderIp }) => senderIp)).toContain(otherVip));
  expect(heard.map(({ senderIp }) => senderIp)).not.toContain(vip);
});

test("IPv6: a silenced address does not answer neighbours, others do, and its announcement passes", async () => {
  for (const [index, side] of [holder, client].entries())
    side.ip("address", "add", `2001:db8::${index + 1}/64`, "dev", "eth0", "nodad");
  const [silent, loud] = [ip("2001:db8::50"), ip("2001:db8::51")];
  for (const address of [silent, loud]) holder.ip("address", "add", `${address}/64`, "dev", "eth0", "nodad");
  const silence = open();
  silence.silence([silent, vip]);
  expect(silence.silenced()).toEqual([silent, vip]);
  const heard: IpAddress[] = [];
  client.inside(() => {
    const port = openNdPort({ ifindex: ifindexOf(client) });
    opened.push(port);
    port.onAdvertisement(({ target }) => heard.push(target));
  });
  client.inside(() => {
    for (const address of [silent, loud]) greet(address);
  });
  await vi.waitFor(() => expect(heard).toContain(loud));
  expect(heard).not.toContain(silent);
  // It goes on where a crash left it, in both families.
  expect([...open().silenced()].sort()).toEqual([vip, silent].sort());
  const port = openNdPort({ ifindex: ifindexOf(holder) });
  opened.push(port);
  port.sendUnsolicited([silent], { mac: "02:00:5e:10:00:01", router: false });
  await vi.waitFor(() => expect(heard).toContain(silent));
  heard.length = 0;
  silence.unsilence([silent]);
  client.ip("neigh", "flush", "dev", "eth0");
  client.inside(() => greet(silent));
  await vi.waitFor(() => expect(heard).toContain(silent));
});

/** A datagram to an address makes the kernel ask who has it. */
function greet(target: IpAddress): void {
  const fd = checked(libc.socket(10, 2, 0), "socket");
  const to = Uint8Array.of(10, 0, 0, 9, 0, 0, 0, 0, ...ipToBytes(target), 0, 0, 0, 0);
  checked(libc.sendto(fd, Uint8Array.of(0), 1, 0, to, to.length), "sendto");
  libc.close(fd);
}

test("an announcement passes: it is always meant", async () => {
  open().silence([vip]);
  const port = openArpPort({ ifindex: ifindexOf(holder) });
  opened.push(port);
  port.sendGratuitous([vip], "02:00:5e:10:00:01");
  await vi.waitFor(() => expect(heard.map(({ senderIp }) => senderIp)).toContain(vip));
});

test("a crash leaves the silence, and the next process knows of it", async () => {
  const crashed = open();
  crashed.silence([vip, otherVip]);
  crashed.unsilence([otherVip]);
  const left = nft("list", "ruleset");
  crashed.close();
  execFileSync("nft", ["-f", "-"], { input: left }); // as if nobody had closed it
  const next = open();
  expect(next.silenced()).toEqual([vip]);
  expect(await answering(vip, otherVip)).toEqual([otherVip]);
  next.close();
  expect(nft("list", "tables")).not.toContain("baton");
  expect(await answering(vip, otherVip)).toEqual([vip, otherVip]);
});

test("a firewall reload takes the table away; it comes back by itself, once", async () => {
  let repairs = 0;
  const silence = open({ onRepaired: () => repairs++ });
  silence.silence([vip]);
  nft("flush", "ruleset");
  await vi.waitFor(() => expect(repairs).toBe(1));
  expect(await answering(vip, otherVip)).toEqual([otherVip]);
  nft("delete", "table", "arp", "baton");
  await vi.waitFor(() => expect(repairs).toBe(2));
  expect(await answering(vip, otherVip)).toEqual([otherVip]);
  nft("delete", "table", "ip6", "baton");
  await vi.waitFor(() => expect(repairs).toBe(3));
  expect(nft("list", "tables")).toContain("table ip6 baton");
  expect(repairs).toBe(3);
});

test("silencing does not wait for the repair, and neither does the opposite", async () => {
  const silence = open();
  silence.silence([vip]);
  nft("flush", "ruleset");
  silence.silence([otherVip]); // in the same turn: the removal was not heard yet
  expect(nft("list", "set", "arp", "baton", "silent")).toMatch(/10\.99\.0\.50, 10\.99\.0\.51/);
  nft("flush", "ruleset");
  silence.unsilence([vip]);
  expect(await answering(vip, otherVip)).toEqual([vip]);
  nft("flush", "ruleset");
  silence.clear();
  expect(await answering(vip, otherVip)).toEqual([vip, otherVip]);
});

test("thousands of addresses are one transaction", async () => {
  const silence = open();
  const many = Array.from({ length: 5_000 }, (_, i) => ip(`10.${100 + (i >> 8)}.${i & 255}.1`));
  silence.silence([...many, vip]);
  expect(silence.silenced().length).toBe(5_001);
  expect(await answering(vip, otherVip)).toEqual([otherVip]);
  expect(open().silenced().length).toBe(5_001);
  silence.unsilence(many);
  expect(silence.silenced()).toEqual([vip]);
  expect(await answering(vip, otherVip)).toEqual([otherVip]);
});

test("errors: no permission; nothing is left open", () => {
  const before = openDescriptors();
  const silence = open();
  silence.close();
  const uid = process.geteuid?.() ?? 0;
  process.seteuid?.(65_534);
  try {
    expect(() => openNeighbourSilence()).toThrow(expect.objectContaining({ code: "EPERM" }));
  } finally {
    process.seteuid?.(uid);
  }
  expect(openDescriptors()).toEqual(before);
});
