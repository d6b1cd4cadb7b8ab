// What holds for any two tables.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Destination,
  type DumpedService,
  destinationName,
  ipvsadmRules,
  MemoryTable,
  type OwnServices,
  plan,
  planStop,
  type Service,
  type ServiceKey,
  serviceName,
  type WantedService,
  wholeMask,
} from "./mod.ts";
import { aDestination, addressKey, aService, markKey, withDestinations } from "./testing/mod.ts";

// Few keys and few values: what meets by chance meets often.
const keys: ServiceKey[] = [
  addressKey("192.0.2.1"),
  addressKey("192.0.2.1", "udp"),
  addressKey("192.0.2.1", "tcp", 0),
  addressKey("2001:db8::1", "sctp"),
  markKey(1, 4),
  markKey(1, 6),
];

const forwarding = (inTunnel: boolean): fc.Arbitrary<Destination["forwarding"]> =>
  inTunnel
    ? fc.constantFrom<Destination["forwarding"]>(
        { method: "tunnel", tunnel: { type: "ipip" } },
        { method: "tunnel", tunnel: { type: "gue", port: 6080, checksum: "remote" } },
      )
    : fc.constantFrom<Destination["forwarding"]>(
        { method: "masquerade" },
        { method: "direct-route" },
        { method: "tunnel", tunnel: { type: "gre", checksum: "full" } },
      );

const destinationOf = (key: ServiceKey): fc.Arbitrary<Destination> =>
  fc
    .tuple(
      fc.constantFrom("192.0.2.11", "192.0.2.12", "192.0.2.13", "2001:db8::11", "2001:db8::12"),
      fc.constantFrom(0, 80),
    )
    .chain(([address, port]) => {
      const { family } = aDestination(address);
      return fc
        .record({
          forwarding: forwarding(family !== key.family),
          weight: fc.constantFrom(0, 0, 1, 2),
          upperThreshold: fc.constantFrom(5, 9),
          lowerThreshold: fc.constantFrom(0, 5),
        })
        .map((changes) => aDestination(address, { port, ...changes }));
    });

const serviceOf = (key: ServiceKey): fc.Arbitrary<WantedService> => {
  const service: fc.Arbitrary<Service> = fc
    .record({
      scheduler: fc.constantFrom("rr", "wlc"),
      flags: fc.constantFrom(0, 1, 4, 0x3d),
      timeoutSeconds: fc.constantFrom(0, 50),
      netmask: fc.constantFrom(wholeMask(key.family), 64),
      engine: fc.constantFrom(undefined, "sip"),
    })
    .map((changes) => aService(key, changes));
  const destinations = fc.uniqueArray(destinationOf(key), { selector: destinationName, maxLength: 5 });
  return fc.tuple(service, destinations).map(([own, behind]) => withDestinations(own, ...behind));
};

const anyTable: fc.Arbitrary<WantedService[]> = fc
  .subarray(keys)
  .chain((chosen) => fc.tuple(...chosen.map((key) => serviceOf(key))));

const anyOwn = fc.subarray(keys).map((chosen): string[] => chosen.map(serviceName));

function kernelWith(services: readonly WantedService[]): MemoryTable {
  const table = new MemoryTable();
  for (const { destinations, ...service } of services) {
    table.apply({ kind: "new-service", service });
    for (const destination of destinations) {
      table.apply({ kind: "new-destination", service: service.key, destination });
    }
  }
  return table;
}

const tableOf = (services: readonly WantedService[]) => new Map(services.map((each) => [serviceName(each.key), each]));

/** Own: either as it is in the kernel, or by name alone. */
const ownOf = (names: readonly string[], services: readonly WantedService[], sure: boolean): OwnServices => {
  const table = tableOf(services);
  return new Map(names.map((name) => [name, sure ? table.get(name) : undefined]));
};

const liveOf = (services: readonly DumpedService[], name: string): number =>
  services.find(({ key }) => serviceName(key) === name)?.destinations.filter(({ weight }) => weight > 0).length ?? 0;

