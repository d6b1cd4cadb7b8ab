// Tables of the kernel against the two that know: what ipvsadm prints of a table that it has read, and what keepalived
// makes of a file.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ForwardingMethod,
  ipvsadmRules,
  serviceFlags,
  sortRules,
  type TunnelEncapsulation,
  type WantedService,
} from "@baton/ipvs";
import { aDestination, addressKey, aService, markKey, withDestinations } from "@baton/ipvs/testing";
import { type KernelVm, startKernelVm } from "@baton/kernel-vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Configuration, configurations } from "./configurations.ts";
import { configurationIn, hurried, parityTask } from "./parity-task.ts";
import { states } from "./states.ts";
import type { ParityAnswer } from "./task.ts";

let vm: KernelVm;
beforeAll(async () => {
  vm = await startKernelVm();
  await vm.must("modprobe -a ip_vs ip_vs_pe_sip");
}, 120_000);
afterAll(() => vm?.stop());

/** All that a rule can say, and that ipvsadm reads. */
function everyRule(): WantedService[] {
  const flags = (...names: (keyof typeof serviceFlags)[]): number =>
    names.reduce((all, name) => all | serviceFlags[name], 0);
  const persistent = { flags: flags("persistent"), timeoutSeconds: 300 };
  const tunnel = (encapsulation: TunnelEncapsulation): ForwardingMethod => ({
    method: "tunnel",
    tunnel: encapsulation,
  });
  const forwardings: ForwardingMethod[] = [
    { method: "masquerade" },
    { method: "direct-route" },
    tunnel({ type: "ipip" }),
    ...(["none", "full", "remote"] as const).map((checksum) => tunnel({ type: "gue", port: 6080, checksum })),
    ...(["none", "full"] as const).map((checksum) => tunnel({ type: "gre", checksum })),
  ];
  const hashed = (["sh", "mh", "rr"] as const).flatMap((scheduler, i) =>
    (["sched1", "sched2", "sched3"] as const).map((flag, k) =>
      withDestinations(aService(addressKey(`192.0.2.${i * 3 + k}`, "udp"), { scheduler, flags: flags(flag) })),
    ),
  );
  return [
    ...hashed,
    withDestinations(
      aService(addressKey("198.51.100.1")),
      ...forwardings.map((forwarding, i) => aDestination(`192.0.2.${i + 1}`, { forwarding, weight: i })),
    ),
    withDestinations(
      aService(addressKey("2001:db8::1", "sctp", 0), { ...persistent, netmask: 64 }),
      aDestination("::1"),
    ),
    withDestinations(aService(addressKey("198.51.100.2"), { ...persistent, netmask: 0xfffffe00, engine: "sip" })),
    withDestinations(
      aService(markKey(7), { ...persistent, flags: flags("persistent", "onePacket", "sched1", "sched3") }),
    ),
    withDestinations(aService(markKey(7, 6), { scheduler: "sh", flags: flags("sched1", "sched2") })),
  ];
}

test("rules are printed as ipvsadm prints them", async () => {
  const rules = ipvsadmRules(everyRule());
  // Where it has no name for a flag it prints none, and does not read that again.
  const readable = rules.map((line) => `${line.replace(/-b $/, "-b flag-3")}\n`);
  writeFileSync(join(vm.directory, "rules"), readable.join(""));
  const printed = await vm.must("ipvsadm -R <rules && ipvsadm -Sn && ipvsadm -C", { directory: vm.directory });
  expect(sortRules(printed.split("\n"))).toEqual(sortRules(rules));
});

const inside = (file: string): string => fileURLToPath(new URL(`../../dist/parity/${file}`, import.meta.url));

test("one plan leads from each table to the next, none of it refused, and the stranger's stays", async () => {
  const said = await vm.must([process.execPath, inside("contract-main.js")], { timeoutSeconds: 90 });
  expect(said).toBe("enough changes\n");
}, 120_000);

/** Word for word, as their users have them, but for the pauses. */
const users = ["lvs-dr-http-get.conf", "lvs-dr-tcp-check-sorry.conf"].flatMap((name): Configuration[] => {
  const file = fileURLToPath(new URL(`../../../../../shared/seed-configs/${name}`, import.meta.url));
  if (existsSync(file)) return [hurried(configurationIn(file))];
  console.warn(`${file} is missing: not compared`);
  return [];
});

/** `npm run directors -- running` has generated ones as well. */
const task = parityTask([...configurations, ...users], 20);

test("as keepalived has it: at the start, while servers come and go, after a reload, and in the end", async () => {
  const [question, answer] = [join(vm.directory, "task.json"), join(vm.directory, "answer.json")];
  writeFileSync(question, JSON.stringify(task));
  console.info(
    await vm.must([process.execPath, inside("directors-main.js"), question, answer], { timeoutSeconds: 480 }),
  );
  const { differences, compared } = JSON.parse(readFileSync(answer, "utf8")) as ParityAnswer;
  expect(differences).toEqual([]);
  const count = task.configurations.length;
  const comparable = task.configurations.filter(({ reloads }) => reloads).length;
  expect(compared).toEqual({ keepalived: count * (states.length + 2) + comparable, own: count * (states.length + 1) });
}, 540_000);
