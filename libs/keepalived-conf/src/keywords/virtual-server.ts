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
  secret,
  text,
  uint32Max,
} from "./arguments.ts";
import { noVirtualServers } from "./global-defs.ts";
import { eventScript, script } from "./script-argument.ts";
import { alias, asBlock, block, type KeywordMap, noted, values } from "./table.ts";

const port = integer({ min: 1, max: 65_535, syntax: "PORT" });
const count = integer({ min: 0, max: uint32Max });
const positiveSeconds = seconds({ min: 0.000001 });
const anyTime = seconds({ max: uint32Max });
const loopTime = seconds({ min: 0.000001, max: uint32Max });

/** Of real and virtual servers; a checker may say 0. */
const serverRetry = asBlock("retry", integer({ min: 1, max: uint32Max, strict: true }));

/** What every checker, or its real or virtual server as a default for it, can say. */
const checkTimes = {
  delayBeforeRetry: asBlock("delay_before_retry", anyTime),
  warmup: asBlock("warmup", anyTime, { default: "delay_loop" }),
  delayLoop: asBlock("delay_loop", loopTime, { default: "60" }),
} as const;

const checkerBase = {
  retry: asBlock("retry", count),
  ...checkTimes,
  alpha: asBlock("alpha", bool),
  logAllFailures: asBlock("log_all_failures", bool),
} as const;

const connection = {
  connectAddress: asBlock("connect_ip", ip()),
  connectPort: asBlock("connect_port", port),
  bindAddress: asBlock("bindto", ip()),
  bindPort: asBlock("bind_port", port),
  bindInterface: asBlock("bind_if", interfaceName),
  connectTimeout: asBlock("connect_timeout", positiveSeconds, { default: "5" }),
  mark: asBlock("fwmark", count),
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
    support: { level: "as-block" },
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
  path: asBlock("path", text("PATH")),
  digest: asBlock("digest", md5, { repeat: "first" }),
  statusCodes: asBlock("status_code", statusCodes, { default: "200-299" }),
  virtualHost: asBlock("virtualhost", text("NAME")),
  regex: asBlock("regex", { ...text("PATTERN"), script: true }),
  regexNoMatch: asBlock("regex_no_match", flag),
  regexOptions: asBlock("regex_options", anyWords("OPT …", 1)),
  regexMinOffset: asBlock("regex_min_offset", count),
  regexMaxOffset: asBlock("regex_max_offset", count),
  regexStack: asBlock("regex_stack", anyWords("START MAX", 2)),
} as const;

export const httpUrl = block("url", { keywords: urlKeywords, support: { level: "as-block" } });
export const sslUrl = block("url", {
  keywords: { ...urlKeywords, tlsCompliant: asBlock("tls_compliant", bool) },
  support: { level: "as-block" },
});

const httpKeywords = {
  ...connection,
  ...checkerBase,
  oldRetry: alias("nb_get_retry", checkerBase.retry, "write retry"),
  virtualHost: asBlock("virtualhost", text("NAME")),
  httpProtocol: asBlock("http_protocol", choice("1.0", "1.0C", "1.0c", "1.1"), { default: "1.0" }),
  enableSni: asBlock("enable_sni", bool),
  sniName: asBlock("sni_name", optional(text("NAME"), undefined)),
  fastRecovery: asBlock("fast_recovery", bool),
} as const;

const smtpHost = block("host", {
  keywords: { ...connection, ...checkerBase },
  support: { level: "as-block" },
  deprecated: "write one SMTP_CHECK for each host",
});

export const checkers = {
  TCP_CHECK: checker("TCP_CHECK", { ...connection, ...checkerBase }),
  HTTP_GET: checker("HTTP_GET", httpKeywords, [httpUrl]),
  SSL_GET: checker("SSL_GET", { ...httpKeywords, tlsCompliant: asBlock("tls_compliant", bool) }, [sslUrl]),
  SMTP_CHECK: checker("SMTP_CHECK", { ...connection, ...checkerBase, heloName: asBlock("helo_name", text("NAME")) }, [
    smtpHost,
  ]),
  DNS_CHECK: checker("DNS_CHECK", {
    ...connection,
    ...checkerBase,
    type: asBlock("type", text("TYPE"), { default: "SOA" }),
    name: asBlock("name", text("FQDN"), { repeat: "first" }),
  }),
  PING_CHECK: checker("PING_CHECK", { ...connection, ...checkerBase }),
  UDP_CHECK: checker("UDP_CHECK", {
    ...connection,
    ...checkerBase,
    payload: asBlock("payload", anyWords("HEX", 1)),
    requireReply: asBlock("require_reply", anyWords("[HEX]")),
    minReplyLength: asBlock("min_reply_length", integer({ min: 0, max: 65_535, strict: true })),
    maxReplyLength: asBlock("max_reply_length", integer({ min: 0, max: 65_535, strict: true })),
  }),
  MISC_CHECK: checker("MISC_CHECK", {
    ...checkerBase,
    path: asBlock("misc_path", script({ takesUser: false, command: "maybe" })),
    timeout: asBlock("misc_timeout", seconds({ decimals: 0 })),
    dynamic: asBlock("misc_dynamic", flag),
    user: asBlock("user", anyWords("USER [GROUP]", 1)),
  }),
  FILE_CHECK: checker("FILE_CHECK", {
    trackFile: asBlock("track_file", text("NAME")),
    weight: asBlock("weight", anyWords("N [reverse|noreverse]", 1)),
  }),
  BFD_CHECK: checker("BFD_CHECK", { name: asBlock("name", text("NAME")), alpha: asBlock("alpha", bool) }),
} as const;

