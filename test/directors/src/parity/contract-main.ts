// Inside the machine: from each table that the contract of tables knows to the next and back, beside a stranger's service.
// Prints what is not as it should be, a line each, and at last how many commands it took.
import {
  ipvsadmRules,
  type Operation,
  type OwnServices,
  plan,
  planStop,
  serviceName,
  type WantedService,
} from "@baton/ipvs";
import { aDestination, addressKey, aService, engineContract, tableContract } from "@baton/ipvs/testing";
import { openIpvsTable } from "@baton/linux";

const kernel = openIpvsTable();
const unknown = new Set<string>();

function carryOut(operations: readonly Operation[], what: string): void {
  for (const [i, result] of kernel.change(operations).entries()) {
    if (!result.ok) console.log(what, JSON.stringify(operations[i]), result.code);
  }
}

const stranger = aDestination("203.0.113.253");
const foreign: WantedService = { ...aService(addressKey("203.0.113.254")), destinations: [stranger] };
carryOut(
  [
    { kind: "flush" },
    { kind: "new-service", service: foreign },
    { kind: "new-destination", service: foreign.key, destination: stranger },
  ],
  "begin",
);

const changes = leadThroughAll();
carryOut([{ kind: "flush" }], "end");
kernel.close();
console.log(changes > 200 ? "enough changes" : changes);

function leadThroughAll(): number {
  let own: OwnServices = new Map();
  let changes = 0;
  const tables = [...tableContract, engineContract];
  for (const { name, left } of [...tables, ...tables.toReversed()]) {
    const wanted = new Map(left.map((service) => [serviceName(service.key), service]));
    const first = plan({ wanted, unknown, own, dumped: kernel.list() });
    carryOut(first.operations, name);
    const dumped = kernel.list();
    const second = plan({ wanted, unknown, own: first.own, dumped });
    if (first.drift + second.drift > 0) console.log(name, "drift", first.drift, second.drift);
    if (second.operations.length > 0) console.log(name, "again", JSON.stringify(second.operations));
    if (ipvsadmRules(dumped).join() !== ipvsadmRules([...left, foreign]).join()) console.log(name, "another table");
    own = first.own;
    changes += first.operations.length;
  }
  carryOut(planStop(own, kernel.list(), "no"), "end");
  if (ipvsadmRules(kernel.list()).join() !== ipvsadmRules([foreign]).join()) console.log("something is left");
  return changes;
}
