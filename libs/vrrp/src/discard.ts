// Why a packet was thrown away, in the order in which it is judged (keepalived's order: behaviour section 3), and what
// was noticed about one that was taken. Closed sets: each is a counter.

export const discardReasons = [
  /** Shorter than an IP header with the fixed part of a VRRP message. */
  "truncated",
  /** Not version 4, or a header length below 20. */
  "bad-ip-header",
  "bad-protocol",
  /** No instance of this VRID here. */
  "unknown-vrid",
  /** Not as long as the address count says, or not as long as its IP header says. Ethernet padding is tolerated. */
  "bad-length",
  /** RFC 9568 section 7.1: not 255, so it crossed a router. */
  "bad-ttl",
  "bad-version",
  /** v2: none of 0, 1, 2. */
  "invalid-auth-type",
  /** v2: another authentication than ours. */
  "auth-type-mismatch",
  /** v2: another password. */
  "auth-failure",
  /** v2: another advertisement interval (RFC 3768 section 7.1). v3: one of 0, which no router can keep. */
  "interval-mismatch",
  /** Not type 1. */
  "bad-type",
  "bad-checksum",
  /** Sent to us alone, but the instance is a multicast one. */
  "bad-destination",
] as const;

export type DiscardReason = (typeof discardReasons)[number];

/** Accepted nevertheless, as by keepalived since 2.3.3 and RFC 9568 section 7.1; logged once and counted. */
export type AdvertNotice = "interval-differs" | "address-count-mismatch" | "address-list-mismatch";
