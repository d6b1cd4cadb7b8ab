import { describe, expect, test } from "vitest";
import { MemoryTable, type Operation, type TableError } from "./mod.ts";
import {
  aDestination,
  addressKey,
  aService,
  checkContract,
  contractViolations,
  engineContract,
  tableContract,
  withDestinations,
} from "./testing/mod.ts";

const web = addressKey("192.0.2.1");
const one = aDestination("192.0.2.11");

describe("the table in memory", () => {
  test.each(tableContract)("$name", (each) => {
    const table = new MemoryTable();
    const errors = each.steps.map(({ operation }) => table.apply(operation));
    expect(contractViolations(each, errors, table.dump())).toEqual([]);
  });

  test(engineContract.name, () => {
    const table = new MemoryTable();
    const errors = engineContract.steps.map(({ operation }) => table.apply(operation));
    expect(contractViolations(engineContract, errors, table.dump())).toEqual([]);
  });

  test("a service of two families cannot be, while a sync daemon runs", () => {
    const table = new MemoryTable();
    table.syncing = true;
    table.apply({ kind: "new-service", service: aService(web) });
    const forwarding = { method: "tunnel", tunnel: { type: "ipip" } } as const;
    const destination = aDestination("2001:db8::11", { forwarding });
    expect(table.apply({ kind: "new-destination", service: web, destination })).toBe("EINVAL");
    table.syncing = false;
    expect(table.apply({ kind: "new-destination", service: web, destination })).toBeUndefined();
  });

  test("connections stay through every change of service and destination", () => {
    const table = new MemoryTable();
    expect(table.connect(web, one, 1)).toBe(false);
    table.apply({ kind: "new-service", service: aService(web) });
    table.apply({ kind: "new-destination", service: web, destination: one });
    expect(table.connect(web, one, 3)).toBe(true);
    table.apply({ kind: "set-service", service: aService(web, { scheduler: "wlc" }) });
    table.apply({ kind: "set-destination", service: web, destination: { ...one, weight: 0 } });
    expect(table.dump()[0]?.destinations[0]).toMatchObject({ weight: 0, connections: { active: 3 } });
  });

  test("the newest destination comes first", () => {
    const table = new MemoryTable();
    table.apply({ kind: "new-service", service: aService(web) });
    for (const address of ["192.0.2.11", "192.0.2.12"]) {
      table.apply({ kind: "new-destination", service: web, destination: aDestination(address) });
    }
    expect(table.dump()[0]?.destinations.map(({ address }) => address)).toEqual(["192.0.2.12", "192.0.2.11"]);
  });
});

describe("the contract", () => {
  test("holds for the table in memory", () => {
    expect(checkContract(() => new MemoryTable())).toEqual([]);
  });

  test("is broken by a table that takes everything", () => {
    class Careless extends MemoryTable {
      override apply(operation: Operation): TableError | undefined {
        super.apply(operation);
        return undefined;
      }
    }
    const said = checkContract(() => new Careless());
    expect(said).toContain("a service is made once: step 2 (new-service): done, not EEXIST");
    const refusals = tableContract.filter(({ steps }) => steps.some(({ error }) => error !== undefined));
    for (const { name } of refusals) expect(said.some((line) => line.startsWith(name))).toBe(true);
  });

  test("is broken by a table that forgets", () => {
    const said = checkContract(() => ({ apply: () => undefined, dump: () => [] }));
    const filled = tableContract.filter(({ left }) => left.length > 0);
    for (const { name } of filled) expect(said.some((line) => line.startsWith(name))).toBe(true);
  });

  test("names what is too much, too little and different", () => {
    const table = new MemoryTable();
    table.apply({ kind: "new-service", service: aService(web, { scheduler: "wlc" }) });
    table.apply({ kind: "new-destination", service: web, destination: one });
    table.apply({ kind: "new-service", service: aService(addressKey("192.0.2.2")) });
    const left = [
      withDestinations(aService(web), aDestination("192.0.2.12")),
      withDestinations(aService(addressKey("192.0.2.3"))),
    ];
    expect(contractViolations({ name: "x", steps: [], left }, [], table.dump())).toEqual([
      expect.stringMatching(/^x: tcp 192\.0\.2\.1:80 is .*wlc/),
      "x: tcp 192.0.2.1:80: 192.0.2.12:80 is not there",
      "x: tcp 192.0.2.1:80: 192.0.2.11:80 is there",
      "x: tcp 192.0.2.3:80 is not there",
      "x: tcp 192.0.2.2:80 is there",
    ]);
  });
});
