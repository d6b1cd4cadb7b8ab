// The wanted table against the two that know: what ipvsadm prints of a table that it has read, and what keepalived puts
// into the kernel for the same file.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ForwardingMethod,
  ipvsadmRules,
  serviceFlags,
  sortRules,
  type TunnelEncapsulation,
  type WantedService,
  wantedTable,
} from "@baton/ipvs";
import { aDestination, addressKey, aService, markKey, withDestinations } from "@baton/ipvs/testing";
import { parseConfig } from "@baton/keepalived-conf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { phasesFile, phasesScript, phaseTables } from "./ipvs-phases.ts";
import { type KernelVm, startKernelVm } from "./vm.ts";

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

const server = (id: string, lines: string, ...servers: string[]): string =>
  `virtual_server ${id} {\n${lines}\n${servers.map((each) => `real_server ${each}\n`).join("")}}\n`;
const group = (...entries: string[]): string => `virtual_server_group g {\n${entries.join("\n")}\n}\n`;
const tcp = "delay_loop 6\nlb_algo rr\nprotocol TCP";
const udp = "delay_loop 6\nlb_algo wlc\nprotocol UDP";

/** By what is special about them. */
const files: Readonly<Record<string, string>> = {
  "ports by method": [
    server("192.0.2.1 80", `${tcp}\nlb_kind NAT`, "192.0.2.11 8080 {\nweight 3\n}", "192.0.2.12 0 {\n}"),
    server("192.0.2.1 81", `${tcp}\nlb_kind DR`, "192.0.2.11 80 {\n}", "192.0.2.12 0 {\nweight 0\n}"),
    server("192.0.2.1 82", `${tcp}\nlb_kind TUN`, "192.0.2.11 82 {\n}"),
    server("fwmark 7", "delay_loop 6\nlb_algo rr\nlb_kind DR", "192.0.2.11 80 {\n}"),
    server("fwmark 8", "delay_loop 6\nlb_algo rr\nlb_kind NAT", "192.0.2.11 80 {\n}", "192.0.2.12 0 {\n}"),
  ].join(""),
  "schedulers and their flags": [
    ..."rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq"
      .split(" ")
      .map((name, i) =>
        server(`192.0.2.${i + 1} 80`, `protocol TCP\nlb_algo ${name}\nlb_kind NAT`, "192.0.2.99 80 {\n}"),
      ),
    server("192.0.2.100 80", "protocol TCP\nlb_algo sh\nsh-port\nsh-fallback\nlb_kind NAT", "192.0.2.99 80 {\n}"),
    server("192.0.2.101 80", "protocol TCP\nlb_algo mh\nmh-port\nlb_kind NAT", "192.0.2.99 80 {\n}"),
    server("192.0.2.102 80", "protocol TCP\nlb_algo rr\nflag-1\nflag-3\nlb_kind NAT", "192.0.2.99 80 {\n}"),
    server("192.0.2.103 80", `${udp}\nops\nlb_kind NAT`, "192.0.2.99 80 {\n}"),
  ].join(""),
  persistence: [
    server("192.0.2.1 80", `${tcp}\nlb_kind NAT\npersistence_timeout 600`, "192.0.2.11 80 {\n}"),
    server("192.0.2.2 0", `${tcp}\nlb_kind DR`, "192.0.2.11 80 {\n}"),
    server(
      "192.0.2.3 80",
      `${tcp}\nlb_kind NAT\npersistence_timeout 60\npersistence_granularity 255.255.254.0`,
      "192.0.2.11 80 {\n}",
    ),
    server(
      "192.0.2.4 5060",
      `${udp}\nlb_kind NAT\npersistence_timeout 60\npersistence_engine sip`,
      "192.0.2.11 80 {\n}",
    ),
    server(
      "2001:db8::1 80",
      `${tcp}\nlb_kind NAT\npersistence_timeout 60\npersistence_granularity 64`,
      "2001:db8::11 80 {\n}",
    ),
  ].join(""),
  "tunnels and families": [
    server(
      "192.0.2.1 80",
      `${tcp}\nlb_kind TUN`,
      "192.0.2.11 80 {\n}",
      "2001:db8::11 80 {\n}",
      "192.0.2.12 80 {\nlvs_method TUN type gue port 6080 remcsum\n}",
      "192.0.2.13 80 {\nlvs_method TUN type gre csum\n}",
      "192.0.2.14 80 {\nlvs_method NAT\n}",
    ),
    server("2001:db8::1 53", `${udp}\nlb_kind DR`, "2001:db8::11 53 {\n}"),
    server("192.0.2.1 80", "delay_loop 6\nlb_algo rr\nprotocol SCTP\nlb_kind NAT", "192.0.2.11 80 {\n}"),
    server("fwmark 6", "delay_loop 6\nlb_algo rr\nlb_kind NAT\nip_family inet6", "2001:db8::11 80 {\n}"),
  ].join(""),
  "a group of ranges and marks, persistent": [
    group("192.0.2.1-3 80", "192.0.2.254-255 81", "fwmark 7"),
    server(
      "group g",
      `${tcp}\nlb_kind DR\npersistence_timeout 60\npersistence_granularity 255.255.255.0`,
      "192.0.2.11 80 {\nlvs_method NAT\n}",
      "192.0.2.12 0 {\n}",
      "192.0.2.13 0 {\nlvs_method NAT\n}",
    ),
  ].join(""),
  "a group of both families": [
    group("2001:db8::1-3 80", "192.0.2.1 80", "fwmark 7 inet6", "fwmark 7 inet"),
    server("group g", `${tcp}\nlb_kind TUN`, "192.0.2.11 80 {\n}", "2001:db8::11 80 {\n}"),
  ].join(""),
  "a group for two protocols": [
    group("192.0.2.1 53"),
    server("group g", `${tcp}\nlb_kind NAT`, "192.0.2.11 53 {\n}"),
    server("group g", `${udp}\nlb_kind NAT`, "192.0.2.12 53 {\n}"),
  ].join(""),
};

