// `virtual_server`, its real servers and their checkers. Read into the Config; carried out by a later release, so each
// block says once that it is not, and its keywords say nothing more.
import { addressPort, ip, virtualServerId } from "./address-arguments.ts";
import {
  anyWords,
  bool,
  choice,
  flag,
  int32Max,
  integer,
  interfaceName,
  invalidValue,
  lenientlyMissing,
  oneWord,
  optional,
  seconds,
  text,
  uint32Max,
} from "./arguments.ts";
import { noVirtualServers } from "./global-defs.ts";
import { eventScript, script } from "./script-argument.ts";
import { alias, block, type KeywordMap, noted, part, values } from "./table.ts";

const port = integer({ min: 1, max: 65_535, syntax: "PORT" });
const count = integer({ min: 0, max: uint32Max });
const positiveSeconds = seconds({ min: 0.000001 });
const anyTime = seconds({ max: uint32Max });
const loopTime = seconds({ min: 0.000001, max: uint32Max });

/** Of real and virtual servers; a checker may say 0. */
const serverRetry = part("retry", integer({ min: 1, max: uint32Max, strict: true }));

/** What every checker, or its real or virtual server as a default for it, can say. */
const checkTimes = {
  delayBeforeRetry: part("delay_before_retry", anyTime),
  warmup: part("warmup", anyTime, { default: "delay_loop" }),
  delayLoop: part("delay_loop", loopTime, { default: "60" }),
} as const;

const checkerBase = {
  retry: part("retry", count),
  ...checkTimes,
  alpha: part("alpha", bool),
  logAllFailures: part("log_all_failures", bool),
} as const;

const connection = {
  connectAddress: part("connect_ip", ip()),
  connectPort: part("connect_port", port),
  bindAddress: part("bindto", ip()),
  bindPort: part("bind_port", port),
  bindInterface: part("bind_if", interfaceName),
  connectTimeout: part("connect_timeout", positiveSeconds, { default: "5" }),
  mark: part("fwmark", count),
} as const;

/** The same in every checker that has them. */
export const checkerKeywords = { ...connection, ...checkerBase } as const;

const checker = <Keywords extends KeywordMap>(
  name: string,
  keywords: Keywords,
  blocks: Parameters<typeof block>[1]["blocks"] = [],
) =>
  block(name, {
    keywords,
    blocks,
    support: { level: "part" },
    misnomers: misnomersOf(Object.values(keywords).map(({ name }) => name)),
  });

const checkerMisnomers = {
  tcp_port: "connect_port",
  port: "connect_port",
  timeout: "connect_timeout",
  ip: "connect_ip",
  nb_get_retry: "retry",
};

const misnomersOf = (known: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(checkerMisnomers).filter(([wrong, right]) => known.includes(right) && !known.includes(wrong)),
  );

export interface StatusRange {
  readonly min: number;
  readonly max: number;
}

/** `200`, `200-299 301`. */
const statusCodes = {
  ...oneWord("N[-M] …", "100 to 599", (): readonly StatusRange[] => []),
  parse: (line: Parameters<typeof bool.parse>[0], report: Parameters<typeof bool.parse>[1]) => {
    const ranges: StatusRange[] = [];
    for (const word of line.args) {
      const match = /^(\d{3})(?:-(\d{3}))?$/.exec(word.text);
      const min = Number(match?.[1]);
      const max = Number(match?.[2] ?? match?.[1]);
      if (match !== null && min >= 100 && max <= 599 && min <= max) ranges.push({ min, max });
      else invalidValue(word, line, report, "codes from 100 to 599, or ranges like 200-299");
    }
    return ranges.length === 0 ? undefined : ranges;
  },
};

const md5 = oneWord("MD5", "32 hexadecimal digits", (word, line, report) => {
  if (/^[0-9a-fA-F]{32}$/.test(word.text)) return word.text.toLowerCase();
  invalidValue(word, line, report, "32 hexadecimal digits, as `baton` or genhash compute them");
  return undefined;
});

