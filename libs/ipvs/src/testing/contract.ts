// What Baton believes of the kernel's table, as data: commands, what the kernel answers to each, and what is there in the
// end. The table in memory is held to it, and so is a real kernel: each case starts from an empty table.
import type { TableError } from "../memory-table.ts";
import {
  type Destination,
  type DumpedService,
  destinationName,
  type Operation,
  type Service,
  type ServiceKey,
  serviceFlags,
  serviceName,
} from "../model.ts";
import { isSameDestination, isSameService, type WantedService } from "../table.ts";
import { aDestination, addressKey, aService, markKey, masquerade, withDestinations } from "./build.ts";

export interface ContractCase {
  readonly name: string;
  readonly steps: readonly ContractStep[];
  readonly left: readonly WantedService[];
}

/** `error` undefined: the kernel does it. */
export interface ContractStep {
  readonly operation: Operation;
  readonly error: TableError | undefined;
}

/** What a table of services has to offer to be held to the contract. */
export interface TableUnderTest {
  apply(operation: Operation): string | undefined;
  dump(): readonly DumpedService[];
}

/** Runs all cases, each on a table of its own; what is not as it should be, in sentences. */
export const checkContract = (makeTable: () => TableUnderTest): string[] =>
  tableContract.flatMap((each) => {
    const table = makeTable();
    const errors = each.steps.map(({ operation }) => table.apply(operation));
    return contractViolations(each, errors, table.dump());
  });

/** Of one case that somebody else has run: `errors` of its steps in their order, and the dump after the last. */
export function contractViolations(
  { name, steps, left }: ContractCase,
  errors: readonly (string | undefined)[],
  dumped: readonly DumpedService[],
): string[] {
  const said = steps.flatMap(({ operation, error }, index) =>
    errors[index] === error
      ? []
      : [`step ${index + 1} (${operation.kind}): ${errors[index] ?? "done"}, not ${error ?? "done"}`],
  );
  const present = new Map(dumped.map((each) => [serviceName(each.key), each]));
  const wrong = left.flatMap((service) => {
    const key = serviceName(service.key);
    const found = present.get(key);
    present.delete(key);
    if (found === undefined) return [`${key} is not there`];
    return serviceViolations(key, service, found);
  });
  return [...said, ...wrong, ...[...present.keys()].map((key) => `${key} is there`)].map((line) => `${name}: ${line}`);
}

function serviceViolations(key: string, service: WantedService, found: DumpedService): string[] {
  const wrong = isSameService(service, found) ? [] : [`${key} is ${JSON.stringify({ ...found, destinations: [] })}`];
  const present = new Map(found.destinations.map((each) => [destinationName(each), each]));
  for (const destination of service.destinations) {
    const name = destinationName(destination);
    const now = present.get(name);
    present.delete(name);
    if (now === undefined) wrong.push(`${key}: ${name} is not there`);
    else if (!isSameDestination(destination, now)) wrong.push(`${key}: ${name} is ${JSON.stringify(now)}`);
  }
  return [...wrong, ...[...present.keys()].map((name) => `${key}: ${name} is there`)];
}

const newService = (service: Service, error?: TableError): ContractStep => ({
  operation: { kind: "new-service", service },
  error,
});
const setService = (service: Service, error?: TableError): ContractStep => ({
  operation: { kind: "set-service", service },
  error,
});
const deleteService = (service: ServiceKey, error?: TableError): ContractStep => ({
  operation: { kind: "delete-service", service },
  error,
});
const newDestination = (service: ServiceKey, destination: Destination, error?: TableError): ContractStep => ({
  operation: { kind: "new-destination", service, destination },
  error,
});
const setDestination = (service: ServiceKey, destination: Destination, error?: TableError): ContractStep => ({
  operation: { kind: "set-destination", service, destination },
  error,
});
const deleteDestination = (service: ServiceKey, destination: Destination, error?: TableError): ContractStep => ({
  operation: { kind: "delete-destination", service, destination },
  error,
});

