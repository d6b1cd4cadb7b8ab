// Virtual addresses.
import type { InstanceConfig, VirtualAddressConfig } from "../../config.ts";
import { file, instance, router } from "../example.ts";
import { isInNetwork } from "../network.ts";
import { listOf } from "../pairs.ts";
import type { Finding, InterfaceAddress, LintedFile, LintRule } from "../rule.ts";

const addressTwice: LintRule = {
  name: "address-twice",
  title: "Two instances have the same address",
  severity: "warning",
  why:
    "Each instance is elected on its own. As soon as one is master here and the other one there, two machines answer for " +
    "the address; and where both are master here, the one that leaves takes the address away from the other. Give the " +
    "address to one instance.",
  bad: { text: file(instance("VI_1", 51, "192.0.2.10/24"), instance("VI_2", 52, "192.0.2.10/24")) },
  good: { text: file(instance("VI_1", 51, "192.0.2.10/24"), instance("VI_2", 52, "192.0.2.11/24")) },
  by: "lint",
  check: findAddressesTwice,
};

function findAddressesTwice({ config, places }: LintedFile): Finding[] {
  const holders = new Map<string, InstanceConfig>();
  const findings: Finding[] = [];
  for (const each of config.instances) {
    for (const line of [...each.addresses, ...each.excludedAddresses]) {
      const key = keyOf(line);
      const other = holders.get(key);
      if (other === undefined) holders.set(key, each);
      else if (other !== each) {
        const message = `${line.address} is an address of ${other.name} as well: each is elected on its own`;
        findings.push({ place: places.address(each, line.address), message, hint: "give it to one instance" });
      }
    }
  }
  return findings;
}

/** A link-local address is another one on each interface (RFC 4291 section 2.5.6). */
const keyOf = ({ address, interface: name }: VirtualAddressConfig): string =>
  /^fe[89ab]/.test(address) ? `${address} ${name}` : address;

const hostOutsideOfSubnet: LintRule = {
  name: "host-outside-of-subnet",
  title: "An address without a prefix length lies outside of the interface's subnets",
  severity: "info",
  why:
    "Without a prefix length only the address itself is set, as /32 or /128. Machines of another subnet reach it only if " +
    "a router sends them there; often the address, the interface or the prefix length is a mistake. Write the prefix " +
    "length of the subnet. It is told on the machine that has the interface only.",
  bad: { text: file(instance("VI_1", 51, "198.51.100.10")) },
  good: { text: file(router()) },
  by: "lint",
  check: findHostsOutside,
};

function findHostsOutside({ config, places, machine }: LintedFile): Finding[] {
  const { interfaceAddresses } = machine;
  if (interfaceAddresses === undefined) return [];
  return config.instances.flatMap((each) => {
    /** By interface: the addresses that are in none of its subnets, and these. */
    const outside = new Map<string, { lines: VirtualAddressConfig[]; subnets: string }>();
    for (const line of each.addresses) {
      const networks = networksOutside(line, interfaceAddresses(line.interface));
      if (networks.length === 0) continue;
      const subnets = networks.map(({ address, prefixLength }) => `${address}/${prefixLength}`).join(", ");
      const key = `${line.interface} ${subnets}`;
      const known = outside.get(key);
      if (known === undefined) outside.set(key, { lines: [line], subnets });
      else known.lines.push(line);
    }
    return [...outside.values()].flatMap(({ lines, subnets }): Finding[] => {
      const [first] = lines;
      if (first === undefined) return [];
      const [addresses, verb] = [listOf(lines.map(({ address }) => address)), lines.length === 1 ? "is" : "are"];
      const message = `${addresses} ${verb} in no subnet of ${first.interface}, which has ${subnets}`;
      return [{ place: places.address(each, first.address), message, hint: "write the prefix length of the subnet" }];
    });
  });
}

/** The subnets of the interface, when the address is a host in none of them. */
function networksOutside(line: VirtualAddressConfig, known: readonly InterfaceAddress[]): readonly InterfaceAddress[] {
  const bits = line.address.includes(":") ? 128 : 32;
  if (line.prefixLength < bits) return [];
  const networks = known.filter(
    ({ address, prefixLength }) =>
      address !== line.address && prefixLength < bits && isSameFamily(address, line.address),
  );
  return networks.some((network) => isInNetwork(line.address, network)) ? [] : networks;
}

const isSameFamily = (one: string, other: string): boolean => one.includes(":") === other.includes(":");

export const addressRules: readonly LintRule[] = [addressTwice, hostOutsideOfSubnet];
