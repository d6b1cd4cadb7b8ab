// The ten checkers of a real server.
import { dnsTypes } from "../config/checker.ts";
import { ip } from "./address-arguments.ts";
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
import { account } from "./line-arguments.ts";
import { payload, reply } from "./octets-argument.ts";
import { script } from "./script-argument.ts";
import { type Argument, alias, asBlock, block, type KeywordMap } from "./table.ts";
import { md5, offset, regex, regexOptionNames, stackSizes, statusCodes } from "./url-arguments.ts";

const port = integer({ min: 1, max: 65_535, syntax: "PORT" });
const count = integer({ min: 0, max: uint32Max });

/** 64 bits of microseconds. */
const timerMax = 18_446_744_073_709;
const anyTime = seconds({ max: timerMax });
const loopTime = seconds({ min: 0.000_001, max: timerMax });

/** Kept in 32 bits of microseconds. */
export const connectTimeout = asBlock("connect_timeout", seconds({ min: 0.000_001, max: 4_294.967_295 }), {
  meaning: "How long a check waits for its connection, and for each answer after it.",
  default: "5",
});

/** What a real or virtual server can say too, as a default for its checkers. */
export const checkTimes = {
  delayBeforeRetry: asBlock("delay_before_retry", anyTime, {
    meaning: "How long a check waits after a failed attempt before it tries again.",
    default: "1; 3 for HTTP_GET and SSL_GET, delay_loop for DNS_CHECK",
  }),
  warmup: asBlock("warmup", anyTime, {
    meaning: "The first run of a check is put off by a random part of this time, so that not all of them run at once.",
    default: "delay_loop",
  }),
  delayLoop: asBlock("delay_loop", loopTime, {
    meaning: "The time from the end of a check to its next run.",
    default: "60",
  }),
} as const;

const checkerBase = {
  retry: asBlock("retry", count, {
    meaning: "How often a check that fails is tried again before the server is taken out.",
    default: "1; 3 for DNS_CHECK, 0 for MISC_CHECK",
  }),
  ...checkTimes,
  alpha: asBlock("alpha", bool, {
    meaning: "The check counts as failed until it has succeeded for the first time.",
    default: "alpha of the real server",
  }),
  logAllFailures: asBlock("log_all_failures", bool, {
    meaning: "Every failed attempt is reported, and not only the one that takes the server out.",
    default: "checker_log_all_failures",
  }),
} as const;

const connection = {
  connectAddress: asBlock("connect_ip", ip(), {
    meaning: "The address that is checked in place of the real server's.",
    default: "the address of the real server",
  }),
  connectPort: asBlock("connect_port", port, {
    meaning: "The port that is checked in place of the real server's.",
    default: "the port of the real server",
  }),
  bindAddress: asBlock("bindto", ip(), {
    meaning: "The address that checks come from; of the family of the address that they go to.",
    default: "as the kernel chooses",
  }),
  bindPort: asBlock("bind_port", port, {
    meaning: "The port that checks come from.",
    default: "as the kernel chooses",
  }),
  bindInterface: asBlock("bind_if", interfaceName, {
    meaning: "The interface that checks go through; link-local addresses need one.",
    default: "as the kernel chooses",
  }),
  connectTimeout,
  mark: asBlock("fwmark", count, {
    meaning: "The firewall mark on the packets of the check.",
    default: "0: none",
  }),
} as const;

/** The same in every checker that has them. */
export const checkerKeywords = { ...connection, ...checkerBase } as const;

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

const checker = <Keywords extends KeywordMap>(
  name: string,
  meaning: string,
  keywords: Keywords,
  blocks: Parameters<typeof block>[1]["blocks"] = [],
) =>
  block(name, {
    meaning,
    service: "health",
    keywords,
    blocks,
    support: { level: "works" },
    misnomers: misnomersOf(Object.values(keywords).map(({ name }) => name)),
  });

