import { type IpAddress, ipFromBytes, parseIp } from "@baton/domain";
import type { Destination, ForwardingMethod, Operation, Service, ServiceKey, SyncDaemon } from "@baton/ipvs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFamily, familyRequest } from "./generic-netlink.ts";
import { changeEach } from "./ipvs-batch.ts";
import { decodeDaemon, decodeDestination, decodeInfo, decodeService, decodeTimeouts } from "./ipvs-reply.ts";
import {
  daemonDumpBody,
  destinationDumpBody,
  encodeDaemonStart,
  encodeDaemonStop,
  encodeOperation,
  encodeTimeouts,
  encodeZero,
  infoRequest,
  serviceDumpBody,
  timeoutsRequest,
} from "./ipvs-request.ts";
import {
  attribute,
  concatBytes,
  cString,
  type NetlinkMessage,
  type NetlinkRequest,
  nested,
  uint16,
  uint32,
} from "./netlink-message.ts";

const family = 0x1d;

const asReply = ({ type, body }: NetlinkRequest): NetlinkMessage => ({ type, flags: 0, sequence: 1, body });
const reply = (command: number, ...attributes: readonly Uint8Array[]): NetlinkMessage => ({
  type: family,
  flags: 0,
  sequence: 1,
  body: concatBytes(Uint8Array.of(command, 1, 0, 0), ...attributes),
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return address;
}

const web: ServiceKey = { kind: "address", family: 4, protocol: "tcp", address: ip("192.0.2.1"), port: 80 };
const aService: Service = {
  key: web,
  scheduler: "wlc",
  flags: 1,
  timeoutSeconds: 300,
  netmask: 0xffffff00,
  engine: undefined,
};
const aDestination: Destination = {
  family: 4,
  address: ip("10.0.0.1"),
  port: 8080,
  forwarding: { method: "tunnel", tunnel: { type: "gue", port: 6080, checksum: "remote" } },
  weight: 7,
  upperThreshold: 200,
  lowerThreshold: 100,
};
const noTraffic = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };
const noConnections = { active: 0, inactive: 0, persistent: 0 };