export const urlKeywords = {
  path: part("path", text("PATH")),
  digest: part("digest", md5, { repeat: "first" }),
  statusCodes: part("status_code", statusCodes, { default: "200-299" }),
  virtualHost: part("virtualhost", text("NAME")),
  regex: part("regex", { ...text("PATTERN"), script: true }),
  regexNoMatch: part("regex_no_match", flag),
  regexOptions: part("regex_options", anyWords("OPT …", 1)),
  regexMinOffset: part("regex_min_offset", count),
  regexMaxOffset: part("regex_max_offset", count),
  regexStack: part("regex_stack", anyWords("START MAX", 2)),
} as const;

export const httpUrl = block("url", { keywords: urlKeywords, support: { level: "part" } });
export const sslUrl = block("url", {
  keywords: { ...urlKeywords, tlsCompliant: part("tls_compliant", bool) },
  support: { level: "part" },
});

const httpKeywords = {
  ...connection,
  ...checkerBase,
  oldRetry: alias("nb_get_retry", checkerBase.retry, "write retry"),
  virtualHost: part("virtualhost", text("NAME")),
  httpProtocol: part("http_protocol", choice("1.0", "1.0C", "1.0c", "1.1"), { default: "1.0" }),
  enableSni: part("enable_sni", bool),
  sniName: part("sni_name", optional(text("NAME"), undefined)),
  fastRecovery: part("fast_recovery", bool),
} as const;

const smtpHost = block("host", {
  keywords: { ...connection, ...checkerBase },
  support: { level: "part" },
  deprecated: "write one SMTP_CHECK for each host",
});

export const checkers = {
  TCP_CHECK: checker("TCP_CHECK", { ...connection, ...checkerBase }),
  HTTP_GET: checker("HTTP_GET", httpKeywords, [httpUrl]),
  SSL_GET: checker("SSL_GET", { ...httpKeywords, tlsCompliant: part("tls_compliant", bool) }, [sslUrl]),
  SMTP_CHECK: checker("SMTP_CHECK", { ...connection, ...checkerBase, heloName: part("helo_name", text("NAME")) }, [
    smtpHost,
  ]),
  DNS_CHECK: checker("DNS_CHECK", {
    ...connection,
    ...checkerBase,
    type: part("type", text("TYPE"), { default: "SOA" }),
    name: part("name", text("FQDN"), { repeat: "first" }),
  }),
  PING_CHECK: checker("PING_CHECK", { ...connection, ...checkerBase }),
  UDP_CHECK: checker("UDP_CHECK", {
    ...connection,
    ...checkerBase,
    payload: part("payload", anyWords("HEX", 1)),
    requireReply: part("require_reply", anyWords("[HEX]")),
    minReplyLength: part("min_reply_length", integer({ min: 0, max: 65_535, strict: true })),
    maxReplyLength: part("max_reply_length", integer({ min: 0, max: 65_535, strict: true })),
  }),
  MISC_CHECK: checker("MISC_CHECK", {
    ...checkerBase,
    path: part("misc_path", script({ takesUser: false, command: "maybe" })),
    timeout: part("misc_timeout", seconds({ decimals: 0 })),
    dynamic: part("misc_dynamic", flag),
    user: part("user", anyWords("USER [GROUP]", 1)),
  }),
  FILE_CHECK: checker("FILE_CHECK", {
    trackFile: part("track_file", text("NAME")),
    weight: part("weight", anyWords("N [reverse|noreverse]", 1)),
  }),
  BFD_CHECK: checker("BFD_CHECK", { name: part("name", text("NAME")), alpha: part("alpha", bool) }),
} as const;

const method = choice("NAT", "DR", "TUN");
const weight = integer({ min: 0, max: int32Max });

export const realServer = block("real_server", {
  header: addressPort,
  support: { level: "part" },
  keywords: {
    weight: part("weight", weight, { default: "weight of the virtual server" }),
    method: part("lvs_method", method),
    upperThreshold: part("uthreshold", count),
    lowerThreshold: part("lthreshold", count),
    inhibitOnFailure: part("inhibit_on_failure", bool),
    notifyUp: part("notify_up", eventScript, { repeat: "first" }),
    notifyDown: part("notify_down", eventScript, { repeat: "first" }),
    alpha: part("alpha", bool),
    retry: serverRetry,
    ...checkTimes,
    connectTimeout: part("connect_timeout", positiveSeconds),
    smtpAlert: part("smtp_alert", bool),
    virtualHost: part("virtualhost", lenientlyMissing(text("NAME"))),
    snmpName: part("snmp_name", text("NAME")),
  },
  blocks: Object.values(checkers),
});

