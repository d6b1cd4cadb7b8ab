// Our Config in the words of keepalived's dump: what the dump says of the same file has to be the same, label for label.
// What keepalived shows in pieces and we resolve (`virtualhost`, SNI) is put together from the dump by `resolveNames`.
import type {
  CheckerConfig,
  Forwarding,
  RealServerConfig,
  SorryServerConfig,
  SslUrlConfig,
  TlsConfig,
  UrlConfig,
  VirtualServerConfig,
  VirtualServerGroupConfig,
} from "../config.ts";
import { type Facts, shown } from "./dump-objects.ts";

const seconds = (time: number): string => (time / 1_000_000).toFixed(6);
const onOff = (flag: boolean): string => (flag ? "ON" : "OFF");
const yesNo = (flag: boolean): string => (flag ? "yes" : "no");
const enabled = (flag: boolean): string => (flag ? "enabled" : "disabled");
const set = (flag: boolean): string => (flag ? "set" : "unset");

export const groupLine = ({ name, entries }: VirtualServerGroupConfig): string => {
  // keepalived keeps addresses and marks in two lists.
  const ordered = [
    ...entries.filter(({ kind }) => kind === "range"),
    ...entries.filter(({ kind }) => kind === "fwmark"),
  ];
  const lines = ordered.map((entry) => {
    if (entry.kind === "fwmark") return `fwmark ${entry.mark} ${entry.family ?? ""}`.trim();
    return `${entry.first}${entry.first === entry.last ? "" : `-${entry.last}`} port ${entry.port}`;
  });
  return `${name}: ${lines.join(", ")}`;
};

export const tlsFacts = (tls: TlsConfig): Facts =>
  shown({
    Password: tls.password,
    "CA-file": tls.ca,
    "Certificate file": tls.certificate,
    "Key file": tls.key,
  });

function forwardingText(forwarding: Forwarding): string {
  if (forwarding.method !== "tunnel") return { masquerade: "NAT", "direct-route": "DR" }[forwarding.method];
  const { tunnel } = forwarding;
  if (tunnel.type === "ipip") return "TUN, type = IPIP";
  const checksum = { none: "no checksum", full: "checksum", remote: "remote checksum" }[tunnel.checksum];
  return tunnel.type === "gre" ? `TUN, type = GRE, ${checksum}` : `TUN, type = GUE, port = ${tunnel.port}, ${checksum}`;
}

function nameLine({ id }: VirtualServerConfig): Readonly<Record<string, string>> {
  if (id.kind === "address") return { "VS VIP": `${id.address}, VPORT = ${id.port}` };
  return id.kind === "group" ? { "VS GROUP": `[${id.name}]:${id.index}` } : { "VS FWMARK": String(id.mark) };
}

function flagLines({ scheduler, schedulerFlags }: VirtualServerConfig): Readonly<Record<string, string>> {
  const [one, two, three] = ([1, 2, 3] as const).map((flag) => enabled(schedulerFlags.includes(flag)));
  if (scheduler === "sh" || scheduler === "mh")
    return { [`${scheduler}-port`]: two ?? "", [`${scheduler}-fallback`]: one ?? "" };
  return { "flag-1": one ?? "", "flag-2": two ?? "", "flag-3": three ?? "" };
}

/** Not shown by us: what runs, and what is a default of the servers alone. */
export const serverLabelsIgnored = [
  "Hashed",
  "Inhibit on failure",
  "VirtualHost",
  "VS alive",
  "quorum_state_up",
  "reloaded",
];