describe("as the kernel wants it, byte by byte", () => {
  /** Family, protocol, address and port. */
  const webHex = `0600010002000000060002000600000014000300c0000201${"00".repeat(12)}0600040000500000`;

  test("a service", () => {
    const { type, body } = encodeOperation(family, { kind: "new-service", service: aService });
    expect([type, hex(body)]).toEqual([
      family,
      "01010000" + // IPVS_CMD_NEW_SERVICE
        "54000180" +
        webHex +
        "08000600776c6300" + // scheduler
        "0c00070001000000ffffffff" + // flags, and which are meant
        "080008002c010000" + // 300 s
        "08000900ffffff00", // 255.255.255.0 in network order
    ]);
  });

  test("a destination", () => {
    const operation: Operation = { kind: "set-destination", service: web, destination: aDestination };
    expect(hex(encodeOperation(family, operation).body)).toBe(
      `0601000030000180${webHex}` +
        "60000280" +
        "06000b0002000000" +
        `140001000a000001${"00".repeat(12)}` +
        "060002001f900000" +
        "0800030002000000" +
        "0800040007000000" +
        "08000500c8000000" +
        "0800060064000000" +
        "05000d0001000000" +
        "06000e0017c00000" +
        "06000f0002000000",
    );
  });

  test("what names a thing, and no more, to remove it or to ask for it", () => {
    const nothing = "";
    const marked = "1400018006000100020000000800050005000000";
    const requests: readonly [Uint8Array, string][] = [
      [encodeOperation(family, { kind: "flush" }).body, nothing],
      [
        encodeOperation(family, { kind: "delete-service", service: { kind: "fwmark", family: 4, mark: 5 } }).body,
        marked,
      ],
      [serviceDumpBody(), nothing],
      [destinationDumpBody(web), `30000180${webHex}`],
      [encodeZero(family, undefined).body, nothing],
      [encodeZero(family, web).body, `30000180${webHex}`],
      [encodeTimeouts(family, { tcp: 1, tcpFin: 2, udp: 3 }).body, "080004000100000008000500020000000800060003000000"],
      [timeoutsRequest(family).body, nothing],
      [infoRequest(family).body, nothing],
      [daemonDumpBody(), nothing],
      [encodeDaemonStop(family, "backup").body, "0c0003800800010002000000"],
    ];
    expect(requests.map(([body]) => hex(body))).toEqual(
      [17, 3, 4, 8, 16, 16, 12, 13, 15, 11, 10].map(
        (command, index) => `${command.toString(16).padStart(2, "0")}010000${requests[index]?.[1]}`,
      ),
    );
  });
});

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes);
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes);
const ipFamilies = fc.constantFrom<4 | 6>(4, 6);
const addressOf = (of: 4 | 6) => (of === 4 ? ipv4 : ipv6);
const port = fc.nat(0xffff);
const number32 = fc.nat(0xffffffff);
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,14}$/);
const keys: fc.Arbitrary<ServiceKey> = ipFamilies.chain((of) =>
  fc.oneof(
    fc.record({
      kind: fc.constant("address" as const),
      family: fc.constant(of),
      protocol: fc.constantFrom<"tcp" | "udp" | "sctp">("tcp", "udp", "sctp"),
      address: addressOf(of),
      port,
    }),
    fc.record({
      kind: fc.constant("fwmark" as const),
      family: fc.constant(of),
      mark: fc.integer({ min: 1, max: 0xffffffff }),
    }),
  ),
);
const services: fc.Arbitrary<Service> = fc.record({
  key: keys,
  scheduler: name,
  flags: fc.nat(0x3f).map((bits) => bits & 0x3d),
  timeoutSeconds: number32,
  netmask: number32,
  engine: fc.option(name, { nil: undefined }),
});
const checksum = fc.constantFrom<"none" | "full">("none", "full");
const forwarding: fc.Arbitrary<ForwardingMethod> = fc.oneof(
  fc.constantFrom<ForwardingMethod>(
    { method: "masquerade" },
    { method: "direct-route" },
    { method: "local" },
    { method: "bypass" },
    { method: "tunnel", tunnel: { type: "ipip" } },
  ),
  fc.record({
    method: fc.constant("tunnel" as const),
    tunnel: fc.oneof(
      fc.record({
        type: fc.constant("gue" as const),
        port,
        checksum: fc.constantFrom<"none" | "full" | "remote">("none", "full", "remote"),
      }),
      fc.record({ type: fc.constant("gre" as const), checksum }),
    ),
  }),
);
const destinations: fc.Arbitrary<Destination> = ipFamilies.chain((of) =>
  fc.record({
    family: fc.constant(of),
    address: addressOf(of),
    port,
    forwarding,
    weight: number32,
    upperThreshold: number32,
    lowerThreshold: number32,
  }),
);

// The kernel tells of a service with the command that makes one.
test("what was written is what is read, whatever it is", () => {
  fc.assert(
    fc.property(services, destinations, (service, destination) => {
      const made = asReply(encodeOperation(family, { kind: "new-service", service }));
      expect(decodeService(made, family)).toEqual({ ...service, traffic: noTraffic });
      const filled = asReply(encodeOperation(family, { kind: "new-destination", service: service.key, destination }));
      expect(decodeDestination(filled, family, service.key)).toEqual({
        ...destination,
        connections: noConnections,
        traffic: noTraffic,
      });
    }),
  );
});

test("sync daemons, with what was chosen and without", () => {
  const plain: SyncDaemon = {
    role: "master",
    interface: "eth0",
    id: 0,
    maxLength: undefined,
    group: undefined,
    port: undefined,
    ttl: undefined,
  };
  const chosen: SyncDaemon = { ...plain, role: "backup", id: 255, maxLength: 65535, port: 65535, ttl: 255 };
  for (const daemon of [plain, { ...chosen, group: ip("224.0.0.81") }, { ...chosen, group: ip("ff02::81") }]) {
    expect(decodeDaemon(asReply(encodeDaemonStart(family, daemon)), family)).toEqual(daemon);
  }
});

