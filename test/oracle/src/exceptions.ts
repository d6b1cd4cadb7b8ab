// Where we do not say what keepalived says, and why that is right. An entry that explains nothing any more is an error.
import type { Difference } from "./compare.ts";
import { compareVersions } from "./version.ts";

export interface Exception {
  /** Of the names of sample cases: `block: line ⏎ line`. */
  readonly cases?: RegExp;
  /** In whole files: what only one complains of, as in `we: line`. */
  readonly lines?: RegExp;
  readonly why: string;
  /** Only keepalived before this version differs: newer ones agree with us. */
  readonly before?: string;
}

/** keepalived's answer changed between Debian's version and the one that we follow: `npm run oracle` with 2.4.3 agrees. */
const changed: readonly Exception[] = [
  {
    cases:
      /: (static|virtual)_routes \{ ⏎ ((.* ⏎ )?10\.9\.0\.0\/24 via 10\.0\.0\.1 ⏎ \}$|.*\bnexthop\b|(?!.*\b(dev|oif)\b))/,
    why: "it warned of each route that names no interface of its own",
  },
  {
    cases: /: (static|virtual)_routes \{ ⏎ .* (rtt|rttvar|rto_min) (lock )?(1400|10ms|[01]|"") ⏎ \}$/,
    why: "times of routes were read in another way",
  },
  {
    cases: / nobody$/,
    why: "looking at a program with another user's rights ended it: the parent's death signal was lost",
  },
  {
    cases: /: (virtual_ipaddress(_excluded)?|unicast_peer) \{ ⏎ (\S+) ⏎ \3/,
    lines: /^we: [\da-f.:]+(\/\d+)?( |$)/,
    why: "nothing noticed that an address or peer is there twice",
  },
  {
    cases: /: (virtual_ipaddress|virtual_ipaddress_excluded) \{ ⏎ 10\.0\.0\.77 ⏎ \} ⏎ /,
    why: "nothing noticed that an address is there twice",
  },
  {
    cases: /: (virtualhost|snmp_name|path|helo_name|regex) \S+ ⏎ \1 /,
    lines: /^we: (virtualhost|snmp_name|path|helo_name|regex) /,
    why: "the second of two values replaced the first without a word",
  },
  {
    cases: /^global_defs: (vrrp_strict|vrrp_skip_check_adv_addr) (?!\w+ ⏎)/,
    why: "words that are no BOOL counted as true",
  },
  { cases: /^global_defs: nftables(_ipvs)? ""$/, why: "an empty table name was taken" },
  { cases: /^global_defs: notification_email_from \S+ surplus$/, why: "what follows the address was not looked at" },
  { cases: /^vrrp_script: (interval|timeout) /, why: "fractions of a second were not understood" },
  { cases: /^garp_group: g(arp|na)_interval 429[34]/, why: "half of the range was allowed" },
  { cases: /^(vrrp_)?track_file: file \//, why: "a folder that does not exist was not noticed" },
  { cases: /^(\(root\): |\w+: )script \/bin\/true/, why: "links among the folders above a program were followed" },
  {
    cases: /^vrrp_instance: "?use_(vmac|ipvlan)"? .*(name|group|netlink|\d\d:)/,
    why: "fewer words of the line were understood",
  },
  {
    cases: /^(track_group: group|\(root\): (track_group|vrrp_sync_group)|vrrp_sync_group: group)/,
    why: "groups without members were found later, or not at all",
  },
  { cases: /\.url: regex( hello surplus| ⏎|$)/, why: "the number of words was not looked at" },
  { cases: /: bindto ::$/, why: ":: had to be of the family of what is checked" },
  { cases: /UDP_CHECK: require_reply 0xff$/, why: "x did not stand for any half of an octet" },
].map((exception) => ({ ...exception, before: "2.4" }));

/** We mean to differ. */
const deliberate: readonly Exception[] = [
  {
    lines: /^keepalived: ~(SEQ|LST)/,
    why: "a block that ends in a sequence is told where it begins, and keepalived tells it where it ends",
  },
  {
    cases: /^\(root\): net_namespace \S+ (⏎ net_namespace|\{)/,
    why: "keepalived ends with 0 and checks nothing else when the namespace does not exist",
  },
  {
    cases:
      /^(\(root\): net_namespace_ipvs ⏎ net_namespace_ipvs$|garp_group: interfaces \{ ⏎ (eth0 ⏎ .* ⏎ )?eth1 ⏎ \}$)/,
    why: "keepalived ends over its own message, which wants to name a word that is not there",
  },
  {
    cases: /^global_defs: "?vrrp_(iptables|ipsets)\b/,
    why: "builds with iptables take them; Debian's and the judge's have none",
  },
];

const exceptions: readonly Exception[] = [...changed, ...deliberate];

/** What keepalived in this version has a reason to differ in. */
export const exceptionsFor = (version: string): readonly Exception[] =>
  exceptions.filter(({ before }) => before === undefined || compareVersions(version, before) < 0);

/** Those of `all` that explain the whole difference; none: it is not explained. */
export function reasonsFor(name: string, { lines }: Difference, all: readonly Exception[]): readonly Exception[] {
  const ofCase = all.find(({ cases }) => cases?.test(name) === true);
  if (ofCase !== undefined) return [ofCase];
  const ofLines = lines.map((line) => all.find((each) => each.lines?.test(line) === true));
  const found = ofLines.filter((each) => each !== undefined);
  return found.length === ofLines.length ? found : [];
}
