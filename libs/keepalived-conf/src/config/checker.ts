// The checkers of a real server. One type each, with all that a run of it needs: where it connects to, when it runs,
// and what counts as success.
import type { IpAddress, Micros } from "@baton/domain";
import type { Command } from "./command.ts";

export type CheckerConfig =
  | TcpCheckerConfig
  | HttpCheckerConfig
  | SslCheckerConfig
  | SmtpCheckerConfig
  | DnsCheckerConfig
  | PingCheckerConfig
  | UdpCheckerConfig
  | MiscCheckerConfig
  | FileCheckerConfig
  | BfdCheckerConfig;

/** When a checker runs, and how often it may fail. */
export interface CheckTimes {
  /** Counts as failed until it has succeeded once. */
  readonly alpha: boolean;
  readonly delayLoop: Micros;
  /** The first run comes 1 s after the start, and a random part of this. */
  readonly warmup: Micros;
  /** Attempts after a failed one before the check is failed. */
  readonly retry: number;
  readonly delayBeforeRetry: Micros;
  readonly logAllFailures: boolean;
}

/** Where a checker connects to, and from where. */
export interface CheckConnection {
  /** `connect_ip`, or the server itself. */
  readonly address: IpAddress;
  /** `connect_port`, or the server's. */
  readonly port: number;
  readonly bindAddress: IpAddress | undefined;
  readonly bindPort: number | undefined;
  readonly bindInterface: string | undefined;
  /** Of the connection, and of each step after it. */
  readonly timeout: Micros;
  /** SO_MARK; 0: none. */
  readonly mark: number;
}

interface ConnectingChecker extends CheckTimes {
  readonly connection: CheckConnection;
}

/** A connection is made. */
export interface TcpCheckerConfig extends ConnectingChecker {
  readonly type: "TCP_CHECK";
}

/** An ICMP echo is answered. */
export interface PingCheckerConfig extends ConnectingChecker {
  readonly type: "PING_CHECK";
}

interface GetChecker extends ConnectingChecker {
  readonly httpVersion: "1.0" | "1.1";
  /** The request asks for `Connection: close`. */
  readonly closeConnection: boolean;
  /** The other urls are tried at once when the server comes back. */
  readonly fastRecovery: boolean;
}

/** Every url answers as it should. */
export interface HttpCheckerConfig extends GetChecker {
  readonly type: "HTTP_GET";
  /** At least one. */
  readonly urls: readonly UrlConfig[];
}

/** As HTTP_GET, over TLS. Certificates are not verified. */
export interface SslCheckerConfig extends GetChecker {
  readonly type: "SSL_GET";
  /** At least one. */
  readonly urls: readonly SslUrlConfig[];
}

export interface UrlConfig {
  readonly path: string;
  /** The Host header, from the nearest `virtualhost`; undefined: address and port of the connection. */
  readonly host: string | undefined;
  /** Rising, apart from each other. */
  readonly statusCodes: readonly StatusRange[];
  /** MD5 of the body in lower-case hexadecimal digits. */
  readonly digest: string | undefined;
  readonly regex: RegexConfig | undefined;
}

export interface SslUrlConfig extends UrlConfig {
  /** Server Name Indication; undefined: none. */
  readonly serverName: string | undefined;
  /** The connection is closed as TLS wants it. */
  readonly tlsCompliant: boolean;
}

export interface StatusRange {
  readonly min: number;
  readonly max: number;
}

/** Of PCRE2, in its names without PCRE2_ and in lower case. */
export const regexOptions = [
  "allow_empty_class",
  "alt_bsux",
  "auto_callout",
  "caseless",
  "dollar_endonly",
  "dotall",
  "dupnames",
  "extended",
  "firstline",
  "match_unset_backref",
  "multiline",
  "never_ucp",
  "never_utf",
  "no_auto_capture",
  "no_auto_possess",
  "no_dotstar_anchor",
  "no_start_optimize",
  "ucp",
  "ungreedy",
  "utf",
  "never_backslash_c",
  "alt_circumflex",
  "alt_verbnames",
  "use_offset_limit",
] as const;
export type RegexOption = (typeof regexOptions)[number];

export interface RegexConfig {
  /** PCRE2. */
  readonly pattern: string;
  /** Each once, in the order of `regexOptions`. */
  readonly options: readonly RegexOption[];
  /** `regex_no_match`: success is that it does not match. */
  readonly negate: boolean;
  /** Where in the body a match may start; undefined: anywhere behind minOffset. */
  readonly minOffset: number;
  readonly maxOffset: number | undefined;
  /** Octets of stack for PCRE2's compiled patterns; undefined: its default. */
  readonly stack: { readonly start: number; readonly max: number } | undefined;
}

/** A mail server greets, takes HELO, and lets go. */
export interface SmtpCheckerConfig extends ConnectingChecker {
  readonly type: "SMTP_CHECK";
  readonly heloName: string;
}

export const dnsTypes = ["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"] as const;
export type DnsType = (typeof dnsTypes)[number];

/** A query over UDP is answered without an error. */
export interface DnsCheckerConfig extends ConnectingChecker {
  readonly type: "DNS_CHECK";
  readonly queryType: DnsType;
  /** `.`: the root. */
  readonly name: string;
}

/** A datagram meets no ICMP error, or is answered. */
export interface UdpCheckerConfig extends ConnectingChecker {
  readonly type: "UDP_CHECK";
  /** Octets; undefined: 32 of the checker's own. */
  readonly payload: readonly number[] | undefined;
  /** undefined: no answer is needed. */
  readonly reply: UdpReply | undefined;
}

/** An answer has to come; lengths count only where there is a pattern, as octets beyond the shorter of both do not. */
export interface UdpReply {
  readonly minLength: number;
  readonly maxLength: number;
  /** Equal lengths; a 1 bit of the mask has to be as in the octet. */
  readonly pattern: { readonly octets: readonly number[]; readonly mask: readonly number[] } | undefined;
}

/** A program ends with status 0. */
export interface MiscCheckerConfig extends CheckTimes {
  readonly type: "MISC_CHECK";
  readonly command: Command;
  readonly timeout: Micros;
  /** Status 2 to 255 is success too: the server's weight becomes status - 2. */
  readonly dynamic: boolean;
}

/** The number in a `track_file` times `weight` is added to the server's weight; with weight 0 only 0 is success. */
export interface FileCheckerConfig {
  readonly type: "FILE_CHECK";
  readonly trackFile: string;
  readonly weight: number;
  readonly reverse: boolean;
}

/** A `bfd_instance` is up. */
export interface BfdCheckerConfig {
  readonly type: "BFD_CHECK";
  readonly session: string;
  readonly alpha: boolean;
}

/** `SSL`: key material of SSL_GET. Names of PEM files. */
export interface TlsConfig {
  readonly password: string | undefined;
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}