test("what IPVS is, and its timeouts", () => {
  const info = reply(14, attribute(1, uint32(0x010201)), attribute(2, uint32(4096)));
  expect(decodeInfo(info, family)).toEqual({ version: "1.2.1", connectionTableSize: 4096 });
  expect(decodeInfo(reply(14, attribute(1, uint32(1))), family)).toBeUndefined();
  const timeouts = [attribute(4, uint32(900)), attribute(5, uint32(120)), attribute(6, uint32(300))];
  expect(decodeTimeouts(reply(12, ...timeouts), family)).toEqual({ tcp: 900, tcpFin: 120, udp: 300 });
  expect(decodeTimeouts(reply(12), family)).toBeUndefined();
});

test("the number of a family", () => {
  expect(hex(familyRequest("IPVS").body)).toBe("03010000090002004950565300000000");
  const told = (...attributes: readonly Uint8Array[]): NetlinkMessage => ({ ...reply(1, ...attributes), type: 0x10 });
  expect(decodeFamily(told(attribute(2, cString("IPVS")), attribute(1, uint16(0x1d))))).toBe(0x1d);
  expect(decodeFamily(told(attribute(2, cString("IPVS"))))).toBeUndefined();
  expect(decodeFamily(reply(1, attribute(1, uint16(0x1d))))).toBeUndefined();
});

describe("what is not ours to understand is nothing", () => {
  const key = [
    attribute(1, uint16(2)),
    attribute(2, uint16(6)),
    attribute(3, new Uint8Array(16)),
    attribute(4, Uint8Array.of(0, 80)),
  ];
  const rest = [
    attribute(6, cString("rr")),
    attribute(7, uint32(2, 0xffffffff)),
    attribute(8, uint32(0)),
    attribute(9, uint32(0)),
  ];
  const decode = (...attributes: readonly Uint8Array[]) => decodeService(reply(1, nested(1, ...attributes)), family);

  test("services", () => {
    expect(decode(...key, ...rest)?.flags).toBe(0); // the kernel's own flag is left out
    expect(decode(...key, ...rest, attribute(1, uint16(7)))).toBeUndefined(); // neither IPv4 nor IPv6
    expect(decode(...key, ...rest, attribute(2, uint16(51)))).toBeUndefined(); // of AH
    expect(decode(...key, ...rest, attribute(3, Uint8Array.of(1, 2, 3)))).toBeUndefined();
    expect(decode(...key, ...rest, attribute(5, uint32(0)))).toBeUndefined(); // mark 0 is no mark
    for (const left of [...key, ...rest]) {
      expect(decode(...[...key, ...rest].filter((each) => each !== left))).toBeUndefined();
    }
    expect(decodeService(reply(2, nested(1, ...key, ...rest)), family)).toBeUndefined(); // not what a dump brings
    expect(decodeService(reply(1, nested(1, ...key, ...rest)), family + 1)).toBeUndefined();
  });

  test("ways of forwarding", () => {
    const encoded = encodeOperation(family, { kind: "new-destination", service: web, destination: aDestination });
    const behind = encoded.body.subarray(4 + 0x30 + 4);
    const changed = (...attributes: readonly Uint8Array[]) =>
      decodeDestination(reply(5, nested(2, behind, ...attributes)), family, web)?.forwarding;
    expect(changed()).toEqual(aDestination.forwarding);
    expect(changed(attribute(3, uint32(0x0103)))).toEqual({ method: "direct-route" }); // flags beside the method
    expect(changed(attribute(3, uint32(5)))).toBeUndefined();
    expect(changed(attribute(13, Uint8Array.of(3)))).toBeUndefined();
    expect(changed(attribute(15, uint16(9)))).toBeUndefined();
  });
});