export const urlKeywords = {
  path: asBlock("path", text("PATH"), {
    meaning: "What the request asks for, as /index.html.",
    default: "none: the url is left out",
    repeat: "replaced",
  }),
  digest: asBlock("digest", md5, {
    meaning: "The body has to have this MD5.",
    default: "none: any body",
    repeat: "first",
  }),
  statusCodes: asBlock("status_code", statusCodes, {
    meaning: "Status codes that are a success.",
    default: "200-299",
    repeat: "all",
  }),
  virtualHost: asBlock("virtualhost", lenientlyMissing(text("NAME")), {
    meaning: "The Host header of the request, and the name that SSL_GET asks for with enable_sni.",
    default: "virtualhost of the checker",
    repeat: "replaced",
  }),
  regex: asBlock("regex", regex, {
    meaning: "The body has to match this pattern of PCRE2.",
    default: "none: any body",
    repeat: "replaced",
  }),
  regexNoMatch: asBlock("regex_no_match", flag, { meaning: "The body must not match the pattern.", default: "off" }),
  regexOptions: asBlock("regex_options", regexOptionNames, {
    meaning: "How the pattern is to be understood, as PCRE2 has it.",
    default: "none",
    repeat: "all",
  }),
  regexMinOffset: asBlock("regex_min_offset", offset, {
    meaning: "Octets of the body before which a match must not start.",
    default: "0",
  }),
  regexMaxOffset: asBlock("regex_max_offset", offset, {
    meaning: "Octets of the body behind which a match must not start.",
    default: "the end of the body",
  }),
  regexStack: asBlock("regex_stack", stackSizes, {
    meaning: "Octets of stack that matching has at the start, and at most.",
    default: "as PCRE2 has it",
  }),
} as const;

/** TLS connections are closed as the standard says, with a close_notify. */
const tlsCompliant = asBlock("tls_compliant", bool, {
  meaning: "The connection is closed as TLS says, for servers that complain otherwise.",
  default: "off",
  since: "2.2.8",
});

const url = (keywords: typeof urlKeywords) =>
  block("url", {
    meaning: "One request of the check; all of them have to succeed.",
    keywords,
    support: { level: "as-block" },
  });

export const sslUrlKeywords = { ...urlKeywords, tlsCompliant } as const;
export const httpUrl = url(urlKeywords);
export const sslUrl = url(sslUrlKeywords);

const httpVirtualHost = {
  meaning: "The Host header of requests, and the name that SSL_GET asks for with enable_sni.",
  default: "virtualhost of the real server",
  repeat: "replaced",
} as const;

export const httpKeywords = {
  ...checkerKeywords,
  oldRetry: alias("nb_get_retry", checkerBase.retry, "write retry"),
  virtualHost: asBlock("virtualhost", lenientlyMissing(text("NAME")), httpVirtualHost),
  httpProtocol: asBlock("http_protocol", lenientlyMissing(choice("1.0", "1.0C", "1.0c", "1.1")), {
    meaning: "The version of HTTP; 1.0C and 1.1 ask the server to close the connection.",
    default: "1.0",
  }),
  enableSni: asBlock("enable_sni", bool, {
    meaning: "SSL_GET tells the server the name that it wants a certificate of.",
    default: "off; on with sni_name",
  }),
  sniName: asBlock("sni_name", optional(text("NAME"), ""), {
    meaning: "The name that SSL_GET wants a certificate of.",
    default: "virtualhost of the url, the checker, or the virtual server",
    since: "after 2.4.3",
    repeat: "all",
  }),
  fastRecovery: asBlock("fast_recovery", bool, {
    meaning: "Once a url answers again the others are asked at once, without delay_loop between them.",
    default: "off",
  }),
} as const;

export const sslKeywords = { ...httpKeywords, tlsCompliant } as const;

export const smtpHost = block("host", {
  meaning: "One more mail server to check, as if it had an SMTP_CHECK of its own.",
  keywords: checkerKeywords,
  support: { level: "as-block" },
  deprecated: "write one SMTP_CHECK for each host; keepalived 2.4 mixes up what the hosts say",
});

const dnsType = oneWord(dnsTypes.join("|"), "upper or lower case", (word, line, report) => {
  const type = dnsTypes.find((name) => name === word.text.toUpperCase());
  if (type === undefined) invalidValue(word, line, report, dnsTypes.join(" or "));
  return type;
});

/** Octets (RFC 1035 2.3.4); a name counts one more for each label and for the root. */
const labelMax = 63;
const nameMax = 255;
const encoder = new TextEncoder();

function isTooLong(name: string): boolean {
  const labels = name
    .replace(/\.$/, "")
    .split(".")
    .map((label) => encoder.encode(label).length);
  return labels.some((length) => length > labelMax) || labels.reduce((sum, length) => sum + 1 + length, 1) > nameMax;
}

/** A dot at the start, or two in a row, leave a label empty; the root is a dot alone. */
const dnsName = oneWord("FQDN", "without empty labels", (word, line, report) => {
  const name = word.text;
  if (name === "" || name === ".") return ".";
  if (name.startsWith(".") || name.includes("..")) {
    invalidValue(word, line, report, "a domain name, as example.com");
    return undefined;
  }
  if (isTooLong(name)) {
    report({
      place: line.at(word),
      severity: "warning",
      code: "invalid-value",
      errorClass: "ok",
      message: "name: too long to be asked for, so that the check always fails",
      hint: `a label has ${labelMax} octets at most, a name ${nameMax}`,
    });
  }
  if (name[1] === ".") {
    report({
      place: line.at(word),
      severity: "info",
      code: "short-label",
      errorClass: "general-error",
      message: `${name} is taken as it is; keepalived refuses names whose first label is a single character`,
    });
  }
  return name;
});

