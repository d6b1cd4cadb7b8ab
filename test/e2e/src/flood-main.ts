// Floods a link with adverts of virtual routers that nobody has: RATE packets a second, VRIDs 200 to 255, until it is ended.
import { ipToBytes, parseIp } from "@baton/domain";
import { openAdvertSocket, openLinkMonitor } from "@baton/linux";

const [name = "", from = "", rate = ""] = process.argv.slice(2);
const [source, group] = [parseIp(from), parseIp("224.0.0.18")];
const monitor = openLinkMonitor({ onChange: () => undefined, onGap: () => undefined });
const link = monitor.links().find((each) => each.name === name);
monitor.close();
if (source === undefined || group === undefined || link === undefined) throw new Error(`cannot flood ${name}`);

const socket = openAdvertSocket({
  ...{ interface: name, ifindex: link.ifindex, family: 4, protocol: 112, address: group },
  onDatagrams: () => undefined,
  onError: (error) => process.stderr.write(`${error.message}\n`),
});

/** IPv4 header, VRRPv3, one address (RFC 9568 section 5.1). */
const bytes = new Uint8Array(32);
bytes.set([0x45, 0xc0, 0, bytes.length, 0, 0, 0, 0, 255, 112]);
bytes.set(ipToBytes(source), 12);
bytes.set(ipToBytes(group), 16);
bytes.set([0x31, 200, 254, 1, 0, 100, 0, 0, 192, 0, 2, 1], 20);

const startedAt = performance.now();
const flood = { sent: 0 };
setInterval(() => {
  const due = ((performance.now() - startedAt) / 1_000) * Number(rate);
  for (; flood.sent < due; flood.sent++) {
    bytes[21] = 200 + (flood.sent % 56);
    try {
      socket.send({ bytes, source, destination: group, hopLimit: undefined });
    } catch {
      // The queue of the link is full: that many are enough.
    }
  }
}, 1);
process.stdout.write("flooding\n");
