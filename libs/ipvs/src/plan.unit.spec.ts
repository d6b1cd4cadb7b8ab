import { describe, expect, test } from "vitest";
import {
  doubt,
  MemoryTable,
  type Operation,
  type OwnServices,
  ownByName,
  type PlanInput,
  plan,
  planStop,
  serviceFlags,
  serviceName,
  type WantedService,
} from "./mod.ts";
import { aDestination, addressKey, aService, markKey, withDestinations } from "./testing/mod.ts";

const web = addressKey("192.0.2.1");
const mail = addressKey("192.0.2.1", "tcp", 25);
const foreign = withDestinations(aService(addressKey("203.0.113.9")), aDestination("203.0.113.10"));
const one = aDestination("192.0.2.11");
const two = aDestination("192.0.2.12");

const tableOf = (...services: WantedService[]) => new Map(services.map((each) => [serviceName(each.key), each]));

function kernelWith(...services: WantedService[]): MemoryTable {
  const table = new MemoryTable();
  for (const { destinations, ...service } of services) {
    expect(table.apply({ kind: "new-service", service })).toBeUndefined();
    for (const destination of destinations) {
      expect(table.apply({ kind: "new-destination", service: service.key, destination })).toBeUndefined();
    }
  }
  return table;
}

const planFor = (wanted: WantedService[], kernel: MemoryTable, more: Partial<PlanInput> = {}) =>
  plan({ wanted: tableOf(...wanted), unknown: new Set(), own: new Map(), dumped: kernel.dump(), ...more });

/** As `new-destination 192.0.2.11 1`. */
const inShort = (operations: readonly Operation[]): string[] =>
  operations.map((operation) => {
    if (operation.kind === "flush") return "flush";
    if (operation.kind === "delete-service") return `delete-service ${serviceName(operation.service)}`;
    if (operation.kind === "new-service" || operation.kind === "set-service") {
      return `${operation.kind} ${serviceName(operation.service.key)}`;
    }
    const { address } = operation.destination;
    return operation.kind === "delete-destination"
      ? `${operation.kind} ${address}`
      : `${operation.kind} ${address} ${operation.destination.weight}`;
  });

describe("the difference", () => {
  test("from empty: each service, then its destinations", () => {
    const planned = planFor(
      [withDestinations(aService(web), one, two), withDestinations(aService(mail))],
      kernelWith(),
    );
    expect(inShort(planned.operations)).toEqual([
      "new-service tcp 192.0.2.1:80",
      "new-destination 192.0.2.11 1",
      "new-destination 192.0.2.12 1",
      "new-service tcp 192.0.2.1:25",
    ]);
  });

  test("nothing, where all is as it should be, whatever has been counted", () => {
    const wanted = [withDestinations(aService(web), one, two)];
    const kernel = kernelWith(...wanted);
    kernel.connect(web, one, 100);
    expect(planFor(wanted, kernel).operations).toEqual([]);
  });

  test.each<[string, Parameters<typeof aService>[1]]>([
    ["scheduler", { scheduler: "wlc" }],
    ["flags", { flags: serviceFlags.onePacket }],
    ["timeout", { timeoutSeconds: 5 }],
    ["netmask", { netmask: 0xffffff00 }],
    ["engine", { engine: "sip" }],
  ])("a changed %s is changed in place", (_, changes) => {
    const planned = planFor(
      [withDestinations(aService(web, changes), one)],
      kernelWith(withDestinations(aService(web), one)),
    );
    expect(planned.operations).toEqual([{ kind: "set-service", service: aService(web, changes) }]);
  });

  test.each<[string, Partial<typeof one>]>([
    ["weight", { weight: 3 }],
    ["upper threshold", { upperThreshold: 3 }],
    ["lower threshold", { upperThreshold: 9, lowerThreshold: 3 }],
    ["forwarding", { forwarding: { method: "direct-route" } }],
    ["tunnel", { forwarding: { method: "tunnel", tunnel: { type: "gre", checksum: "full" } } }],
  ])("a changed %s is changed in place", (_, changes) => {
    const kernel = kernelWith(withDestinations(aService(web), one, two));
    const planned = planFor([withDestinations(aService(web), { ...one, ...changes }, two)], kernel);
    expect(planned.operations).toEqual([
      { kind: "set-destination", service: web, destination: { ...one, ...changes } },
    ]);
  });

  test.each([
    [
      { type: "gue", port: 1, checksum: "none" },
      { type: "gue", port: 2, checksum: "none" },
    ],
    [
      { type: "gue", port: 1, checksum: "none" },
      { type: "gue", port: 1, checksum: "remote" },
    ],
    [
      { type: "gre", checksum: "none" },
      { type: "gre", checksum: "full" },
    ],
    [{ type: "ipip" }, { type: "gre", checksum: "none" }],
  ] as const)("tunnels %j and %j are two", (before, after) => {
    const tunnel = (each: typeof before | typeof after) => ({
      ...one,
      forwarding: { method: "tunnel", tunnel: each } as const,
    });
    const kernel = kernelWith(withDestinations(aService(web), tunnel(before)));
    expect(planFor([withDestinations(aService(web), tunnel(before))], kernel).operations).toEqual([]);
    const planned = planFor([withDestinations(aService(web), tunnel(after))], kernel);
    expect(inShort(planned.operations)).toEqual(["set-destination 192.0.2.11 1"]);
  });

  test("a key of another family or mark is another service", () => {
    const kernel = kernelWith(withDestinations(aService(markKey(1, 4))));
    const planned = planFor([withDestinations(aService(markKey(1, 6)))], kernel, { own: ownByName(["fwmark 1 IPv4"]) });
    expect(inShort(planned.operations)).toEqual(["new-service fwmark 1 IPv6", "delete-service fwmark 1 IPv4"]);
  });
});