export function serverFacts(server: VirtualServerConfig): Facts {
  const { family, protocol, persistence, checkDefaults, forwarding } = server;
  const granularity = persistence?.granularity;
  // Shown of firewall marks too, which have no protocol.
  const inactive = server.onePacket && protocol !== "udp";
  const text = forwardingText(forwarding);
  const withDefault = text.includes("GUE") || text.includes("GRE") ? "forwarding method" : "default forwarding method";
  return shown({
    ...nameLine(server),
    "SNMP name": server.snmpName,
    "Address family": family === undefined ? "IPv4 & IPv6" : family === 4 ? "inet" : "inet6",
    "connection timeout": seconds(checkDefaults.connectTimeout),
    delay_loop: seconds(checkDefaults.delayLoop),
    "Retry count": checkDefaults.retry?.toString(),
    "Retry delay": checkDefaults.delayBeforeRetry === undefined ? undefined : seconds(checkDefaults.delayBeforeRetry),
    Warmup: checkDefaults.warmup === undefined ? undefined : seconds(checkDefaults.warmup),
    lvs_sched: server.scheduler,
    ...flagLines(server),
    "One packet scheduling": `${enabled(server.onePacket)}${inactive ? " (inactive due to not UDP)" : ""}`,
    "persistence timeout": persistence && String(persistence.timeout / 1_000_000),
    "persistence granularity": granularity?.kind === "mask" ? granularity.mask : granularity?.length.toString(),
    protocol: protocol === undefined ? "none" : protocol.toUpperCase(),
    alpha: onOff(server.alpha),
    omega: onOff(server.omega),
    quorum: `${server.quorum}, hysteresis = ${server.hysteresis}`,
    "Using HA suspend": server.haSuspend ? "" : undefined,
    "Using smtp notification": yesNo(server.smtpAlert),
    [withDefault]: text,
  });
}

export const sorryLabelsIgnored = ["set", "alive", "VS alive", "quorum_state_up", "reloaded"];

export function sorryFacts(sorry: SorryServerConfig, { protocol, realServers }: VirtualServerConfig): Facts {
  const twin = realServers.some(({ address, port }) => address === sorry.address && port === sorry.port);
  return shown({
    [twin ? "sorry server (duplicates rs)" : "sorry server"]: trio(sorry, protocol),
    "forwarding method": forwardingText(sorry.forwarding),
    "Inhibit on failure": onOff(sorry.inhibit),
  });
}

const trio = (
  { address, port }: { readonly address: string; readonly port: number },
  protocol: VirtualServerConfig["protocol"],
): string => `[${address}]:${protocol ?? "none"}:${port}`;

/** Not shown by us: what runs, and defaults of the checkers, which have them. */
export const realServerLabelsIgnored = [
  "connection timeout",
  "Delay loop",
  "Retry count",
  "Retry delay",
  "Warmup",
  "VirtualHost",
  "initial weight",
  "effective weight",
  "previous effective_weight",
  "alive",
  "num failed checkers",
  "RS set",
  "reloaded",
];

export function realServerFacts(server: RealServerConfig): Facts {
  const { address, port, weight, upperThreshold, lowerThreshold } = server;
  const sessions = server.checkers.flatMap((checker) => (checker.type === "BFD_CHECK" ? [checker.session] : []));
  const files = server.checkers.flatMap((checker) =>
    checker.type === "FILE_CHECK"
      ? [`${checker.trackFile}, weight ${checker.weight}${checker.reverse ? " reverse" : ""}`]
      : [],
  );
  return shown({
    RIP: `${address}, RPORT = ${port}, WEIGHT = ${weight} EFF WEIGHT = ${weight}`,
    "forwarding method": forwardingText(server.forwarding),
    Alpha: onOff(server.alpha),
    "connection limit range": `${lowerThreshold} -> ${upperThreshold}`,
    "Inhibit on failure": onOff(server.inhibitOnFailure),
    "SNMP name": server.snmpName,
    "Using smtp notification": yesNo(server.smtpAlert),
    ...(sessions.length === 0 ? {} : { "Tracked BFDs": "" }),
    ...(files.length === 0 ? {} : { "Tracked Files": "" }),
    ...Object.fromEntries([...sessions, ...files].map((line) => [line, ""])),
  });
}

export const checkerLabelsIgnored = [
  "Enabled",
  "Up",
  "Has run",
  "Current weight",
  "Retries iterations",
  "Default delay before retry",
  "Connection",
  "Last ran",
  "Last status",
  "ICMP seq no",
  "path",
  "uid:gid",
  "Reloaded",
];

export const checkerOf = (server: VirtualServerConfig, real: RealServerConfig): string => {
  const { id, protocol } = server;
  const name =
    id.kind === "address" ? trio(id, protocol) : id.kind === "fwmark" ? `FWM ${id.mark}` : `[${id.name}]:${id.index}`;
  return `${name} -> ${trio(real, protocol)}`;
};

