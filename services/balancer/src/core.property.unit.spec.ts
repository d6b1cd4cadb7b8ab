// Whatever happens in whatever order (pools, reloads, restarts, others' commands, a kernel that refuses or is silent), in
// the end the kernel has what is wanted, and what somebody else has made is as he made it.
import { ipvsadmRules, MemoryTable, type Operation, poolServers, wantedTable } from "@baton/ipvs";
import { aDestination, addressKey, aService } from "@baton/ipvs/testing";
import { virtualServerName } from "@baton/keepalived-conf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { change, configOf, pool, Rig, virtualServer } from "./testing/rig.ts";

const hosts = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
const servers = [1, 2, 3];
const group = "virtual_server_group g {\n192.0.2.2-3 80\n192.0.2.7 80\n}\n";

/** Configurations with services in common, by address and by group. */
const texts = [
  hosts.map((host) => virtualServer(`${host} 80`, servers)).join(""),
  virtualServer("192.0.2.1 80", [1, 2], "persistence_timeout 60"),
  `${group}${virtualServer("group g", servers)}${virtualServer("192.0.2.1 80", servers, "lb_algo wrr")}`,
  `${virtualServer("192.0.2.3 80", [2, 3])}${group}${virtualServer("group g", [1])}`,
];
const names = [...new Set(texts.flatMap((text) => configOf(text).virtualServers.map(virtualServerName)))];

const weights = fc.dictionary(fc.constantFrom("1", "2", "3"), fc.integer({ min: 0, max: 4 }), { maxKeys: 3 });
const key = fc.constantFrom(...hosts).map((host) => addressKey(host));
const destination = fc.constantFrom(...servers, 9).map((host) => aDestination(`10.0.0.${host}`));
/** Who makes a service has one of his own, unless it is wanted: that is told elsewhere. */
const meddling: fc.Arbitrary<Operation> = fc.oneof(
  fc.constant<Operation>({ kind: "flush" }),
  key.map((service): Operation => ({ kind: "delete-service", service })),
  key.map((of): Operation => ({ kind: "set-service", service: aService(of, { scheduler: "lc" }) })),
  fc
    .tuple(key, destination)
    .map(([service, each]): Operation => ({ kind: "new-destination", service, destination: each })),
  fc
    .tuple(key, destination)
    .map(([service, each]): Operation => ({ kind: "delete-destination", service, destination: each })),
);

const step = fc.oneof(
  fc.record({ do: fc.constant("tell" as const), of: fc.uniqueArray(fc.constantFrom(...names)), weights }),
  fc.record({
    do: fc.constant("change" as const),
    of: fc.constantFrom(...names),
    weights,
    removed: fc.subarray(servers),
  }),
  fc.record({ do: fc.constant("configure" as const), text: fc.constantFrom(...texts) }),
  fc.record({ do: fc.constant("meddle" as const), operation: meddling }),
  fc.record({ do: fc.constant("work" as const), questions: fc.nat(4) }),
  fc.constant({ do: "tick" as const }),
  fc.constant({ do: "restart" as const }),
  fc.record({ do: fc.constant("mood" as const), isDeaf: fc.boolean(), refusing: fc.boolean() }),
);

const foreign = aService(addressKey("203.0.113.1"), { scheduler: "sh" });
const foreignServer = aDestination("10.9.9.9", { weight: 7 });

function restore(table: MemoryTable): void {
  table.apply({ kind: "new-service", service: foreign });
  table.apply({ kind: "new-destination", service: foreign.key, destination: foreignServer });
}

function meddle(table: MemoryTable, operation: Operation): void {
  table.apply(operation);
  if (operation.kind === "flush") restore(table);
}

test("in the end the kernel has what is wanted", () => {
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(step, { maxLength: 40 }), (first, steps) => {
      const table = new MemoryTable();
      restore(table);
      let [text, rig] = [first, new Rig(first, { table })];
      for (const each of steps) {
        if (each.do === "tell") rig.feed({ type: "pools-told", states: each.of.map((of) => pool(of, each.weights)) });
        if (each.do === "change") rig.feed(change(each.of, each.weights, each.removed));
        if (each.do === "configure") {
          text = each.text;
          rig.feed({ type: "configured", config: configOf(text) });
        }
        if (each.do === "meddle") {
          meddle(table, each.operation);
        }
        if (each.do === "work") for (let n = 0; n < each.questions; n++) rig.once();
        if (each.do === "tick") rig.wait(60_000_000).feed({ type: "tick" });
        if (each.do === "restart") rig = new Rig(text, { table, own: rig.own });
        if (each.do === "mood") {
          rig.kernel.isDeaf = each.isDeaf;
          rig.kernel.refuse = (operation) =>
            each.refusing && operation.kind !== "delete-service" ? "EBUSY" : undefined;
        }
      }
      rig.kernel.isDeaf = false;
      rig.kernel.refuse = () => undefined;
      const config = configOf(text);
      const last = new Map(
        config.virtualServers.map((server) => [server, pool(virtualServerName(server), { 1: 1, 2: 2 })]),
      );
      rig.feed({ type: "pools-told", states: [...last.values()] }).tick();
      rig.tick();
      const wanted = wantedTable(config, (server) =>
        poolServers(
          server,
          (last.get(server)?.destinations ?? []).map((each) => ({ ...each, role: "real" as const })),
        ),
      );
      const expected = [...wanted.services.values(), { ...foreign, destinations: [foreignServer] }];
      expect(rig.rules).toEqual(
        ipvsadmRules(expected)
          .map((line) => line.trim())
          .toSorted(),
      );
      rig.forget().tick();
      expect([rig.asked.filter(({ kind }) => kind === "change"), rig.core.errors()]).toEqual([[], []]);
      rig.feed({ type: "stopped", mode: "no" }).run();
      expect(rig.rules).toHaveLength(2);
    }),
    { numRuns: 300 },
  );
});