describe("the order", () => {
  test("the one that comes is there before the one that goes has gone", () => {
    const kernel = kernelWith(withDestinations(aService(web), one));
    const planned = planFor([withDestinations(aService(web), two)], kernel);
    expect(inShort(planned.operations)).toEqual(["new-destination 192.0.2.12 1", "delete-destination 192.0.2.11"]);
  });

  test("the one that takes over serves before the other rests", () => {
    const kernel = kernelWith(withDestinations(aService(web), one, { ...two, weight: 0 }));
    const planned = planFor([withDestinations(aService(web), { ...one, weight: 0 }, two)], kernel);
    expect(inShort(planned.operations)).toEqual(["set-destination 192.0.2.12 1", "set-destination 192.0.2.11 0"]);
  });

  test("services that are not wanted any more go last", () => {
    const kernel = kernelWith(withDestinations(aService(mail), one));
    const planned = planFor([withDestinations(aService(web), one)], kernel, { own: ownByName([serviceName(mail)]) });
    expect(inShort(planned.operations)).toEqual([
      "new-service tcp 192.0.2.1:80",
      "new-destination 192.0.2.11 1",
      "delete-service tcp 192.0.2.1:25",
    ]);
  });
});

describe("whose services", () => {
  test("a service of somebody else is left alone, and counted", () => {
    const planned = planFor([withDestinations(aService(web), one)], kernelWith(foreign));
    expect([inShort(planned.operations).length, planned.foreign]).toEqual([2, 1]);
    expect([...planned.own.keys()]).toEqual([serviceName(web)]);
  });

  test("one of ours goes when it is not wanted any more", () => {
    const kernel = kernelWith(withDestinations(aService(web), one), foreign);
    const { own } = planFor([withDestinations(aService(web), one)], kernel);
    const planned = planFor([], kernel, { own });
    expect(inShort(planned.operations)).toEqual(["delete-service tcp 192.0.2.1:80"]);
    expect([planned.own.size, planned.foreign]).toEqual([0, 1]);
  });

  test("one that is there already is taken over and made right", () => {
    const kernel = kernelWith(withDestinations(aService(web, { scheduler: "wlc" }), two));
    const planned = planFor([withDestinations(aService(web), one)], kernel);
    expect(inShort(planned.operations)).toEqual([
      "set-service tcp 192.0.2.1:80",
      "new-destination 192.0.2.11 1",
      "delete-destination 192.0.2.12",
    ]);
    expect(planned.drift).toBe(0);
  });

  test("one whose pool is not known yet stays as it is, and ours", () => {
    const kernel = kernelWith(withDestinations(aService(web), one), withDestinations(aService(mail), one));
    const names = [serviceName(web), serviceName(mail)];
    const planned = planFor([], kernel, { own: ownByName([serviceName(web)]), unknown: new Set(names) });
    expect(planned).toEqual({ operations: [], own: ownByName([serviceName(web)]), drift: 0, foreign: 0 });
  });

  test("lvs_flush takes everybody's first, and then all is made", () => {
    const kernel = kernelWith(foreign, withDestinations(aService(web), one));
    const planned = planFor([withDestinations(aService(web), one)], kernel, { flush: true });
    expect(inShort(planned.operations)).toEqual([
      "flush",
      "new-service tcp 192.0.2.1:80",
      "new-destination 192.0.2.11 1",
    ]);
    expect(planned.foreign).toBe(0);
  });
});