export function checkerFacts(checker: CheckerConfig): Facts {
  if (checker.type === "FILE_CHECK") {
    // Weights are shown with the file, of all its servers together.
    return shown({ "Log all failures": "no", "Keepalive method": checker.type, "Tracked file": checker.trackFile });
  }
  if (checker.type === "BFD_CHECK") {
    return shown({ "Keepalive method": checker.type, Name: checker.session, Alpha: yesNo(checker.alpha) });
  }
  const connection = "connection" in checker ? checker.connection : undefined;
  return shown({
    Alpha: yesNo(checker.alpha),
    "Delay loop": `${checker.delayLoop} us`,
    Warmup: `${checker.warmup} us`,
    Retries: String(checker.retry),
    "Delay before retry": checker.retry === 0 ? undefined : `${checker.delayBeforeRetry} us`,
    "Log all failures": yesNo(checker.logAllFailures),
    Dest: connection && `[${connection.address}]:${connection.port}`,
    "Bind to": connection?.bindAddress && `[${connection.bindAddress}]:${connection.bindPort ?? 0}`,
    "Bind i/f": connection?.bindInterface,
    Mark: connection === undefined || connection.mark === 0 ? undefined : String(connection.mark),
    Timeout: connection && seconds(connection.timeout),
    ...ownFacts(checker),
  });
}

function ownFacts(checker: CheckerConfig): Readonly<Record<string, string | undefined>> {
  switch (checker.type) {
    case "HTTP_GET":
    case "SSL_GET": {
      const { httpVersion, closeConnection, fastRecovery } = checker;
      const protocol = httpVersion === "1.0" && closeConnection ? "1.0C" : httpVersion;
      return { "Keepalive method": `${checker.type}, http protocol ${protocol}`, "Fast recovery": set(fastRecovery) };
    }
    case "SMTP_CHECK":
      return { "Keepalive method": checker.type, helo: checker.heloName };
    case "DNS_CHECK":
      return { "Keepalive method": checker.type, Type: checker.queryType, Name: checker.name };
    case "UDP_CHECK": {
      const { payload, reply } = checker;
      return {
        "Keepalive method": checker.type,
        ...(payload === undefined ? { "Payload specified": "no" } : { "Payload len": String(payload.length) }),
        "Require reply": yesNo(reply !== undefined),
        "Min reply length": reply?.minLength.toString(),
        "Max reply length": reply?.maxLength.toString(),
        "Reply data len": reply && String(reply.pattern?.octets.length ?? 0),
        "Reply data mask": reply?.pattern && yesNo(reply.pattern.mask.some((bits) => bits !== 255)),
      };
    }
    case "MISC_CHECK":
      return {
        "Keepalive method": checker.type,
        // The quotes around the whole are not read.
        script: checker.command.argv.join("' '"),
        timeout: String(Math.floor(checker.timeout / 1_000_000)),
        dynamic: checker.dynamic ? "YES" : "NO",
      };
    default:
      return { "Keepalive method": checker.type };
  }
}

export function urlFacts(url: UrlConfig | SslUrlConfig): Facts {
  const { regex } = url;
  const offsets =
    regex === undefined || (regex.minOffset === 0 && regex.maxOffset === undefined)
      ? undefined
      : `${regex.minOffset}${regex.maxOffset === undefined ? "" : `, max_offset = ${regex.maxOffset}`}`;
  return shown({
    "Checked url": url.path,
    digest: url.digest,
    "HTTP Status Code(s)": url.statusCodes
      .map(({ min, max }) => (min === max ? String(min) : `${min}-${max}`))
      .join(" "),
    host: url.host,
    ...("tlsCompliant" in url ? { tls_compliant: set(url.tlsCompliant), "server name": url.serverName } : {}),
    Regex: regex && `"${regex.pattern}"`,
    "Regex no match": regex?.negate === true ? "" : undefined,
    "Regex min offset": offsets,
    ...(regex?.stack === undefined ? {} : { [`Regex stack start ${regex.stack.start}, max ${regex.stack.max}`]: "" }),
  });
}
