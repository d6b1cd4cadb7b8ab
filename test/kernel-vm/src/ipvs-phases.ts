// Virtual servers whose servers come and go: a file for keepalived, the script that runs it through all states, and what
// pools and the wanted table make of each.
import { instant, micros } from "@baton/domain";
import { type Pool, startPool, stepPool, wantedDestinations } from "@baton/health";
import { ipvsadmRules, poolServerName, poolServers, wantedTable } from "@baton/ipvs";
import { parseConfig, type VirtualServerConfig } from "@baton/keepalived-conf";

/** Which of the two real servers answer, one state after the other. */
const phases: readonly (readonly string[])[] = [[], ["11"], ["11", "12"], ["12"], ["11", "12"], []];

/** A file that says 0 is a server that answers: keepalived hears of it at once, and starts no programs. */
const real = (host: string, lines = ""): string => `real_server 192.0.2.${host} 80 {
  ${lines}
  FILE_CHECK {
    track_file down${host}
    weight 0
  }
}
`;
const trackFiles = ["11", "12"].map((host) => `track_file down${host} {\nfile /run/down${host}\nweight 0\n}\n`);
const service = (id: string, lines: string, servers = real("11") + real("12")): string =>
  `virtual_server ${id} {\nprotocol TCP\nlb_algo rr\nlb_kind DR\n${lines}\n${servers}}\n`;
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
  "a mark": service("fwmark 7", sorry),
};

export const phasesFile = [...trackFiles, ...Object.values(services)].join("");

const { config } = parseConfig({ file: "keepalived.conf", hostName: "vm", readFile: () => ({ text: phasesFile }) });
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
    new Map(realServers.map((each) => [poolServerName(each), [{ check: "up", up: false, weight: undefined }]])),
  ).state;
};

const report = (pool: Pool, up: readonly string[]): Pool =>
  pool.servers.reduce((state, { config: { server }, checks }) => {
    const now = up.some((host) => server.startsWith(`192.0.2.${host}:`));
    if (checks[0]?.up === now) return state;
    const said = { check: "up", up: now, weight: undefined };
    return stepPool(state, { type: "check-reported", server, report: said, news: "changed" }, instant(0)).state;
  }, pool);

/** The rules of each state, in order of their text. */
export function phaseTables(): string[][] {
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

const files = (up: readonly string[]): string =>
  ["11", "12"].map((host) => `echo ${up.includes(host) ? 0 : 1} >/run/down${host}`).join("; ");

/** Waits in each state until the table is as in `expectedN`, for 12 s and more, and prints it and `end`. */
export const phasesScript = (directory: string): string => `
export LC_ALL=C
${files([])}
keepalived -C -n -l -p /run/k.pid -c /run/c.pid -f ${directory}/keepalived.conf >/run/log 2>&1 &
pid=$!
${phases
  .map(
    (up, i) => `
${files(up)}
for i in $(seq 60); do ipvsadm -Sn | sort | cmp -s - ${directory}/expected${i} && break; sleep 0.2; done
ipvsadm -Sn | sort; echo end`,
  )
  .join("")}
kill $pid; wait $pid
`;