const schedulers = [
  "rr",
  "wrr",
  "lc",
  "wlc",
  "lblc",
  "lblcr",
  "sh",
  "mh",
  "dh",
  "fo",
  "ovf",
  "sed",
  "nq",
  "twos",
] as const;

const scheduler = part("lb_algo", choice(...schedulers), { default: "wlc" });
const forwarding = part("lb_kind", method, { default: "NAT" });

const protocol = oneWord("TCP|UDP|SCTP", "", (word, line, report) => {
  const name = word.text.toLowerCase();
  if (name === "tcp" || name === "udp" || name === "sctp") return name;
  invalidValue(word, line, report, "TCP, UDP or SCTP");
  return undefined;
});

export const virtualServer = block("virtual_server", {
  header: virtualServerId,
  owners: ["checker"],
  support: noVirtualServers,
  keywords: {
    family: part("ip_family", choice("inet", "inet6")),
    retry: serverRetry,
    ...checkTimes,
    connectTimeout: part("connect_timeout", positiveSeconds, { default: "5" }),
    inhibitOnFailure: part("inhibit_on_failure", flag),
    scheduler,
    schedulerOld: alias("lvs_sched", scheduler),
    forwarding,
    forwardingOld: alias("lvs_method", forwarding),
    hashed: part("hashed", flag),
    onePacket: part("ops", flag),
    flag1: part("flag-1", flag),
    flag2: part("flag-2", flag),
    flag3: part("flag-3", flag),
    shPort: part("sh-port", flag),
    shFallback: part("sh-fallback", flag),
    mhPort: part("mh-port", flag),
    mhFallback: part("mh-fallback", flag),
    persistenceEngine: part("persistence_engine", text("NAME")),
    persistenceTimeout: part(
      "persistence_timeout",
      optional(integer({ min: 1, max: 2_678_400, strict: true, syntax: "SECS" }), 360),
      { default: "0: off" },
    ),
    persistenceGranularity: part("persistence_granularity", text("MASK|PREFIX")),
    protocol: part("protocol", protocol, { default: "UDP" }),
    haSuspend: part("ha_suspend", flag),
    smtpAlert: part("smtp_alert", bool),
    virtualHost: part("virtualhost", lenientlyMissing(text("NAME"))),
    snmpName: part("snmp_name", text("NAME")),
    alpha: part("alpha", flag),
    omega: part("omega", flag),
    quorumUp: part("quorum_up", eventScript, { repeat: "first" }),
    quorumDown: part("quorum_down", eventScript, { repeat: "first" }),
    quorum: part("quorum", integer({ min: 1, max: uint32Max, instead: 1 }), { default: "1" }),
    hysteresis: part("hysteresis", count, { default: "0" }),
    weight: part("weight", integer({ min: 1, max: int32Max }), { default: "1" }),
    sorryServer: part("sorry_server", addressPort),
    sorryServerInhibit: part("sorry_server_inhibit", flag),
    sorryServerMethod: part("sorry_server_lvs_method", method),
  },
  blocks: [realServer],
  misnomers: { lb_method: "lb_kind", scheduler: "lb_algo", quorom: "quorum" },
});

export const virtualServerGroup = values("virtual_server_group", { header: text("NAME"), support: noVirtualServers });

const noKeyMaterial = "SSL_GET is not carried out by this version";

export const sslBlock = block("SSL", {
  owners: ["checker"],
  support: noVirtualServers,
  keywords: {
    password: noted("password", lenientlyMissing(text("STRING")), noKeyMaterial),
    ca: noted("ca", lenientlyMissing(text("PATH")), noKeyMaterial),
    certificate: noted("certificate", lenientlyMissing(text("PATH")), noKeyMaterial),
    key: noted("key", lenientlyMissing(text("PATH")), noKeyMaterial),
  },
});