/** Runs keepalived until its table is as long as expected, or for 10 s, and prints what is there, then what it leaves. */
const script = (file: string, lines: number): string => `
keepalived -C -n -l -p /run/k.pid -c /run/c.pid -f ${file} >/run/log 2>&1 &
pid=$!
for i in $(seq 100); do [ "$(ipvsadm -Sn | wc -l)" -ge ${lines} ] && break; sleep 0.1; done
sleep 0.2
ipvsadm -Sn
kill $pid; wait $pid
echo left; ipvsadm -Sn; ipvsadm -C
`;

/** With everybody alive. */
function wantedOf(text: string): WantedService[] {
  const { config } = parseConfig({ file: "keepalived.conf", hostName: "vm", readFile: () => ({ text }) });
  const wanted = wantedTable(config ?? expect.fail("no configuration"), ({ realServers }) => realServers);
  return [...wanted.services.values()];
}

describe("as keepalived has it, for a file with", () => {
  test.each(Object.entries(files))(
    "%s",
    async (_, text) => {
      const { config } = parseConfig({ file: "keepalived.conf", hostName: "vm", readFile: () => ({ text }) });
      const wanted = wantedTable(config ?? expect.fail("no configuration"), ({ realServers }) => realServers);
      const rules = ipvsadmRules(wanted.services.values());
      const file = join(vm.directory, "keepalived.conf");
      writeFileSync(file, text);
      const said = await vm.must(script(file, rules.length), { timeoutSeconds: 90 });
      const [present = "", left] = said.split("left\n");
      expect(sortRules(present.split("\n"))).toEqual(sortRules(rules));
      expect(left).toBe("");
    },
    120_000,
  );
});