export interface FileWeight {
  readonly weight: number;
  readonly reverse: boolean;
}

const signedWeight = integer({ min: -int32Max, max: int32Max });

const fileWeight: Argument<FileWeight> = {
  ...signedWeight,
  syntax: "N [reverse|noreverse]",
  parse: (line, report) => {
    const weight = signedWeight.parse(line, report);
    const option = line.args[1];
    if (weight === undefined) return undefined;
    if (option === undefined || option.text === "reverse" || option.text === "noreverse") {
      return { weight, reverse: option?.text === "reverse" };
    }
    invalidValue(option, line, report, "reverse or noreverse after the number, or nothing");
    return undefined;
  },
};

const replyLength = integer({ min: 0, max: 65_535, strict: true });

export const checkers = {
  TCP_CHECK: checker("TCP_CHECK", "The server has to take a TCP connection.", checkerKeywords),
  HTTP_GET: checker("HTTP_GET", "The server has to answer requests over HTTP as its urls say.", httpKeywords, [
    httpUrl,
  ]),
  SSL_GET: checker("SSL_GET", "As HTTP_GET, over TLS; certificates are not verified.", sslKeywords, [sslUrl]),
  SMTP_CHECK: checker(
    "SMTP_CHECK",
    "The server has to greet as a mail server does, and to take HELO.",
    {
      ...checkerKeywords,
      heloName: asBlock("helo_name", lenientlyMissing(text("NAME")), {
        meaning: "The name that the check introduces itself by.",
        default: "smtpchecker.keepalived.org",
        repeat: "replaced",
      }),
    },
    [smtpHost],
  ),
  DNS_CHECK: checker("DNS_CHECK", "The server has to answer a DNS query over UDP without an error.", {
    ...checkerKeywords,
    type: asBlock("type", dnsType, { meaning: "What is asked for.", default: "SOA" }),
    name: asBlock("name", dnsName, { meaning: "Whose it is.", default: ".: the root", repeat: "first" }),
  }),
  PING_CHECK: checker("PING_CHECK", "The server has to answer an ICMP echo request.", checkerKeywords),
  UDP_CHECK: checker("UDP_CHECK", "A datagram to the server must not be refused, or has to be answered.", {
    ...checkerKeywords,
    payload: asBlock("payload", lenientlyMissing(payload), {
      meaning: "The octets of the datagram.",
      default: "32 octets of the checker's own",
    }),
    requireReply: asBlock("require_reply", reply, {
      meaning: "An answer has to come, and to start with these octets if there are any.",
      default: "off",
    }),
    minReplyLength: asBlock("min_reply_length", replyLength, {
      meaning: "Octets that an answer has at least, where require_reply has octets.",
      default: "0",
    }),
    maxReplyLength: asBlock("max_reply_length", replyLength, {
      meaning: "Octets that an answer has at most, where require_reply has octets.",
      default: "255",
    }),
  }),
  MISC_CHECK: checker("MISC_CHECK", "A program has to end with status 0.", {
    ...checkerBase,
    path: asBlock("misc_path", script({ takesUser: false, command: "maybe" }), {
      meaning: "The program, and its arguments.",
      default: "none: the check is left out",
    }),
    timeout: asBlock("misc_timeout", seconds({ decimals: 0 }), {
      meaning: "How long the program may run before it is ended and counts as failed.",
      default: "delay_loop of the virtual server",
    }),
    dynamic: asBlock("misc_dynamic", flag, {
      meaning: "Status 2 to 255 is a success too, and makes the weight of the server 2 less than itself.",
      default: "off",
    }),
    user: asBlock("user", lenientlyMissing(account), {
      meaning: "Who the program runs as.",
      default: "script_user",
      repeat: "all",
    }),
  }),
  FILE_CHECK: checker("FILE_CHECK", "The number in a file is added to the weight of the server, or takes it out.", {
    trackFile: asBlock("track_file", text("NAME"), {
      meaning: "The track_file, which has to be defined above.",
      default: "none: the check is left out",
      repeat: "all",
    }),
    weight: asBlock("weight", lenientlyMissing(fileWeight), {
      meaning: "What the number is multiplied by; 0: any other number than 0 takes the server out.",
      default: "weight of the track_file",
    }),
  }),
  BFD_CHECK: checker("BFD_CHECK", "A BFD session with the server has to be up.", {
    name: asBlock("name", anyWords("NAME"), {
      meaning: "The bfd_instance, which has to be defined above.",
      default: "none: the check is left out",
      repeat: "all",
    }),
    alpha: checkerBase.alpha,
  }),
} as const;