describe("from any table to any other", () => {
  test("in one plan, no command of it refused, and the second plan is empty", () => {
    fc.assert(
      fc.property(anyTable, anyTable, anyOwn, fc.boolean(), (present, wanted, names, sure) => {
        const kernel = kernelWith(present);
        const own = ownOf(names, present, sure);
        const first = plan({ wanted: tableOf(wanted), unknown: new Set(), own, dumped: kernel.dump() });
        expect(first.operations.filter((operation) => kernel.apply(operation) !== undefined)).toEqual([]);
        const foreign = present.filter(({ key }) => {
          const name = serviceName(key);
          return !names.includes(name) && !wanted.some((each) => serviceName(each.key) === name);
        });
        expect(ipvsadmRules(kernel.dump())).toEqual(ipvsadmRules([...wanted, ...foreign]));
        expect(first.foreign).toBe(foreign.length);
        const second = plan({
          wanted: tableOf(wanted),
          unknown: new Set(),
          own: first.own,
          dumped: kernel.dump(),
        });
        expect(second).toEqual({ operations: [], own: first.own, drift: 0, foreign: foreign.length });
      }),
      { numRuns: 200 },
    );
  });

  test("nobody else's service is named by any command", () => {
    fc.assert(
      fc.property(anyTable, anyTable, anyOwn, (present, wanted, names) => {
        const ours = new Set([...names, ...wanted.map(({ key }) => serviceName(key))]);
        const input = { own: ownOf(names, present, true), dumped: kernelWith(present).dump() };
        const changes = plan({ wanted: tableOf(wanted), unknown: new Set(), ...input }).operations;
        for (const operation of [...changes, ...planStop(input.own, input.dumped, "no")]) {
          if (operation.kind === "flush") expect.fail("takes everybody's");
          const named = operation.kind === "delete-service" || "destination" in operation;
          expect(ours).toContain(serviceName(named ? operation.service : operation.service.key));
        }
      }),
    );
  });

  test("a service that serves before and after serves all the time", () => {
    fc.assert(
      fc.property(anyTable, anyTable, (present, wanted) => {
        const kernel = kernelWith(present);
        const before = kernel.dump();
        const serving = wanted.filter(
          ({ key, destinations }) =>
            destinations.some(({ weight }) => weight > 0) && liveOf(before, serviceName(key)) > 0,
        );
        const planned = plan({ wanted: tableOf(wanted), unknown: new Set(), own: new Map(), dumped: before });
        for (const operation of planned.operations) {
          kernel.apply(operation);
          for (const { key } of serving) expect(liveOf(kernel.dump(), serviceName(key))).toBeGreaterThan(0);
        }
      }),
    );
  });

  test("what stays keeps its connections", () => {
    fc.assert(
      fc.property(anyTable, anyTable, (present, wanted) => {
        const kernel = kernelWith(present);
        for (const { key, destinations } of present) {
          for (const destination of destinations) kernel.connect(key, destination, 7);
        }
        const planned = plan({ wanted: tableOf(wanted), unknown: new Set(), own: new Map(), dumped: kernel.dump() });
        for (const operation of planned.operations) kernel.apply(operation);
        const before = tableOf(present);
        for (const { key, destinations } of kernel.dump()) {
          const old = before.get(serviceName(key))?.destinations.map(destinationName) ?? [];
          for (const destination of destinations) {
            expect(destination.connections.active).toBe(old.includes(destinationName(destination)) ? 7 : 0);
          }
        }
      }),
    );
  });

  test("the end leaves nothing of ours and all of others", () => {
    fc.assert(
      fc.property(anyTable, anyOwn, fc.constantFrom("no" as const, "services" as const), (present, names, mode) => {
        const kernel = kernelWith(present);
        for (const operation of planStop(ownOf(names, present, true), kernel.dump(), mode)) {
          expect(kernel.apply(operation)).toBeUndefined();
        }
        const others = present.filter(({ key }) => !names.includes(serviceName(key)));
        expect(ipvsadmRules(kernel.dump())).toEqual(ipvsadmRules(others));
      }),
    );
  });
});

describe("work", () => {
  test("grows as the tables do: 10,000 services of 2 destinations cost ten times what 1,000 do", () => {
    const [small, large] = [workFor(1_000), workFor(10_000)];
    expect(small).toBeGreaterThan(1_000);
    expect(large / small).toBeLessThan(10.01);
  });
});

/** How often the plan reads something of `count` services, of which each tenth has changed. */
function workFor(count: number): number {
  let reads = 0;
  const counted = <T extends object>(value: T): T =>
    new Proxy(value, {
      get(target, property) {
        reads++;
        const found: unknown = Reflect.get(target, property);
        return found;
      },
    });
  const services = (weight: (i: number) => number): WantedService[] =>
    Array.from({ length: count }, (_, i) => {
      const key = addressKey(`10.${i >> 16}.${(i >> 8) & 0xff}.${i & 0xff}`);
      const behind = [one, two].map((each) => counted({ ...each, weight: weight(i) }));
      return counted({ ...aService(key), destinations: counted(behind) });
    });
  const one = aDestination("192.0.2.11");
  const two = aDestination("192.0.2.12");
  const present = services(() => 1);
  const none = { active: 0, inactive: 0, persistent: 0 };
  const traffic = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 };
  const dumped = counted(
    present.map((service) =>
      counted({
        ...service,
        traffic,
        destinations: counted(service.destinations.map((each) => counted({ ...each, connections: none, traffic }))),
      }),
    ),
  );
  const wanted = tableOf(services((i) => (i % 10 === 0 ? 2 : 1)));
  reads = 0;
  const planned = plan({ wanted, unknown: new Set(), own: tableOf(present), dumped });
  expect(planned.operations.length).toBe((count / 10) * 2);
  planStop(planned.own, dumped, "no");
  return reads;
}
