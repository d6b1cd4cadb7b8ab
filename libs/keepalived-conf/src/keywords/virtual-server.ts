// `virtual_server`, its real servers and groups of addresses.
import { schedulers } from "../config/virtual-server.ts";
import { addressPort, virtualServerId } from "./address-arguments.ts";
import {
  bool,
  choice,
  flag,
  int32Max,
  integer,
  invalidValue,
  lenientlyMissing,
  oneWord,
  optional,
  secret,
  text,
  uint32Max,
} from "./arguments.ts";
import { checkers, checkTimes, connectTimeout } from "./checker.ts";
import { type ForwardingLine, forwarding } from "./forwarding-argument.ts";
import { noSnmp } from "./global/reasons.ts";
import { groupForm } from "./group-options.ts";
import { eventScript } from "./script-argument.ts";
import { type Argument, alias, asBlock, block, noted, values, works } from "./table.ts";

const count = integer({ min: 0, max: uint32Max });
const name = lenientlyMissing(text("NAME"));

/** Of real and virtual servers; a checker may say 0. */
const retry = asBlock("retry", integer({ min: 1, max: uint32Max, strict: true }), {
  meaning: "How often a check that fails is tried again before the server is taken out.",
  default: "1; 3 for DNS_CHECK, 0 for MISC_CHECK",
});

/** One word, neither more nor less. */
const snmpName: Argument<string> = {
  ...text("NAME"),
  required: 0,
  parse: (line, report) => {
    const [word, surplus] = line.args;
    if (word !== undefined && surplus === undefined) return word.text;
    report({
      place: line.at(surplus),
      severity: "error",
      code: "name",
      errorClass: "general-error",
      message: "snmp_name takes one name; the line is ignored",
      hint: 'put a name with blanks into double quotes: snmp_name "A NAME"',
    });
    return undefined;
  },
};

const snmp = noted("snmp_name", snmpName, noSnmp, {
  meaning: "The name under which others show it.",
  default: "none",
  repeat: "replaced",
});

export const realServer = block("real_server", {
  header: addressPort,
  meaning: "A server behind the virtual server.",
  support: { level: "as-block" },
  keywords: {
    weight: asBlock("weight", integer({ min: 0, max: int32Max }), {
      meaning: "Its share of the connections; 0: no new ones.",
      default: "weight of the virtual server",
    }),
    method: asBlock("lvs_method", forwarding, {
      meaning: "How packets reach this server.",
      default: "lb_kind of the virtual server",
      repeat: "all",
    }),
    upperThreshold: asBlock("uthreshold", count, {
      meaning: "Above so many connections the server gets no more.",
      default: "0: no limit",
    }),
    lowerThreshold: asBlock("lthreshold", count, {
      meaning: "Below so many connections a server that had too many gets new ones again.",
      default: "0: three quarters of uthreshold",
    }),
    inhibitOnFailure: asBlock("inhibit_on_failure", bool, {
      meaning: "A server that fails keeps its connections, with weight 0, in place of being removed.",
      default: "inhibit_on_failure of the virtual server",
    }),
    notifyUp: works("notify_up", eventScript, {
      meaning: "Runs when the server is taken in.",
      service: "notifier",
      default: "none",
      repeat: "first",
    }),
    notifyDown: works("notify_down", eventScript, {
      meaning: "Runs when the server is taken out.",
      service: "notifier",
      default: "none",
      repeat: "first",
    }),
    alpha: asBlock("alpha", bool, {
      meaning: "The server counts as down until its checks have succeeded.",
      service: "health",
      default: "alpha of the virtual server",
    }),
    retry: { ...retry, service: "health", default: "retry of the virtual server" },
    delayBeforeRetry: { ...checkTimes.delayBeforeRetry, service: "health" },
    warmup: { ...checkTimes.warmup, service: "health" },
    delayLoop: { ...checkTimes.delayLoop, service: "health", default: "delay_loop of the virtual server" },
    connectTimeout: { ...connectTimeout, service: "health", default: "connect_timeout of the virtual server" },
    smtpAlert: works("smtp_alert", bool, {
      meaning: "Mail is sent when the server is taken in or out.",
      service: "notifier",
      default: "smtp_alert_checker, smtp_alert, or on",
    }),
    virtualHost: asBlock("virtualhost", name, {
      meaning: "The Host header of HTTP_GET and SSL_GET.",
      service: "health",
      default: "virtualhost of the virtual server",
      repeat: "replaced",
    }),
    snmpName: { ...snmp, service: "control" },
  },
  blocks: Object.values(checkers),
});

