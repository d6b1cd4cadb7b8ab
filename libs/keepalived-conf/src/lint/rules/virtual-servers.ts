// Virtual servers and their real servers.
import type { RealServerConfig, SorryServerConfig, VirtualServerConfig } from "../../config.ts";
import { virtualServer } from "../../keywords/virtual-server.ts";
import { block, file, router } from "../example.ts";
import { addressesOf } from "../pairs.ts";
import type { Finding, LintedFile, LintRule } from "../rule.ts";

const tcpCheck = block("TCP_CHECK", "connect_timeout 3");
const server = (...lines: readonly string[]): string =>
  file(block("virtual_server 192.0.2.10 80", "lb_algo rr", "lb_kind NAT", "protocol TCP", ...lines));
const real = (address: string, ...lines: readonly string[]): string => block(`real_server ${address} 80`, ...lines);

const realServerIsVirtual: LintRule = {
  name: "real-server-is-virtual",
  title: "A real server or sorry server has a virtual address",
  severity: "warning",
  why:
    "The address is that of the director itself: what is sent there comes back to the virtual server, or goes to " +
    "whichever router is master. Name the server's own address; for a service on the director itself, 127.0.0.1 or the " +
    "machine's own address.",
  bad: { text: server(real("192.0.2.10", tcpCheck)) },
  good: { text: server(real("198.51.100.11", tcpCheck)) },
  by: "lint",
  check: findVirtualRealServers,
};

function findVirtualRealServers({ config, places }: LintedFile): Finding[] {
  const virtual = new Set<string>(config.instances.flatMap((instance) => [...addressesOf(instance)]));
  return config.virtualServers.flatMap((service) => {
    const problem = ({ address, port, forwarding }: RealServerConfig | SorryServerConfig): string | undefined => {
      if (virtual.has(address)) return "a virtual address";
      const { id } = service;
      if (id.kind !== "address" || id.address !== address) return undefined;
      // On one machine alone, NAT to another port of the same address balances what runs there.
      const elsewhere = forwarding.method === "masquerade" && port !== 0 && port !== id.port;
      return elsewhere ? undefined : "the address of its virtual server";
    };
    const findings: Finding[] = [];
    for (const each of service.realServers) {
      const what = problem(each);
      const message = `real_server ${each.address} is ${what}`;
      if (what !== undefined) findings.push({ place: places.realServer(service, each), message, hint: ownAddress });
    }
    const { sorryServer } = service;
    const what = sorryServer && problem(sorryServer);
    if (sorryServer !== undefined && what !== undefined) {
      const place = places.virtualServer(service, virtualServer.keywords.sorryServer);
      findings.push({ place, message: `sorry_server ${sorryServer.address} is ${what}`, hint: ownAddress });
    }
    return findings;
  });
}

const ownAddress = "name the server's own address";

const quorum: LintRule = {
  name: "quorum-above-weight",
  title: "The quorum is above the sum of all weights",
  severity: "warning",
  why:
    "Such a quorum could never be reached. keepalived lowers it to the sum of the weights, so that every single real " +
    "server has to be well, or the virtual server is down. Write a quorum that is left when some servers are down.",
  bad: { text: server("quorum 3", real("198.51.100.11", tcpCheck), real("198.51.100.12", tcpCheck)) },
  good: { text: server("quorum 1", real("198.51.100.11", tcpCheck), real("198.51.100.12", tcpCheck)) },
  by: "parser",
};

const uncheckedRealServer: LintRule = {
  name: "unchecked-real-server",
  title: "One real server is not checked, while others of its virtual server are",
  severity: "warning",
  why:
    "A real server without a checker stays in the pool when it is dead, and its share of the connections is lost. Give it " +
    "the same checker as the others have.",
  bad: { text: server(real("198.51.100.11", tcpCheck), real("198.51.100.12", "weight 1")) },
  good: { text: server(real("198.51.100.11", tcpCheck), real("198.51.100.12", tcpCheck)) },
  by: "lint",
  check: ({ config, places }) =>
    config.virtualServers.flatMap((service) =>
      isChecked(service)
        ? service.realServers
            .filter(({ checkers }) => checkers.length === 0)
            .map((each) => ({
              place: places.realServer(service, each),
              message: `real_server ${each.address} has no checker, while others of this virtual server have: it stays when it is dead`,
              hint: "give it the same checker as the others have",
            }))
        : [],
    ),
};

const isChecked = ({ realServers }: VirtualServerConfig): boolean =>
  realServers.some(({ checkers }) => checkers.length > 0);

const addressOfNobody: LintRule = {
  name: "address-of-nobody",
  title: "No VRRP instance has the address of a virtual server",
  severity: "info",
  why:
    "Connections reach the virtual server on the router that has its address. Where the file has VRRP instances, one of " +
    "them is most likely to have it; without one, something else has to set the address, on one router at a time.",
  bad: { text: file(router(), server(real("198.51.100.11", tcpCheck)).replace("192.0.2.10", "192.0.2.11")) },
  good: { text: file(router(), server(real("198.51.100.11", tcpCheck))) },
  by: "lint",
  check: ({ config, places }) => {
    const { instances, staticAddresses } = config;
    const virtual = instances.flatMap((instance) => [...addressesOf(instance)]);
    const set = new Set<string>([...virtual, ...staticAddresses.map(({ address }) => address)]);
    return config.virtualServers.flatMap((service) => {
      const { id } = service;
      if (instances.length === 0 || id.kind !== "address" || set.has(id.address)) return [];
      const message = `no vrrp_instance has ${id.address}: who sets it, and where?`;
      return [{ place: places.virtualServer(service), message, hint: "add it to virtual_ipaddress" }];
    });
  },
};

export const virtualServerRules: readonly LintRule[] = [
  realServerIsVirtual,
  addressOfNobody,
  quorum,
  uncheckedRealServer,
];