const web = addressKey("192.0.2.1");
const web6 = addressKey("2001:db8::1");
const one = aDestination("192.0.2.11");
const two = aDestination("192.0.2.12");
const one6 = aDestination("2001:db8::11");
const tunnel: Destination["forwarding"] = { method: "tunnel", tunnel: { type: "ipip" } };
const persistent: Partial<Service> = { flags: serviceFlags.persistent, timeoutSeconds: 300 };

const services: readonly ContractCase[] = [
  {
    name: "a service is made once",
    steps: [newService(aService(web)), newService(aService(web, { scheduler: "wlc" }), "EEXIST")],
    left: [withDestinations(aService(web))],
  },
  {
    name: "a service that is not there cannot be changed, removed or filled",
    steps: [
      setService(aService(web), "ESRCH"),
      deleteService(web, "ESRCH"),
      newDestination(web, one, "ESRCH"),
      setDestination(web, one, "ESRCH"),
      deleteDestination(web, one, "ESRCH"),
    ],
    left: [],
  },
  {
    name: "services are told apart by family, protocol, address, port and mark",
    steps: everyKey().map((key) => newService(aService(key))),
    left: everyKey().map((key) => withDestinations(aService(key))),
  },
  {
    name: "each attribute can be chosen",
    steps: everyService().map((service) => newService(service)),
    left: everyService().map((service) => withDestinations(service)),
  },
  {
    name: "each attribute can be changed in place, and the destinations stay",
    steps: [
      newService(aService(web)),
      newDestination(web, one),
      newDestination(web, aDestination("192.0.2.12", { weight: 0 })),
      ...["wrr", "lc", "sh", "mh", "rr"].map((scheduler) => setService(aService(web, { scheduler }))),
      setService(aService(web, { scheduler: "mh", flags: serviceFlags.sched1 | serviceFlags.sched2 })),
      setService(aService(web, { ...persistent, netmask: 0xffffff00 })),
    ],
    left: [
      withDestinations(
        aService(web, { ...persistent, netmask: 0xffffff00 }),
        one,
        aDestination("192.0.2.12", { weight: 0 }),
      ),
    ],
  },
  {
    name: "a flag that a change does not name is gone",
    steps: [
      newService(aService(web, { ...persistent, scheduler: "sh", flags: serviceFlags.persistent | 8 | 16 | 32 })),
      setService(aService(web, { scheduler: "sh", flags: serviceFlags.sched2 })),
    ],
    left: [withDestinations(aService(web, { scheduler: "sh", flags: serviceFlags.sched2 }))],
  },
  {
    name: "a scheduler that the kernel does not know changes nothing",
    steps: [
      newService(aService(addressKey("192.0.2.2"), { scheduler: "nonesuch" }), "ENOENT"),
      newService(aService(web, { scheduler: "wrr" })),
      setService(aService(web, { scheduler: "nonesuch", flags: serviceFlags.persistent }), "ENOENT"),
    ],
    left: [withDestinations(aService(web, { scheduler: "wrr" }))],
  },
  {
    name: "a persistence engine that the kernel does not know changes nothing",
    steps: [
      newService(aService(addressKey("192.0.2.2"), { ...persistent, engine: "nonesuch" }), "ENOENT"),
      newService(aService(web)),
      setService(aService(web, { ...persistent, engine: "nonesuch" }), "ENOENT"),
    ],
    left: [withDestinations(aService(web))],
  },
  {
    name: "an IPv6 prefix has 1 to 128 bits",
    steps: [
      newService(aService(web6, { netmask: 0 }), "EINVAL"),
      newService(aService(web6, { netmask: 129 }), "EINVAL"),
      newService(aService(web6, { netmask: 1 })),
      setService(aService(web6, { ...persistent, netmask: 129 }), "EINVAL"),
    ],
    left: [withDestinations(aService(web6, { netmask: 1 }))],
  },
  {
    name: "destinations go with their service, and do not come back with it",
    steps: [newService(aService(web)), newDestination(web, one), deleteService(web), newService(aService(web))],
    left: [withDestinations(aService(web))],
  },
  {
    name: "a flush takes everything, and finds nothing wrong with nothing",
    steps: [
      newService(aService(web)),
      newDestination(web, one),
      newService(aService(markKey(1, 6))),
      { operation: { kind: "flush" }, error: undefined },
      { operation: { kind: "flush" }, error: undefined },
    ],
    left: [],
  },
];

