// Octet for octet: what Baton sends is what keepalived sends for the same configuration, and what keepalived sends is
// understood.
import { vrid } from "@baton/domain";
import { expect, test } from "vitest";
import { decodePacket, type ReceivedDatagram } from "./packet.ts";
import { buildAdvertisement } from "./send.ts";
import { type Capture, captures, cutIpv6, wrongChecksums } from "./testing/captures.ts";
import { hexOf, ip, judge, octets, onTheWire, packetOf, unicast, wireOf } from "./testing/fixtures.ts";
import { initialWireState, type WireConfig } from "./wire.ts";

const datagrams = ({ wire, sent }: Capture): readonly ReceivedDatagram[] =>
  sent.map((hex) => (wire.family === 4 ? { family: 4, bytes: octets(hex) } : cutIpv6(hex)));

/** The router at the other end: the sender is its peer. */
const receiver = ({ wire, source }: Capture): WireConfig =>
  wire.reach.cast === "multicast" ? wire : { ...wire, reach: unicast([source]) };

for (const capture of captures) {
  const { wire, priority, source, before, wallMicros } = capture;

  test(`sent as keepalived sends it: ${capture.name}`, () => {
    const { packets } = buildAdvertisement(priority, wire, before, { source, wallMicros });
    const spoken = packets.map((packet) => onTheWire(packet));
    const legible = (each: ReceivedDatagram) => ({ ...each, bytes: hexOf(each.bytes) });
    expect(spoken.map(legible)).toEqual(datagrams(capture).map(legible));
  });

  test(`understood: ${capture.name}`, () => {
    for (const datagram of datagrams(capture)) {
      expect(packetOf(datagram)).toMatchObject({ source, id: wire.family === 4 ? before.ipId + 1 : 0, vrid: 51 });
      expect(judge(datagram, receiver(capture), initialWireState, { wallMicros })).toMatchObject({
        ok: true,
        advert: {
          version: wire.version,
          vrid: vrid(51),
          priority,
          advertInterval: wire.advertInterval,
          addresses: wire.addresses,
        },
      });
    }
  });
}

test("v3_checksum_as_v2 to unicast peers: keepalived's wrong checksums are heard and counted", () => {
  const settings: Partial<WireConfig> = {
    reach: unicast(["10.77.0.11"]),
    checksum: { send: "message", learn: true, oldDestination: ip("224.0.0.18") },
  };
  const heard = wrongChecksums.map((hex) => judge({ family: 4, bytes: octets(hex) }, wireOf(settings)));
  expect(heard.map((each) => each.ok && each.notices)).toEqual([[], ["wrong-checksum"], ["wrong-checksum"]]);
});

test("the receive buffer may be used again at once", () => {
  const [capture] = captures;
  const bytes = octets(capture?.sent[0] ?? "");
  const decoded = decodePacket({ family: 4, bytes });
  const packet = packetOf({ family: 4, bytes });
  bytes.fill(0);
  expect(decoded).toEqual({ ok: true, packet });
});
