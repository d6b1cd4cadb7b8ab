// Whom ip_vs is to lose before a drain is over: what it counts depends on the protocol.
import { MemoryTable, type ServiceKey } from "@baton/ipvs";
import { aDestination, addressKey, aService, markKey } from "@baton/ipvs/testing";
import { expect, test } from "vitest";
import { connectedByTable, connectedByTracking } from "./kernel.ts";

const tcp = addressKey("192.0.2.1");
const rows: readonly [string, ServiceKey, number][] = [
  ["of TCP what is established", tcp, 2],
  ["of UDP all flows, none of which ever is", addressKey("192.0.2.1", "udp"), 5],
  ["of a mark all, as some may be UDP", markKey(7), 5],
];

test.each(rows)("%s counts", (_, service, living) => {
  const table = new MemoryTable();
  const destination = aDestination("10.0.0.1", { weight: 0 });
  table.apply({ kind: "new-service", service: aService(service) });
  table.apply({ kind: "new-destination", service, destination });
  table.connect(service, destination, 2, 3);
  const list = () => table.dump()[0]?.destinations ?? [];
  expect(connectedByTable([{ service, destination }], list)).toEqual([{ weight: 0, active: living }]);
});

test("connection tracking is asked in one question, of a mark for each protocol", () => {
  const destination = aDestination("10.0.0.1");
  const asked: string[][] = [];
  const count = (all: Parameters<Parameters<typeof connectedByTracking>[1]["count"]>[0]) => {
    asked.push(all.map(({ protocol }) => protocol));
    return all.map((_, at) => 10 ** at);
  };
  const places = [tcp, markKey(7), addressKey("192.0.2.1", "udp")].map((service) => ({ service, destination }));
  expect(connectedByTracking(places, { count }).map(({ active }) => active)).toEqual([1, 1_110, 10_000]);
  expect(asked).toEqual([["tcp", "tcp", "udp", "sctp", "udp"]]);
});
