// Which virtual router is which: VRIDs and addresses of several routers.
import type { InstanceConfig } from "../../config.ts";
import { vrrpInstance } from "../../keywords/vrrp-instance.ts";
import { file, instance, router, routers } from "../example.ts";
import { networkOf } from "../network.ts";
import { addressesOf, listOf, nameOf, sharesAddress } from "../pairs.ts";
import { type Finding, type LintedFile, type LintRule, perPair } from "../rule.ts";

const { keywords } = vrrpInstance;

const differentVrids: LintRule = {
  name: "different-vrids",
  title: "One address belongs to different virtual routers",
  severity: "warning",
  why:
    "Routers with different VRIDs do not hear each other, so each is master, and both answer for the address. Write the " +
    "same virtual_router_id on all routers that share an address.",
  bad: {
    text: file(instance("VI_1", 51, "192.0.2.10/24", "priority 110")),
    peer: file(instance("VI_1", 52, "192.0.2.10/24", "priority 100")),
  },
  good: {
    text: file(instance("VI_1", 51, "192.0.2.10/24", "priority 110")),
    peer: file(instance("VI_1", 51, "192.0.2.10/24", "priority 100")),
  },
  by: "lint",
  check: findDifferentVrids,
};

function findDifferentVrids({ config, peers, places }: LintedFile): Finding[] {
  return peers.flatMap((peer) => {
    const holders = new Map<string, InstanceConfig[]>();
    for (const other of peer.config.instances) {
      for (const address of addressesOf(other)) {
        const known = holders.get(address);
        if (known === undefined) holders.set(address, [other]);
        else known.push(other);
      }
    }
    return config.instances.flatMap((own) => {
      for (const address of addressesOf(own)) {
        const others = isLinkLocal(address) ? [] : (holders.get(address) ?? []);
        const [first] = others;
        if (first === undefined || others.some(({ vrid }) => vrid === own.vrid)) continue;
        const message =
          `${address} belongs to virtual router ${own.vrid} here and to ${first.vrid} in ` +
          `${nameOf({ other: first, peer })}: both would be master of it`;
        return [
          { place: places.instance(own, keywords.virtualRouterId), message, hint: "write the same virtual_router_id" },
        ];
      }
      return [];
    });
  });
}

/** The same one may stand on any network (RFC 4291 section 2.5.6). */
const isLinkLocal = (address: string): boolean => /^fe[89ab]/.test(address) || address.startsWith("169.254.");

const vridCollision: LintRule = {
  name: "vrid-collision",
  title: "Two virtual routers without a common address have the same VRID",
  severity: "warning",
  why:
    "Routers with the same VRID on one network take each other for peers: the one with the lower priority stays backup, " +
    "and its addresses are nowhere. Every virtual router of a network needs a VRID of its own. It is told where the " +
    "interfaces have the same name or the addresses are of one subnet; silence it where the networks are different.",
  bad: {
    text: file(instance("web", 51, "192.0.2.10/24", "priority 110")),
    peer: file(instance("mail", 51, "192.0.2.20/24", "priority 100")),
  },
  good: {
    text: file(instance("web", 51, "192.0.2.10/24", "priority 110")),
    peer: file(instance("mail", 52, "192.0.2.20/24", "priority 100")),
  },
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    if (sharesAddress(own, other) || own.addresses.length === 0 || other.addresses.length === 0) return undefined;
    if (own.interface !== other.interface && !sharesNetwork(own, other)) return undefined;
    return {
      place: places.instance(own, keywords.virtualRouterId),
      message: `${own.name} and ${nameOf(pair)} have virtual_router_id ${own.vrid} and no address in common`,
      hint: "give each virtual router of a network a VRID of its own, or the same addresses on all of its routers",
    };
  }),
};

function sharesNetwork(one: InstanceConfig, other: InstanceConfig): boolean {
  const theirs = new Set(other.addresses.map(networkOf));
  return one.addresses.map(networkOf).some((network) => network !== undefined && theirs.has(network));
}

const noCounterpart: LintRule = {
  name: "no-counterpart",
  title: "A virtual router exists on this router only",
  severity: "warning",
  why:
    "No other file has an instance with its VRID, or with one of its addresses: when this router fails, nobody takes them " +
    "over. It is told with the files of the other routers, where they have other virtual routers in common.",
  bad: {
    text: file(router("priority 110"), instance("VI_2", 52, "192.0.2.20/24")),
    peer: file(router("priority 100")),
  },
  good: routers([], []),
  by: "lint",
  check: ({ config, peers, pairs, places }) => {
    const paired = new Set(pairs.map(({ own }) => own));
    const known = new Set<string>(
      peers.flatMap((peer) => peer.config.instances.flatMap((other) => [...addressesOf(other)])),
    );
    const alone = config.instances.filter(
      (own) => !paired.has(own) && ![...addressesOf(own)].some((address) => known.has(address)),
    );
    // Files that have nothing in common are no peers: they only share a network.
    if (pairs.length === 0) return [];
    return alone.map((own) => ({
      place: places.instance(own),
      message: `${own.name} (virtual router ${own.vrid}) has no counterpart in ${listOf(peers.map(({ name }) => name))}`,
      hint: "define it on another router too",
    }));
  },
};

export const identityRules: readonly LintRule[] = [differentVrids, vridCollision, noCounterpart];