const scheduler = asBlock("lb_algo", choice(...schedulers), {
  meaning: "How the kernel chooses a server for a connection.",
  default: "wlc",
  repeat: "all",
});

const lbKind = asBlock("lb_kind", forwarding, {
  meaning: "How packets reach the servers: NAT, direct routing, or a tunnel.",
  default: "NAT",
  repeat: "all",
});

const schedulerFlag = (flagName: string, meaning: string) => asBlock(flagName, flag, { meaning, default: "off" });

const scheduling = {
  scheduler,
  schedulerOld: alias("lvs_sched", scheduler),
  hashed: schedulerFlag("hashed", "Has no effect; it is only taken after lb_algo sh or mh."),
  onePacket: schedulerFlag("ops", "Each packet goes to a server of its own; for UDP and firewall marks."),
  flag1: schedulerFlag("flag-1", "The first flag of the scheduler, whatever it means to it."),
  flag2: schedulerFlag("flag-2", "The second flag of the scheduler."),
  flag3: schedulerFlag("flag-3", "The third flag of the scheduler."),
  shPort: schedulerFlag("sh-port", "The source port counts as well; after lb_algo sh."),
  shFallback: schedulerFlag("sh-fallback", "A server that takes nothing is stepped over; after lb_algo sh."),
  mhPort: schedulerFlag("mh-port", "The source port counts as well; after lb_algo mh."),
  mhFallback: schedulerFlag("mh-fallback", "A server that takes nothing is stepped over; after lb_algo mh."),
} as const;

/** IP_VS_PENAME_MAXLEN of linux/ip_vs.h: octets, of which the kernel needs the last for the end of the name. */
const engineMax = 16;

const engine = oneWord("NAME", `up to ${engineMax - 1} characters`, (word, line, report) => {
  const octets = new TextEncoder().encode(word.text);
  if (octets.length < engineMax) return word.text;
  const used = new TextDecoder().decode(octets.subarray(0, engineMax - 1), { stream: true });
  report({
    place: line.at(word),
    // keepalived says nothing of one octet too many.
    ...(octets.length === engineMax
      ? ({ severity: "warning", code: "invalid-value", errorClass: "ok" } as const)
      : ({ severity: "error", code: "invalid-value", errorClass: "general-error" } as const)),
    message: `persistence_engine: '${word.text}' is too long`,
    used: `persistence_engine ${used}`,
    hint: "write the name of one of the kernel's modules ip_vs_pe_NAME, as sip",
  });
  return used;
});

/** What persistence means without a number of seconds (ip_vs), and the longest that it can be. */
export const persistenceDefault = 360;
const persistenceMax = 2_678_400;

const persistence = {
  persistenceEngine: asBlock("persistence_engine", engine, {
    meaning: "What the kernel knows clients by, where their address is not enough.",
    default: "none: their address",
  }),
  persistenceTimeout: asBlock(
    "persistence_timeout",
    optional(integer({ min: 1, max: persistenceMax, strict: true, syntax: "SECS" }), persistenceDefault),
    {
      meaning: `How long after its last connection a client comes to the same server; ${persistenceDefault} s without a number.`,
      default: "0: clients are not remembered",
    },
  ),
  persistenceGranularity: asBlock("persistence_granularity", text("MASK|PREFIX"), {
    meaning: "Clients of one network are one client: an IPv4 netmask, or the prefix length of IPv6 networks.",
    default: "255.255.255.255, or 128",
    repeat: "all",
  }),
} as const;

const protocol = oneWord("TCP|UDP|SCTP", "upper or lower case", (word, line, report) => {
  const known = (["tcp", "udp", "sctp"] as const).find((candidate) => candidate === word.text.toLowerCase());
  if (known === undefined) invalidValue(word, line, report, "TCP, UDP or SCTP");
  return known;
});

const quorum = {
  alpha: asBlock("alpha", flag, {
    meaning: "Servers count as down until their checks have succeeded.",
    service: "health",
    default: "off",
  }),
  omega: asBlock("omega", flag, {
    meaning: "An end of the service runs notify_down and quorum_down as a failure would.",
    service: "health",
    default: "off",
  }),
  quorumUp: works("quorum_up", eventScript, {
    meaning: "Runs when the quorum is gained.",
    service: "notifier",
    default: "none",
    repeat: "first",
  }),
  quorumDown: works("quorum_down", eventScript, {
    meaning: "Runs when the quorum is lost.",
    service: "notifier",
    default: "none",
    repeat: "first",
  }),
  quorum: asBlock("quorum", integer({ min: 1, max: uint32Max, instead: 1 }), {
    meaning: "The total weight of live servers that the service needs.",
    service: "health",
    default: "1",
  }),
  hysteresis: asBlock("hysteresis", count, {
    meaning: "How much above the quorum it is gained, and how much below it is lost.",
    service: "health",
    default: "0",
  }),
} as const;

