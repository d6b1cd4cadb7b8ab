// Whether the adverts of one router reach the other one.
import type { InstanceConfig } from "../../config.ts";
import { vrrpInstance } from "../../keywords/vrrp-instance.ts";
import { block, routers } from "../example.ts";
import { nameOf, sharesAddress } from "../pairs.ts";
import { type LintRule, perPair } from "../rule.ts";

const { keywords } = vrrpInstance;

const unicastOnOneSide: LintRule = {
  name: "unicast-on-one-side",
  title: "One router sends its adverts to its peers, the other one to the multicast group",
  severity: "warning",
  why:
    "A router drops adverts that come the other way than its own go, so both are master. Write unicast_peer on all routers " +
    "of the group, or on none.",
  bad: routers([block("unicast_peer", "192.0.2.2")], []),
  good: routers([], []),
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    if ((own.unicast === undefined) === (other.unicast === undefined)) return undefined;
    const [here, there] =
      own.unicast === undefined ? ["to the group", "to its peers"] : ["to its peers", "to the group"];
    return {
      place: places.instance(own, keywords.unicastPeer),
      message: `${own.name} sends its adverts ${here}, ${nameOf(pair)} ${there}: both would be master`,
      hint: "write unicast_peer on all routers, or on none",
    };
  }),
};

const unicastNotMutual: LintRule = {
  name: "unicast-not-mutual",
  title: "A router is not among the unicast peers of another one",
  severity: "warning",
  why:
    "Adverts go to the addresses of unicast_peer only. A router that is missing there hears nothing, and makes itself " +
    "master. It is told where unicast_src_ip says which address a router has.",
  bad: routers(
    ["unicast_src_ip 192.0.2.1", block("unicast_peer", "192.0.2.2")],
    ["unicast_src_ip 192.0.2.2", block("unicast_peer", "192.0.2.3")],
  ),
  good: routers(
    ["unicast_src_ip 192.0.2.1", block("unicast_peer", "192.0.2.2")],
    ["unicast_src_ip 192.0.2.2", block("unicast_peer", "192.0.2.1")],
  ),
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    // Routers that share no address may be of groups of their own.
    if (!sharesAddress(own, other)) return undefined;
    const missing = lacksPeer(other, own)
      ? `${own.sourceAddress}, which ${own.name} has, is no unicast_peer of ${nameOf(pair)}`
      : lacksPeer(own, other)
        ? `${other.sourceAddress}, which ${nameOf(pair)} has, is no unicast_peer here`
        : undefined;
    if (missing === undefined) return undefined;
    const place = places.instance(own, keywords.unicastPeer);
    return { place, message: `${missing}: both would be master`, hint: "write each router's address at all others" };
  }),
};

const lacksPeer = ({ unicast }: InstanceConfig, other: InstanceConfig): boolean =>
  unicast !== undefined &&
  other.unicast !== undefined &&
  other.sourceAddress !== undefined &&
  unicast.peers.every(({ address }) => address !== other.sourceAddress);

const differentGroups: LintRule = {
  name: "different-groups",
  title: "Two routers send their adverts to different multicast groups",
  severity: "warning",
  why:
    "A router hears the group that it sends to, and no other, so both are master. Write the same mcast_dst_ip (or " +
    "vrrp_mcast_group4 and vrrp_mcast_group6 in global_defs) on all routers.",
  bad: routers(["mcast_dst_ip 224.0.0.99"], []),
  good: routers([], []),
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    const [here, there] = [own.multicastGroup, other.multicastGroup];
    if (here === undefined || there === undefined || here === there) return undefined;
    return {
      place: places.instance(own, keywords.multicastGroup),
      message: `${own.name} sends its adverts to ${here}, ${nameOf(pair)} to ${there}: both would be master`,
      hint: "write the same group on all routers",
    };
  }),
};

export const reachRules: readonly LintRule[] = [unicastOnOneSide, unicastNotMutual, differentGroups];