const destinations: readonly ContractCase[] = [
  {
    name: "a destination is made once",
    steps: [newService(aService(web)), newDestination(web, one), newDestination(web, { ...one, weight: 5 }, "EEXIST")],
    left: [withDestinations(aService(web), one)],
  },
  {
    name: "a destination that is not there cannot be changed or removed",
    steps: [newService(aService(web)), setDestination(web, one, "ENOENT"), deleteDestination(web, one, "ENOENT")],
    left: [withDestinations(aService(web))],
  },
  {
    name: "destinations are told apart by address and port",
    steps: [
      newService(aService(web)),
      newDestination(web, one),
      newDestination(web, { ...one, port: 81 }),
      newDestination(web, { ...one, port: 0 }),
      newDestination(web, two),
      deleteDestination(web, { ...one, port: 81 }),
    ],
    left: [withDestinations(aService(web), one, { ...one, port: 0 }, two)],
  },
  {
    name: "weights are 0 to 2^31 - 1",
    steps: [
      newService(aService(web)),
      newDestination(web, { ...one, weight: 2 ** 31 - 1 }),
      setDestination(web, { ...one, weight: 2 ** 31 }, "ERANGE"),
      newDestination(web, { ...two, weight: 2 ** 32 - 1 }, "ERANGE"),
      newDestination(web, { ...two, weight: 0 }),
    ],
    left: [withDestinations(aService(web), { ...one, weight: 2 ** 31 - 1 }, { ...two, weight: 0 })],
  },
  {
    name: "the lower threshold is not above the upper one",
    steps: [
      newService(aService(web)),
      newDestination(web, { ...one, lowerThreshold: 1 }, "ERANGE"),
      newDestination(web, { ...one, lowerThreshold: 7, upperThreshold: 7 }),
      setDestination(web, { ...one, lowerThreshold: 8, upperThreshold: 7 }, "ERANGE"),
      // What is more is refused by some kernels and taken by others: nobody asks for it.
      newDestination(web, { ...two, upperThreshold: 2 ** 31 - 1 }),
    ],
    left: [
      withDestinations(
        aService(web),
        { ...one, lowerThreshold: 7, upperThreshold: 7 },
        { ...two, upperThreshold: 2 ** 31 - 1 },
      ),
    ],
  },
  {
    name: "forwarding can be chosen, and changed in place",
    steps: [
      newService(aService(web)),
      ...everyForwarding().map((forwarding, i) =>
        newDestination(web, aDestination(`192.0.2.${20 + i}`, { forwarding })),
      ),
      newDestination(web, one),
      ...everyForwarding().map((forwarding) => setDestination(web, { ...one, forwarding })),
    ],
    left: [
      withDestinations(
        aService(web),
        ...everyForwarding().map((forwarding, i) => aDestination(`192.0.2.${20 + i}`, { forwarding })),
        { ...one, forwarding: everyForwarding().at(-1) ?? masquerade },
      ),
    ],
  },
  {
    name: "GUE wants a port",
    steps: [
      newService(aService(web)),
      newDestination(web, { ...one, forwarding: gue(0) }, "EINVAL"),
      newDestination(web, { ...one, forwarding: gue(6080) }),
      setDestination(web, { ...one, forwarding: gue(0) }, "EINVAL"),
    ],
    left: [withDestinations(aService(web), { ...one, forwarding: gue(6080) })],
  },
  {
    name: "a destination of the other family has to be in a tunnel",
    steps: [
      newService(aService(web)),
      newService(aService(web6)),
      newDestination(web, one6, "EINVAL"),
      newDestination(web6, one, "EINVAL"),
      newDestination(web, { ...one6, forwarding: tunnel }),
      newDestination(web6, { ...one, forwarding: tunnel }),
      setDestination(web, { ...one6, weight: 9 }, "EINVAL"),
      newDestination(web6, one6),
      deleteDestination(web6, one),
    ],
    left: [withDestinations(aService(web), { ...one6, forwarding: tunnel }), withDestinations(aService(web6), one6)],
  },
  {
    name: "a destination is one machine",
    steps: [
      newService(aService(web)),
      newService(aService(web6)),
      newDestination(web, aDestination("0.0.0.0"), "EINVAL"),
      newDestination(web, aDestination("224.0.0.18"), "EINVAL"),
      newDestination(web, aDestination("255.255.255.255"), "EINVAL"),
      newDestination(web6, aDestination("::"), "EINVAL"),
      newDestination(web6, aDestination("ff02::12"), "EINVAL"),
      newDestination(web6, aDestination("fe80::ffff:1"), "EINVAL"),
      newDestination(web, aDestination("127.0.0.1")),
      newDestination(web6, aDestination("::1")),
    ],
    left: [
      withDestinations(aService(web), aDestination("127.0.0.1")),
      withDestinations(aService(web6), aDestination("::1")),
    ],
  },
];

