// Plans against a real kernel: from each table that the contract knows to the next and back, beside a stranger's service.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type KernelVm, startKernelVm } from "@baton/kernel-vm";
import { afterAll, beforeAll, expect, test } from "vitest";

const held: { vm: KernelVm | undefined } = { vm: undefined };

beforeAll(async () => {
  held.vm = await startKernelVm();
}, 120_000);
afterAll(() => held.vm?.stop());

const libraries = fileURLToPath(new URL("../../", import.meta.url));

/** One process inside: prints what is not as it should be, a line each, and at last how many steps there were. */
const script = `
const { openIpvsTable } = await import(process.argv[1]);
const { ipvsadmRules, plan, planStop, serviceName } = await import(process.argv[2]);
const { addressKey, aDestination, aService, engineContract, tableContract } = await import(process.argv[3]);
const kernel = openIpvsTable();
const carryOut = (operations, what) =>
  kernel.change(operations).forEach((result, i) => {
    if (!result.ok) console.log(what, JSON.stringify(operations[i]), result.code);
  });
const foreign = { ...aService(addressKey("203.0.113.254")), destinations: [aDestination("203.0.113.253")] };
carryOut(
  [
    { kind: "flush" },
    { kind: "new-service", service: foreign },
    { kind: "new-destination", service: foreign.key, destination: foreign.destinations[0] },
  ],
  "begin",
);
const unknown = new Set();
let own = new Map();
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
carryOut([{ kind: "flush" }], "end");
kernel.close();
console.log(changes > 200 ? "enough changes" : changes);
`;

test("one plan leads from each table to the next, none of it refused, and the stranger's stays", async () => {
  const doors = ["linux/dist/mod.js", "ipvs/dist/mod.js", "ipvs/dist/testing/mod.js"].map((path) =>
    join(libraries, path),
  );
  const node = [process.execPath, "--input-type=module", "-e", script, ...doors];
  expect(await held.vm?.must(node, { timeoutSeconds: 90 })).toBe("enough changes\n");
}, 120_000);