/** keepalived asks for the word only where there is a sorry server. */
const sorryForwarding: Argument<ForwardingLine | "missing"> = {
  ...forwarding,
  required: 0,
  parse: (line, report) => (line.args.length === 0 ? "missing" : forwarding.parse(line, report)),
};

const sorry = {
  sorryServer: asBlock("sorry_server", addressPort, {
    meaning: "The server that stands in while the quorum is lost.",
    default: "none",
    repeat: "all",
  }),
  sorryServerInhibit: asBlock("sorry_server_inhibit", flag, {
    meaning: "While it is not needed the sorry server stays with weight 0; after sorry_server.",
    default: "off",
    repeat: "all",
  }),
  sorryServerMethod: asBlock("sorry_server_lvs_method", sorryForwarding, {
    meaning: "How packets reach the sorry server; after sorry_server.",
    default: "lb_kind as far as it was given before sorry_server",
    repeat: "all",
  }),
} as const;

const family = asBlock("ip_family", choice("inet", "inet6"), {
  meaning: "The family of packets that a service with a firewall mark, or a group of them, takes.",
  default: "that of the real servers",
  repeat: "all",
});

export const virtualServer = block("virtual_server", {
  header: virtualServerId,
  owners: ["checker"],
  meaning: "A service of the kernel's load balancer: an address and port, a firewall mark, or a group of them.",
  service: "balancer",
  keywords: {
    family,
    retry: { ...retry, service: "health" },
    delayBeforeRetry: { ...checkTimes.delayBeforeRetry, service: "health" },
    warmup: { ...checkTimes.warmup, service: "health" },
    delayLoop: { ...checkTimes.delayLoop, service: "health" },
    connectTimeout: { ...connectTimeout, service: "health" },
    inhibitOnFailure: asBlock("inhibit_on_failure", flag, {
      meaning: "Servers that fail keep their connections, with weight 0, in place of being removed.",
      default: "off",
    }),
    ...scheduling,
    forwarding: lbKind,
    forwardingOld: alias("lvs_method", lbKind),
    ...persistence,
    protocol: asBlock("protocol", protocol, {
      meaning: "The protocol of the service; firewall marks take any.",
      default: "UDP",
    }),
    haSuspend: asBlock("ha_suspend", flag, {
      meaning: "Checks run only while the address of the service is on this machine; not with firewall marks.",
      service: "health",
      default: "off",
    }),
    smtpAlert: works("smtp_alert", bool, {
      meaning: "Mail is sent when the quorum is gained or lost.",
      service: "notifier",
      default: "smtp_alert_checker, smtp_alert, or off",
    }),
    virtualHost: asBlock("virtualhost", name, {
      meaning: "The Host header of HTTP_GET and SSL_GET.",
      service: "health",
      default: "address and port of the connection",
      repeat: "replaced",
    }),
    snmpName: { ...snmp, service: "control" },
    ...quorum,
    weight: asBlock("weight", integer({ min: 1, max: int32Max }), {
      meaning: "The weight of the servers that do not say their own.",
      default: "1",
    }),
    ...sorry,
  },
  blocks: [realServer],
  misnomers: {
    lb_method: "lb_kind",
    forwarding: "lb_kind",
    scheduler: "lb_algo",
    algorithm: "lb_algo",
    persistence: "persistence_timeout",
    quorom: "quorum",
    backend: "real_server",
  },
});

export const virtualServerGroup = values("virtual_server_group", {
  header: text("NAME"),
  meaning: "Addresses, ranges and firewall marks that virtual servers can serve as one.",
  service: "balancer",
  form: groupForm,
});

const pem = lenientlyMissing(text("PATH"));

export const sslBlock = block("SSL", {
  owners: ["checker"],
  meaning: "Keys and certificates of SSL_GET, for all checks of the file.",
  service: "health",
  keywords: {
    password: works("password", lenientlyMissing(secret(text("STRING"))), {
      meaning: "The password of the key.",
      default: "none",
      repeat: "replaced",
    }),
    ca: works("ca", pem, {
      meaning: "A PEM file with certificates of authorities.",
      default: "none",
      repeat: "replaced",
    }),
    certificate: works("certificate", pem, {
      meaning: "A PEM file with the certificate that checks show, and its chain.",
      default: "none",
      repeat: "replaced",
    }),
    key: works("key", pem, {
      meaning: "A PEM file with the key of the certificate.",
      default: "none",
      repeat: "replaced",
    }),
  },
});