function everyKey(): ServiceKey[] {
  return [
    ...(["tcp", "udp", "sctp"] as const).flatMap((protocol) =>
      ["192.0.2.1", "192.0.2.2", "2001:db8::1"].flatMap((address) => [
        addressKey(address, protocol, 80),
        addressKey(address, protocol, 65535),
        addressKey(address, protocol, 0),
      ]),
    ),
    ...[1, 2 ** 32 - 1].flatMap((mark) => [markKey(mark, 4), markKey(mark, 6)]),
  ];
}

function everyService(): Service[] {
  const flags = [serviceFlags.onePacket, serviceFlags.sched1, serviceFlags.sched2, serviceFlags.sched3, 0x3d];
  return [
    ..."none rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq"
      .split(" ")
      .map((scheduler, i) => aService(addressKey(`192.0.2.${i + 1}`), { scheduler })),
    ...flags.map((bits, i) => aService(addressKey(`192.0.2.${i + 1}`, "udp"), { scheduler: "sh", flags: bits })),
    aService(addressKey("198.51.100.1"), { ...persistent, netmask: 0xffff0000 }),
    aService(addressKey("198.51.100.2"), { ...persistent, timeoutSeconds: 2_678_400, netmask: 0 }),
    aService(addressKey("2001:db8::2"), { ...persistent, netmask: 64 }),
    aService(markKey(7), { ...persistent, netmask: 0xff000000 }),
  ];
}

function everyForwarding(): Destination["forwarding"][] {
  return [
    masquerade,
    { method: "direct-route" },
    tunnel,
    gue(6080),
    { method: "tunnel", tunnel: { type: "gue", port: 65535, checksum: "full" } },
    { method: "tunnel", tunnel: { type: "gue", port: 1, checksum: "remote" } },
    { method: "tunnel", tunnel: { type: "gre", checksum: "none" } },
    { method: "tunnel", tunnel: { type: "gre", checksum: "full" } },
  ];
}

function gue(port: number): Destination["forwarding"] {
  return { method: "tunnel", tunnel: { type: "gue", port, checksum: "none" } };
}

export const tableContract: readonly ContractCase[] = [...services, ...destinations];

/** Apart from the others, as it needs the module ip_vs_pe_sip. */
export const engineContract: ContractCase = {
  name: "a persistence engine comes and goes in place",
  steps: [
    newService(aService(addressKey("192.0.2.1", "udp", 5060), { ...persistent, engine: "sip" })),
    newService(aService(addressKey("192.0.2.2", "udp", 5060), persistent)),
    setService(aService(addressKey("192.0.2.1", "udp", 5060), persistent)),
    setService(aService(addressKey("192.0.2.2", "udp", 5060), { ...persistent, engine: "sip" })),
    newDestination(addressKey("192.0.2.2", "udp", 5060), aDestination("192.0.2.11")),
  ],
  left: [
    withDestinations(aService(addressKey("192.0.2.1", "udp", 5060), persistent)),
    withDestinations(
      aService(addressKey("192.0.2.2", "udp", 5060), { ...persistent, engine: "sip" }),
      aDestination("192.0.2.11"),
    ),
  ],
};
