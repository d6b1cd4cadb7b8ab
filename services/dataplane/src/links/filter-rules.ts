// The rules that keepalived sets for `use_vmac` and `no_accept`, in the language of nft. Switches learn where a MAC
// address is from whatever leaves with it, so the kernel's own talk about groups and neighbours must not: reports of IGMP
// and MLD leave by the interface below instead, router solicitations and what speaks for the address of the interface
// below not at all. Packets to addresses of `no_accept` are dropped, but neighbours get their answer. Pure.
import { type IpAddress, ipFamily } from "@baton/domain";
import type { FilterSettings, RefusedAddress } from "./groundwork.ts";

/** A macvlan that is there. */
export interface FilteredLink {
  readonly name: string;
  readonly parent: string;
  readonly family: 4 | 6;
  readonly ipv6: boolean;
  /** What adverts over IPv6 are sent from: an address of the interface below. */
  readonly linkLocal: IpAddress | undefined;
}

export interface FilterInput {
  readonly links: readonly FilteredLink[];
  readonly refused: readonly RefusedAddress[];
  readonly settings: FilterSettings;
  readonly localIgmp: boolean;
}

/** Each empty where there is nothing to say. */
export function filterRules(input: FilterInput): { readonly ip: string; readonly ip6: string } {
  const { settings, links, refused, localIgmp } = input;
  const end = settings.counters ? "counter drop" : "drop";
  const four = refused.filter(({ address }) => ipFamily(address) === 4);
  const igmp = links.filter(({ family }) => family === 4 && localIgmp);
  const out = [...reports("ip protocol igmp", "ip", igmp, end), ...dropped("ip saddr", four, end)];
  const six = refused.filter(({ address }) => ipFamily(address) === 6);
  const [near, far] = [six.filter(isLinkLocal), six.filter((each) => !isLinkLocal(each))];
  const neighbours = six.length === 0 ? [] : ["icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"];
  const out6 = [
    ...neighbourRules(links, end),
    ...neighbours,
    ...nearby("ip6 saddr . oifname", near, end),
    ...dropped("ip6 saddr", far, end),
  ];
  const in6 = [...neighbours, ...nearby("ip6 daddr . iifname", near, end), ...dropped("ip6 daddr", far, end)];
  return {
    ip: [chain("output", out, settings), chain("input", dropped("ip daddr", four, end), settings)].join(""),
    ip6: [chain("output", out6, settings), chain("input", in6, settings)].join(""),
  };
}

const chain = (hook: "input" | "output", rules: readonly string[], { priority }: FilterSettings): string =>
  rules.length === 0
    ? ""
    : `chain ${hook} {\n  type filter hook ${hook} priority ${priority}; policy accept;\n  ${rules.join("\n  ")}\n}\n`;

/** Once over the interface below, and not from here. */
function reports(match: string, family: "ip" | "ip6", links: readonly FilteredLink[], end: string): string[] {
  if (links.length === 0) return [];
  const map = links.map(({ name, parent }) => `"${name}" : "${parent}"`).join(", ");
  return [`${match} dup to ${family} daddr device oif map { ${map} } ${end}`];
}

function neighbourRules(all: readonly FilteredLink[], end: string): string[] {
  const links = all.filter(({ ipv6 }) => ipv6);
  if (links.length === 0) return [];
  const lent = links.flatMap(({ name, linkLocal }) => (linkLocal === undefined ? [] : [`${linkLocal} . "${name}"`]));
  return [
    ...(lent.length === 0 ? [] : [`icmpv6 type nd-neighbor-advert ip6 saddr . oifname { ${lent.join(", ")} } ${end}`]),
    ...reports("icmpv6 type { mld-listener-report, mld2-listener-report }", "ip6", links, end),
    `icmpv6 type nd-router-solicit oif { ${links.map(({ name }) => `"${name}"`).join(", ")} } ${end}`,
  ];
}

const dropped = (match: string, refused: readonly RefusedAddress[], end: string): string[] =>
  refused.length === 0 ? [] : [`${match} { ${[...new Set(refused.map(({ address }) => address))].join(", ")} } ${end}`];

/** A link-local address means another host on another interface. */
const nearby = (match: string, refused: readonly RefusedAddress[], end: string): string[] =>
  refused.length === 0
    ? []
    : [`${match} { ${refused.map(({ address, interface: on }) => `${address} . "${on}"`).join(", ")} } ${end}`];

const isLinkLocal = ({ address }: RefusedAddress): boolean => /^fe[89ab]/.test(address);