describe("drift", () => {
  const wanted = [withDestinations(aService(web), one, two), withDestinations(aService(mail), one)];
  const own: OwnServices = tableOf(...wanted);

  test("what somebody else has changed is counted, and made right", () => {
    const kernel = kernelWith(...wanted);
    kernel.apply({ kind: "delete-service", service: mail });
    kernel.apply({ kind: "set-service", service: aService(web, { scheduler: "wlc" }) });
    kernel.apply({ kind: "set-destination", service: web, destination: { ...one, weight: 7 } });
    kernel.apply({ kind: "delete-destination", service: web, destination: two });
    kernel.apply({ kind: "new-destination", service: web, destination: aDestination("192.0.2.13") });
    const planned = planFor(wanted, kernel, { own });
    expect(planned.drift).toBe(5);
    for (const operation of planned.operations) expect(kernel.apply(operation)).toBeUndefined();
    expect(planFor(wanted, kernel, { own: planned.own })).toMatchObject({ operations: [], drift: 0 });
  });

  test("a change of the wish is none", () => {
    const planned = planFor([withDestinations(aService(web, { scheduler: "wlc" }), two)], kernelWith(...wanted), {
      own,
    });
    expect([planned.operations.length, planned.drift]).toEqual([3, 0]);
  });

  test("of a service whose command failed nobody knows", () => {
    const kernel = kernelWith(withDestinations(aService(web), one));
    const planned = planFor(wanted, kernel);
    const doubted = doubt(planned.own, [...planned.operations, { kind: "flush" }]);
    expect(doubted).toEqual(ownByName([serviceName(web), serviceName(mail)]));
    expect(planFor(wanted, kernel, { own: doubted })).toMatchObject({ operations: planned.operations, drift: 0 });
    expect(planned.own.get(serviceName(web))).toBeDefined();
  });

  test("a service that could not be removed is tried again", () => {
    const kernel = kernelWith(...wanted);
    const planned = planFor([], kernel, { own });
    const again = planFor([], kernel, { own: doubt(planned.own, planned.operations) });
    expect([again.operations, again.drift]).toEqual([planned.operations, 0]);
  });
});

describe("the end", () => {
  const kernel = kernelWith(withDestinations(aService(web), one, two), foreign);
  const own = ownByName([serviceName(web), serviceName(mail)]);

  test.each([
    ["keep", []],
    ["all", ["flush"]],
    ["services", ["delete-service tcp 192.0.2.1:80"]],
    ["no", ["delete-destination 192.0.2.12", "delete-destination 192.0.2.11", "delete-service tcp 192.0.2.1:80"]],
  ] as const)("%s", (mode, expected) => {
    expect(inShort(planStop(own, kernel.dump(), mode))).toEqual(expected);
  });
});