/** Before and after: everything that a reload can change in the table. */
const reloaded: readonly [string, string] = [
  [
    server("192.0.2.1 80", `${tcp}\nlb_kind NAT`, "192.0.2.11 80 {\nweight 1\n}", "192.0.2.12 80 {\n}"),
    server("192.0.2.2 80", `${tcp}\nlb_kind NAT\npersistence_timeout 60`, "192.0.2.11 80 {\n}"),
    server("192.0.2.3 80", `${tcp}\nlb_kind DR`, "192.0.2.11 80 {\n}", "192.0.2.12 80 {\n}"),
    server("fwmark 7", "delay_loop 6\nlb_algo rr\nlb_kind DR", "192.0.2.11 80 {\n}"),
    group("192.0.2.100-102 80"),
    server("group g", `${tcp}\nlb_kind NAT`, "192.0.2.11 80 {\n}"),
  ].join(""),
  [
    server(
      "192.0.2.1 80",
      `${tcp}\nlb_kind NAT\nlb_algo mh\nmh-port`,
      "192.0.2.11 80 {\nweight 9\n}",
      "192.0.2.13 80 {\n}",
    ),
    server("192.0.2.2 80", `${tcp}\nlb_kind NAT\nlb_algo wrr`, "192.0.2.11 80 {\n}"),
    server(
      "192.0.2.3 80",
      `${tcp}\nlb_kind DR\npersistence_timeout 90\npersistence_granularity 255.255.255.0`,
      "192.0.2.11 80 {\nlvs_method NAT\n}",
      "192.0.2.12 80 {\nlvs_method TUN\n}",
    ),
    server("fwmark 8", "delay_loop 6\nlb_algo rr\nlb_kind DR", "192.0.2.11 80 {\n}"),
    group("192.0.2.100-102 80", "192.0.2.110 81"),
    server("group g", `${tcp}\nlb_kind NAT`, "192.0.2.11 80 {\n}", "192.0.2.12 80 {\n}"),
  ].join(""),
];

/** As `script`, with a reload; what is there after it. */
const reloadScript = (directory: string): string => `
export LC_ALL=C
until_as() { for i in $(seq 60); do ipvsadm -Sn | sort | cmp -s - $1 && break; sleep 0.2; done; }
cp ${directory}/conf0 /run/k.conf
keepalived -C -n -l -p /run/k.pid -c /run/c.pid -f /run/k.conf >/run/log 2>&1 &
pid=$!
until_as ${directory}/rules0
cp ${directory}/conf1 /run/k.conf; kill -HUP $pid
until_as ${directory}/rules1
ipvsadm -Sn | sort
kill $pid; wait $pid; ipvsadm -C
`;

test("as keepalived has it after a reload", async () => {
  const tables = reloaded.map((text, i) => {
    const rules = ipvsadmRules(wantedOf(text)).toSorted();
    writeFileSync(join(vm.directory, `conf${i}`), text);
    writeFileSync(join(vm.directory, `rules${i}`), rules.map((line) => `${line}\n`).join(""));
    return rules;
  });
  const present = await vm.must(reloadScript(vm.directory), { timeoutSeconds: 90 });
  expect(present.trim().split("\n").sort()).toEqual(tables[1]);
  expect(tables[1]).not.toEqual(tables[0]);
}, 120_000);

test("as keepalived has it, while servers come and go", async () => {
  const tables = phaseTables();
  // Each state is another table than the one before: nobody waits for what is there already.
  expect(new Set(tables.map((rules) => rules.join())).size).toBeGreaterThan(3);
  expect(tables.filter((rules, i) => rules.join() === tables[i - 1]?.join())).toEqual([]);
  writeFileSync(join(vm.directory, "keepalived.conf"), phasesFile);
  tables.forEach((rules, i) => {
    writeFileSync(join(vm.directory, `expected${i}`), rules.map((line) => `${line}\n`).join(""));
  });
  const said = await vm.must(phasesScript(vm.directory), { timeoutSeconds: 200 });
  const present = said.split("end\n").map((table) => table.split("\n").filter((line) => line !== ""));
  expect(present.slice(0, -1)).toEqual(tables);
}, 240_000);
