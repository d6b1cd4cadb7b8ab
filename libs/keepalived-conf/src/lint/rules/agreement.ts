// What all routers of a virtual router have to say alike, or they do not hear each other.
import type { InstanceConfig } from "../../config.ts";
import { instanceAuthentication, vrrpInstance } from "../../keywords/vrrp-instance.ts";
import { block, routers } from "../example.ts";
import { addressesOf, listOf, nameOf, sharesAddress } from "../pairs.ts";
import { type LintRule, perPair } from "../rule.ts";

const { keywords } = vrrpInstance;

const password = (text: string): string => block("authentication", "auth_type PASS", `auth_pass ${text}`);

const differentVersions: LintRule = {
  name: "different-versions",
  title: "Two routers speak different versions of VRRP",
  severity: "warning",
  why:
    "A router drops adverts of another version, so each thinks that it is alone, and both are master. Write the same " +
    "version (or vrrp_version in global_defs) on all routers of the group.",
  bad: routers(["version 3"], ["version 2"]),
  good: routers(["version 3"], ["version 3"]),
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    if (own.version === other.version) return undefined;
    return {
      place: places.instance(own, keywords.version),
      message: `${own.name} speaks VRRPv${own.version}, ${nameOf(pair)} VRRPv${other.version}: both would be master`,
      hint: "write the same version on all routers",
    };
  }),
};

const differentIntervals: LintRule = {
  name: "different-intervals",
  title: "Two VRRPv2 routers have different advert intervals",
  severity: "warning",
  why:
    "A VRRPv2 router drops adverts that name another interval than its own (RFC 3768, section 7.1), so both are master. " +
    "Write the same advert_int on all routers. With VRRPv3 a backup takes over the interval of its master.",
  bad: routers(["advert_int 1"], ["advert_int 2"]),
  good: routers(["advert_int 2"], ["advert_int 2"]),
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    if (own.version !== 2 || other.version !== 2 || own.advertInterval === other.advertInterval) return undefined;
    const [here, there] = [own, other].map(({ advertInterval }) => advertInterval / 1_000_000);
    return {
      place: places.instance(own, keywords.advertInterval),
      message: `${own.name} sends an advert each ${here} s, ${nameOf(pair)} each ${there} s: with VRRPv2 both would be master`,
      hint: "write the same advert_int on all routers",
    };
  }),
};

const differentAuthentication: LintRule = {
  name: "different-authentication",
  title: "Two routers have different authentication",
  severity: "warning",
  why:
    "A router drops adverts with another kind of authentication, or another password, so both are master. Only the first " +
    "eight octets of a password count.",
  bad: routers([password("secret1")], [password("secret2")]),
  good: routers([password("secret1")], [password("secret1")]),
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    const [here, there] = [own.authentication, other.authentication];
    // Of different versions, or with signatures, other rules tell.
    if (own.version !== other.version || own.authHmac !== undefined || other.authHmac !== undefined) return undefined;
    if (here?.type === there?.type && here?.password === there?.password) return undefined;
    const difference =
      here === undefined
        ? `${own.name} has no authentication, ${nameOf(pair)} has`
        : there === undefined
          ? `${own.name} has authentication, ${nameOf(pair)} has none`
          : `${own.name} and ${nameOf(pair)} have different ${here.type === there.type ? "passwords" : "kinds of it"}`;
    return {
      place: places.inner(own, instanceAuthentication),
      message: `${difference}: both would be master`,
      hint: "write the same authentication block on all routers",
    };
  }),
};

const differentChecksums: LintRule = {
  name: "different-checksums",
  title: "Two VRRPv3 routers make the checksums of their adverts in different ways",
  severity: "warning",
  why:
    "v3_checksum_as_v2 leaves the IPv4 addresses out of the checksum of an advert. A router drops adverts whose checksum " +
    "is not as it makes its own, so both are master. Write v3_checksum_as_v2 on all routers of the group, or on none.",
  bad: routers(["version 3", "v3_checksum_as_v2"], ["version 3"]),
  good: routers(["version 3", "v3_checksum_as_v2"], ["version 3", "v3_checksum_as_v2"]),
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    if (own.version !== 3 || other.version !== 3 || own.family === 6) return undefined;
    if (own.v3ChecksumAsV2 === other.v3ChecksumAsV2) return undefined;
    const [here, there] = own.v3ChecksumAsV2 ? ["has", "has not"] : ["has not", "has"];
    return {
      place: places.instance(own, keywords.v3ChecksumAsV2),
      message: `${own.name} ${here} v3_checksum_as_v2, ${nameOf(pair)} ${there}: both would be master`,
      hint: "write v3_checksum_as_v2 on all routers, or on none",
    };
  }),
};

const differentAddresses: LintRule = {
  name: "different-addresses",
  title: "Two routers of one virtual router do not have the same addresses",
  severity: "warning",
  why:
    "An address that only one router has is gone as soon as another one is master. Write the same virtual_ipaddress and " +
    "virtual_ipaddress_excluded on all routers.",
  bad: routers([block("virtual_ipaddress_excluded", "198.51.100.10/24")], []),
  good: routers([], []),
  by: "lint",
  check: perPair((pair, { places }) => {
    const { own, other } = pair;
    // Without a common address these are two virtual routers: another rule tells.
    if (!sharesAddress(own, other)) return undefined;
    const [here, there] = [onlyIn(own, other), onlyIn(other, own)];
    if (here.length === 0 && there.length === 0) return undefined;
    const parts = [
      ...(here.length === 0 ? [] : [`${listOf(here)} only here`]),
      ...(there.length === 0 ? [] : [`${listOf(there)} only in ${nameOf(pair)}`]),
    ];
    const [first] = here;
    return {
      place: first === undefined ? places.instance(own, keywords.virtualAddresses) : places.address(own, first),
      message: `${own.name}: ${parts.join(", ")}: gone when the other router is master`,
      hint: "write the same addresses on all routers",
    };
  }),
};

const onlyIn = (one: InstanceConfig, other: InstanceConfig) => {
  const theirs = addressesOf(other);
  return [...one.addresses, ...one.excludedAddresses]
    .map(({ address }) => address)
    .filter((address) => !theirs.has(address));
};

export const agreementRules: readonly LintRule[] = [
  differentVersions,
  differentIntervals,
  differentAuthentication,
  differentChecksums,
  differentAddresses,
];