const method = choice("NAT", "DR", "TUN");
const weight = integer({ min: 0, max: int32Max });

export const realServer = block("real_server", {
  header: addressPort,
  support: { level: "as-block" },
  keywords: {
    weight: asBlock("weight", weight, { default: "weight of the virtual server" }),
    method: asBlock("lvs_method", method),
    upperThreshold: asBlock("uthreshold", count),
    lowerThreshold: asBlock("lthreshold", count),
    inhibitOnFailure: asBlock("inhibit_on_failure", bool),
    notifyUp: asBlock("notify_up", eventScript, { repeat: "first" }),
    notifyDown: asBlock("notify_down", eventScript, { repeat: "first" }),
    alpha: asBlock("alpha", bool),
    retry: serverRetry,
    ...checkTimes,
    connectTimeout: asBlock("connect_timeout", positiveSeconds),
    smtpAlert: asBlock("smtp_alert", bool),
    virtualHost: asBlock("virtualhost", lenientlyMissing(text("NAME"))),
    snmpName: asBlock("snmp_name", text("NAME")),
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

const scheduler = asBlock("lb_algo", choice(...schedulers), { default: "wlc" });
const forwarding = asBlock("lb_kind", method, { default: "NAT" });

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
    family: asBlock("ip_family", choice("inet", "inet6")),
    retry: serverRetry,
    ...checkTimes,
    connectTimeout: asBlock("connect_timeout", positiveSeconds, { default: "5" }),
    inhibitOnFailure: asBlock("inhibit_on_failure", flag),
    scheduler,
    schedulerOld: alias("lvs_sched", scheduler),
    forwarding,
    forwardingOld: alias("lvs_method", forwarding),
    hashed: asBlock("hashed", flag),
    onePacket: asBlock("ops", flag),
    flag1: asBlock("flag-1", flag),
    flag2: asBlock("flag-2", flag),
    flag3: asBlock("flag-3", flag),
    shPort: asBlock("sh-port", flag),
    shFallback: asBlock("sh-fallback", flag),
    mhPort: asBlock("mh-port", flag),
    mhFallback: asBlock("mh-fallback", flag),
    persistenceEngine: asBlock("persistence_engine", text("NAME")),
    persistenceTimeout: asBlock(
      "persistence_timeout",
      optional(integer({ min: 1, max: 2_678_400, strict: true, syntax: "SECS" }), 360),
      { default: "0: off" },
    ),
    persistenceGranularity: asBlock("persistence_granularity", text("MASK|PREFIX")),
    protocol: asBlock("protocol", protocol, { default: "UDP" }),
    haSuspend: asBlock("ha_suspend", flag),
    smtpAlert: asBlock("smtp_alert", bool),
    virtualHost: asBlock("virtualhost", lenientlyMissing(text("NAME"))),
    snmpName: asBlock("snmp_name", text("NAME")),
    alpha: asBlock("alpha", flag),
    omega: asBlock("omega", flag),
    quorumUp: asBlock("quorum_up", eventScript, { repeat: "first" }),
    quorumDown: asBlock("quorum_down", eventScript, { repeat: "first" }),
    quorum: asBlock("quorum", integer({ min: 1, max: uint32Max, instead: 1 }), { default: "1" }),
    hysteresis: asBlock("hysteresis", count, { default: "0" }),
    weight: asBlock("weight", integer({ min: 1, max: int32Max }), { default: "1" }),
    sorryServer: asBlock("sorry_server", addressPort),
    sorryServerInhibit: asBlock("sorry_server_inhibit", flag),
    sorryServerMethod: asBlock("sorry_server_lvs_method", method),
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
    password: noted("password", secret(lenientlyMissing(text("STRING"))), noKeyMaterial),
    ca: noted("ca", lenientlyMissing(text("PATH")), noKeyMaterial),
    certificate: noted("certificate", lenientlyMissing(text("PATH")), noKeyMaterial),
    key: noted("key", lenientlyMissing(text("PATH")), noKeyMaterial),
  },
});
