// Why a packet was thrown away, in the order in which it is judged, and what was noticed about one that was taken. Closed
// sets: each is a counter of its own, and `receive.ts` numbers the checks. Each reason also says where keepalived would
// have counted it, so that its statistics mean the same in a mixed pair.

/** keepalived's names for what it counts per instance, as in its JSON dump; `vers_err` and `chk_err` are told by SNMP alone. */
export type KeepalivedStatistic =
  | "packet_len_err"
  | "advert_interval_err"
  | "ip_ttl_err"
  | "invalid_type_rcvd"
  | "addr_list_err"
  | "invalid_authtype"
  | "authtype_mismatch"
  | "auth_failure"
  | "auth_ext_missing"
  | "auth_ext_malformed"
  | "auth_ext_unknown_key"
  | "auth_ext_invalid_hmac"
  | "auth_ext_stale"
  | "auth_ext_replay"
  | "vers_err"
  | "chk_err";

interface Discard {
  /** `invalid`: something is wrong with it or with the configuration (keepalived's KO); `ignored`: it is not meant for us (its DROP). */
  readonly verdict: "invalid" | "ignored";
  readonly statistic: KeepalivedStatistic | undefined;
}

const invalid = (statistic?: KeepalivedStatistic): Discard => ({ verdict: "invalid", statistic });
const ignored = (statistic?: KeepalivedStatistic): Discard => ({ verdict: "ignored", statistic });

export const discards = {
  // --- before an instance is found ---
  /** Cut short on the way to us, or shorter than its headers. */
  truncated: ignored(),
  /** Not version 4, or a header length below 20. */
  "bad-ip-header": ignored(),
  /** The kernel hands out whole packets only. */
  fragment: ignored(),
  "bad-protocol": ignored(),
  /** No instance of this VRID here, or none that has the sender among its peers. */
  "unknown-vrid": ignored(),
  /** IPv6: a multicast packet and a unicast instance, or the other way round. */
  "wrong-cast": ignored(),
  // --- the instance's own checks ---
  /** 1: the instance authenticates by AH, the packet does not. */
  "ah-missing": invalid("authtype_mismatch"),
  /** 1: the other way round. */
  "ah-unexpected": invalid("authtype_mismatch"),
  /** 2: signed as by `auth_hmac`, which the instance does not have. */
  "unexpected-trailer": invalid("packet_len_err"),
  /** 2: not as long as the address count says. Padding of short frames is tolerated. */
  "bad-length": invalid("packet_len_err"),
  /** 3: RFC 9568 section 7.1: not 255, so it crossed a router. */
  "bad-ttl": invalid("ip_ttl_err"),
  /** 4 */
  "bad-version": invalid("vers_err"),
  /** 5: no trailer, and the mode is `enforce`. */
  "hmac-missing": invalid("auth_ext_missing"),
  /** 5: signed, but by no configured peer. */
  "hmac-unknown-peer": invalid(),
  "hmac-malformed": invalid("auth_ext_malformed"),
  /** 5: its time differs from ours by more than the window. */
  "hmac-stale": invalid("auth_ext_stale"),
  "hmac-unknown-key": invalid("auth_ext_unknown_key"),
  "hmac-invalid": invalid("auth_ext_invalid_hmac"),
  "hmac-replayed": invalid("auth_ext_replay"),
  /** 6: v2: none of 0, 1, 2. */
  "invalid-auth-type": invalid("invalid_authtype"),
  /** 7: v2: another authentication than ours. */
  "auth-type-mismatch": invalid("authtype_mismatch"),
  /** 8: v2: another password. */
  "auth-failure": invalid("auth_failure"),
  /** 8: the authentication header is another protocol's. */
  "ah-next-header": ignored(),
  /** 8: another key, or changed on the way. */
  "ah-invalid": invalid("auth_failure"),
  /** 8: the security parameter index is not the sender's address. */
  "ah-wrong-spi": invalid("auth_failure"),
  /** 8: a sequence number at or below one that was accepted or sent. */
  "ah-replayed": invalid("auth_failure"),
  /** 9: v2: another advertisement interval (RFC 3768 section 7.1). keepalived has the statistic and never counts it. */
  "interval-mismatch": ignored("advert_interval_err"),
  /** 10: not type 1. */
  "bad-type": invalid("invalid_type_rcvd"),
  /** 11: not as long as its IPv4 header says. */
  "bad-total-length": invalid("packet_len_err"),
  /** 12: v3: an interval of 0, which no router can keep. */
  "zero-interval": invalid("advert_interval_err"),
  /** 13 */
  "bad-checksum": invalid("chk_err"),
  /** 14: sent to us alone and the instance is a multicast one, the other way round, or to another group. */
  "bad-destination": invalid("addr_list_err"),
  /** 15: `owner_ignore_adverts`. */
  "owner-ignores": ignored(),
  /** 17: from a peer, but its TTL is outside the range that is configured for it. */
  "peer-ttl": ignored("ip_ttl_err"),
  /** 17: `check_unicast_src`. */
  "unknown-peer": invalid(),
} as const satisfies Readonly<Record<string, Discard>>;

export type DiscardReason = keyof typeof discards;

/** In the order of the checks. */
export const discardReasons = Object.keys(discards) as readonly DiscardReason[];

/** Those of check 17 come after keepalived has counted the advert as received. */
export const countsAsReceived = (reason: DiscardReason): boolean => reason === "peer-ttl" || reason === "unknown-peer";

/** Accepted nevertheless, as by keepalived since 2.3.3 and RFC 9568 section 7.1; logged once and counted. */
export const advertNotices = [
  /** `auth_hmac` in a mode other than `enforce`: it is not signed. */
  "unsigned",
  /** The clocks differ by more than half of what `auth_hmac` tolerates. */
  "clock-skew",
  /** 12: v3: RFC 9568 section 6.4.2 lets a backup follow another interval. */
  "interval-differs",
  /** 13: v3: right by the rule of `old_unicast_checksum`, which ours is not. */
  "old-checksum",
  /** 13: v3: right by another of the rules than ours. */
  "other-checksum",
  /** 13: v3: right by no rule, from a unicast peer with `v3_checksum_as_v2`. */
  "wrong-checksum",
  /** RFC 9568 section 5.1.2.1: an IPv6 advert comes from a link-local address. keepalived's `mcast_src_ip` may be another. */
  "source-not-link-local",
  /** 16 */
  "address-count-mismatch",
  /** 16 */
  "address-list-mismatch",
] as const;

export type AdvertNotice = (typeof advertNotices)[number];
