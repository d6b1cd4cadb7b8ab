// Pools and the wanted table together, against keepalived: the same virtual servers, while their servers come and go.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { instant, micros } from "@baton/domain";
import { type Pool, startPool, stepPool, wantedDestinations } from "@baton/health";
import { ipvsadmRules, poolServerName, poolServers, wantedTable } from "@baton/ipvs";
import { parseConfig, type VirtualServerConfig } from "@baton/keepalived-conf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KernelVm, startKernelVm } from "./vm.ts";

let vm: KernelVm;
beforeAll(async () => {
  vm = await startKernelVm();
  await vm.must("modprobe -a ip_vs ip_vs_rr");
}, 120_000);
afterAll(() => vm?.stop());

/** Which of the two real servers answer, one state after the other. */
const phases: readonly (readonly string[])[] = [[], ["11"], ["11", "12"], ["12"], ["11", "12"], []];

const real = (host: string, lines = "", port = 80): string => `real_server 192.0.2.${host} ${port} {
  ${lines}
  MISC_CHECK {
    misc_path "/usr/bin/test -f /run/up${host}"
    delay_loop 1
    warmup 0
  }
}
`;
const service = (id: string, lines: string, servers = real("11") + real("12")): string =>
  `virtual_server ${id} {\nprotocol TCP\nlb_algo rr\nlb_kind DR\nalpha\n${lines}\n${servers}}\n`;
const sorry = "sorry_server 192.0.2.99 80";

/** What a service can say of its quorum and its sorry server: all of them at once, each on an address of its own. */
const services: Readonly<Record<string, string>> = {
  "nothing but servers": service("192.0.2.1 80", "lb_kind NAT"),
  "a sorry server": service("192.0.2.2 80", sorry),
  "a sorry server that stays": service("192.0.2.3 80", `${sorry}\nsorry_server_inhibit`),
  "servers that stay": service("192.0.2.4 80", "inhibit_on_failure"),
  "servers that stay, and a sorry server": service("192.0.2.5 80", `${sorry}\ninhibit_on_failure`),
  "a quorum of both": service("192.0.2.6 80", `${sorry}\nquorum 2`),
  "a quorum with hysteresis": service(
    "192.0.2.7 80",
    `${sorry}\nquorum 3\nhysteresis 1`,
    real("11", "weight 2") + real("12", "weight 2"),
  ),
  "a quorum without a sorry server": service("192.0.2.8 80", "quorum 2"),
  "servers that begin alive": service("192.0.2.9 80", `${sorry}\nalpha off`),
  "a mark": service("fwmark 7", sorry),
};

const text = Object.values(services).join("");

const { config } = parseConfig({ file: "keepalived.conf", hostName: "vm", readFile: () => ({ text }) });
const virtualServers = config?.virtualServers ?? [];

const startOf = (server: VirtualServerConfig): Pool => {
  const { quorum, hysteresis, omega, realServers, sorryServer } = server;
  return startPool(
    {
      name: JSON.stringify(server.id),
      quorum,
      hysteresis,
      omega,
      servers: realServers.map((each) => ({ ...each, server: poolServerName(each) })),
      sorryServer: sorryServer && { server: poolServerName(sorryServer), inhibit: sorryServer.inhibit },
      startNotices: false,
      panicGuard: false,
      slowStart: micros(0),
    },
    new Map(realServers.map((each) => [poolServerName(each), [{ check: "up", up: !each.alpha, weight: undefined }]])),
  ).state;
};

const report = (pool: Pool, up: readonly string[]): Pool =>
  pool.servers.reduce((state, { config: { server }, checks }) => {
    const now = up.some((host) => server.startsWith(`192.0.2.${host}:`));
    if (checks[0]?.up === now) return state;
    const said = { check: "up", up: now, weight: undefined };
    return stepPool(state, { type: "check-reported", server, report: said, news: "changed" }, instant(0)).state;
  }, pool);

/** The rules of each phase. */
function expected(): string[][] {
  let pools = new Map(virtualServers.map((server) => [server, startOf(server)]));
  return phases.map((up) => {
    pools = new Map([...pools].map(([server, pool]) => [server, report(pool, up)]));
    const wanted = wantedTable({ virtualServers, virtualServerGroups: [] }, (server) => {
      const pool = pools.get(server);
      return pool && poolServers(server, wantedDestinations(pool));
    });
    return ipvsadmRules(wanted.services.values()).toSorted();
  });
}

/** Waits in each phase until the table is as expected, for 12 s and more, and prints it. */
const script = (directory: string): string => `
export LC_ALL=C
keepalived -C -n -l -p /run/k.pid -c /run/c.pid -f ${directory}/keepalived.conf >/run/log 2>&1 &
pid=$!
${phases
  .map(
    (up, i) => `
rm -f /run/up11 /run/up12; ${up.map((host) => `touch /run/up${host}; `).join("")}
for i in $(seq 60); do ipvsadm -Sn | sort | cmp -s - ${directory}/expected${i} && break; sleep 0.2; done
ipvsadm -Sn | sort; echo end`,
  )
  .join("")}
kill $pid; wait $pid
`;

test("as keepalived has it, while servers come and go", async () => {
  const tables = expected();
  expect(virtualServers).toHaveLength(Object.keys(services).length);
  // Each state is another table than the one before: nobody waits for what is there already.
  expect(tables.filter((rules, i) => rules.join() === tables[i - 1]?.join())).toEqual([]);
  writeFileSync(join(vm.directory, "keepalived.conf"), text);
  tables.forEach((rules, i) => {
    writeFileSync(join(vm.directory, `expected${i}`), rules.map((line) => `${line}\n`).join(""));
  });
  const said = await vm.must(script(vm.directory), { timeoutSeconds: 200 });
  const present = said.split("end\n").map((table) => table.split("\n").filter((line) => line !== ""));
  expect(present.slice(0, -1)).toEqual(tables);
}, 240_000);