test("counters of 64 bits, or of 32 where the kernel is old", () => {
  const wide = (value: number) => concatBytes(uint32(value % 2 ** 32), uint32(Math.floor(value / 2 ** 32)));
  const made = encodeOperation(family, { kind: "new-service", service: aService }).body.subarray(8);
  const counted = (...stats: readonly Uint8Array[]) =>
    decodeService(reply(1, nested(1, made, ...stats)), family)?.traffic;
  const old = nested(
    10,
    ...[7, 8, 9].map((value, index) => attribute(index + 1, uint32(value))),
    attribute(4, wide(2 ** 40)),
    attribute(5, wide(3)),
  );
  const current = nested(
    12,
    ...[2 ** 53 - 1, 2, 3, 4, 2 ** 33].map((value, index) => attribute(index + 1, wide(value))),
  );
  expect(counted(old)).toEqual({ connections: 7, inPackets: 8, outPackets: 9, inBytes: 2 ** 40, outBytes: 3 });
  expect(counted(old, current)).toEqual({
    connections: 2 ** 53 - 1,
    inPackets: 2,
    outPackets: 3,
    inBytes: 4,
    outBytes: 2 ** 33,
  });
});

test("what cannot be written is refused, each by itself; its neighbours are sent", () => {
  const add = (more: Partial<Service>): Operation => ({ kind: "new-service", service: { ...aService, ...more } });
  const batch = [add({}), add({ engine: "a".repeat(16) }), add({ scheduler: "rr" }), add({ scheduler: "" })];
  const sent: NetlinkRequest[] = [];
  const results = changeEach(family, batch, (requests) => {
    sent.push(...requests);
    return [{ ok: true }, { ok: false, code: "EEXIST", message: "" }];
  });
  expect(sent).toEqual([batch[0], batch[2]].map((each) => each && encodeOperation(family, each)));
  expect(results.map((each) => (each.ok ? "done" : each.code))).toEqual(["done", "EINVAL", "EEXIST", "EINVAL"]);
  const nobodyIsAsked = (): never => {
    throw new Error("nothing is to be sent");
  };
  expect(changeEach(family, [add({ scheduler: "" })], nobodyIsAsked)).toHaveLength(1);
});

test.each<[string, Partial<Service>, Partial<Destination>]>([
  ["an address of the other family", { key: { ...web, family: 6 } }, {}],
  ["a port", { key: { ...web, port: 65536 } }, {}],
  ["mark 0", { key: { kind: "fwmark", family: 4, mark: 0 } }, {}],
  ["a long name", { scheduler: "a".repeat(16) }, {}],
  ["no name", { scheduler: "" }, {}],
  ["the kernel's own flag", { flags: 2 }, {}],
  ["a weight", {}, { weight: -1 }],
  ["a threshold", {}, { upperThreshold: 0.5 }],
  ["a destination's address", {}, { family: 6 }],
])("what cannot be written is the caller's mistake: %s", (_, service, destination) => {
  const both = () => [
    encodeOperation(family, { kind: "new-service", service: { ...aService, ...service } }),
    encodeOperation(family, {
      kind: "new-destination",
      service: web,
      destination: { ...aDestination, ...destination },
    }),
  ];
  expect(both).toThrow(/assertion failed/);
});

test("whatever comes is decoded or is nothing", () => {
  const decodeAll = (message: NetlinkMessage): void => {
    decodeService(message, message.type);
    decodeDestination(message, message.type, web);
    decodeDaemon(message, message.type);
    decodeInfo(message, message.type);
    decodeTimeouts(message, message.type);
    decodeFamily(message);
  };
  const valid = fc
    .tuple(services, destinations)
    .chain(([service, destination]) =>
      fc.constantFrom(
        encodeOperation(family, { kind: "new-service", service }),
        encodeOperation(family, { kind: "new-destination", service: service.key, destination }),
      ),
    );
  const bent = fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(255), fc.nat(255)), { maxLength: 8 }), fc.nat(255))
    .map(([{ body }, places, cut]) => {
      const bytes = Uint8Array.from(body);
      for (const [at, value] of places) bytes[at % bytes.length] = value;
      return bytes.subarray(0, bytes.length - (cut % bytes.length));
    });
  fc.assert(
    fc.property(fc.oneof(bent, fc.uint8Array({ maxLength: 300 })), fc.constantFrom(family, 0x10), (body, type) => {
      decodeAll({ type, flags: 0, sequence: 1, body });
    }),
    { numRuns: 3000 },
  );
});
