// Hostile packets through the real socket: frames as an attacker on the link would put them there. Nothing is accepted,
// nothing throws, the protocol's state is the same object as before, and memory does not grow.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type AdvertDatagram, type AdvertSocket, openAdvertSocket } from "@baton/linux";
import { type FramePort, makeNamespacePair, type Namespace, openFramePort } from "@baton/linux/testing";
import {
  decodePacket,
  discardReasons,
  findInstance,
  groupAddress,
  groupAddressV6,
  initialWireState,
  receiveAdvertisement,
  type WireConfig,
} from "@baton/vrrp";
import { captures, facts, frameOf, type Malformed, malformed, octets, wireOf } from "@baton/vrrp/testing";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

let namespaces: readonly [Namespace, Namespace];
const opened: { close(): void }[] = [];

beforeAll(() => {
  namespaces = makeNamespacePair("ha");
});
afterEach(() => {
  for (const resource of opened.splice(0)) resource.close();
});
afterAll(() => {
  for (const namespace of namespaces) namespace.remove();
});

const ifindexOf = (namespace: Namespace) => Number(namespace.ip("-o", "link", "show", "eth0").split(":")[0]);

/** An instance behind real sockets, and what became of each packet. */
function listen(wire: WireConfig) {
  const [, right] = namespaces;
  const outcomes = new Map<string, number>();
  let state = initialWireState;
  const judge = (datagram: AdvertDatagram): string => {
    const decoded = decodePacket(datagram);
    if (!decoded.ok) return decoded.reason;
    const found = findInstance(decoded.packet, [{ wire, address: undefined }]);
    if (!found.ok) return found.reason;
    const received = receiveAdvertisement(decoded.packet, wire, state, facts);
    if (!received.ok) return received.reason;
    state = received.state;
    return `accepted ${received.advert.priority}`;
  };
  const take = (datagrams: readonly AdvertDatagram[]): void => {
    for (const datagram of datagrams) {
      const outcome = judge(datagram);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  const open = (family: 4 | 6, protocol: 112 | 51): AdvertSocket =>
    right.inside(() =>
      openAdvertSocket({
        interface: "eth0",
        ifindex: ifindexOf(right),
        family,
        protocol,
        address: family === 4 ? groupAddress : groupAddressV6,
        onDatagrams: take,
        onError: (error) => void outcomes.set(error.message, 1),
      }),
    );
  const sockets = [open(4, 112), open(4, 51), open(6, 112)];
  opened.push(...sockets);
  const drain = (): void => {
    for (const socket of sockets) take(socket.drain());
  };
  return { outcomes, drain, state: () => state };
}

function attack(): FramePort {
  const [left] = namespaces;
  const port = left.inside(() => openFramePort(ifindexOf(left)));
  opened.push(port);
  return port;
}

const sound = (priority: number, vrid = 51): Uint8Array => {
  const [capture] = captures.filter(({ name }) => name === "v3, one address, 100 ms");
  const packet = octets(capture?.sent[0] ?? "");
  packet.set([vrid, priority], 21);
  // The checksum over the priority's word: what one side gains the other loses.
  const view = new DataView(packet.buffer);
  view.setUint16(26, view.getUint16(26) - ((priority - 100) << 8));
  return packet;
};

test("the corpus: what the kernel lets through is discarded, each for its reason", async () => {
  const port = attack();
  for (const wire of new Set(malformed.map((each) => each.wire))) {
    const { outcomes, drain, state } = listen(wire);
    const theirs = malformed.filter((each) => each.wire === wire && each.datagram.bytes.length > 0);
    for (const { datagram } of theirs) port.send(frameOf(datagram), datagram.family);
    port.send(sound(100, 200), 4); // the last: what came before it waits to be read, or has been
    await vi.waitFor(() => expect(outcomes.has("unknown-vrid")).toBe(true));
    drain();
    outcomes.delete("unknown-vrid");
    expect(Object.fromEntries(outcomes)).toEqual(countByReason(theirs.filter(({ keptByKernel }) => !keptByKernel)));
    expect(state()).toBe(initialWireState);
    for (const resource of opened.splice(1)) resource.close();
  }
});

function countByReason(packets: readonly Malformed[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of packets) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** A small generator of its own, so that a failing run can be had again. */
function noise(seed: number): () => number {
  let value = seed;
  return () => {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    return value >>> 8;
  };
}

test("20,000 mutated adverts: none accepted, memory flat, and the next sound one is heard", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const port = attack();
  const { outcomes, state } = listen(wireOf());
  const random = noise(51);
  const seeds = captures
    .filter(({ wire }) => wire.reach.cast === "multicast")
    .map(({ wire, sent }) => ({
      family: wire.family,
      packet: octets(sent[0] ?? ""),
    }));
  const fire = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const { family, packet } = seeds[random() % seeds.length] ?? { family: 4 as const, packet: sound(1) };
      const headerLength = family === 4 ? 20 : 40;
      const mutated = packet.slice();
      for (let flips = 1 + (random() % 4); flips > 0; flips--) {
        const at = headerLength + (random() % (mutated.length - headerLength));
        mutated[at] = random() & 0xff;
      }
      port.send(mutated, family);
      if (i % 64 === 0) await new Promise(setImmediate);
    }
  };
  await fire(5_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  await fire(15_000);
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024);
  await vi.waitFor(() => {
    port.send(sound(77), 4);
    expect(outcomes.has("accepted 77")).toBe(true);
  });
  // The mutation may have left a capture as it was; no other priority than a captured one is ever believed.
  const priorities = new Set([...captures.map(({ priority }) => priority), 77]);
  for (const outcome of outcomes.keys()) {
    const [word, priority] = outcome.split(" ");
    if (word === "accepted") expect(priorities).toContain(Number(priority));
    else expect(discardReasons).toContain(outcome);
  }
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(5_000);
  expect(state()).toBe(initialWireState);
});
