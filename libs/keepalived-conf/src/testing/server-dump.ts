// The part of keepalived's own dump (`keepalived -d`) that is about virtual servers and checkers, read back for comparison
// with our Config.
import { type Facts, sectionOf } from "./dump-objects.ts";

export interface ServerDump {
  /** `NAME: ENTRY, …`. */
  readonly groups: readonly string[];
  readonly tls: Facts | undefined;
  readonly servers: readonly DumpedServer[];
  readonly checkers: readonly DumpedChecker[];
  /** `checker_log_all_failures`. */
  readonly logAllFailures: boolean;
}

export interface DumpedServer {
  readonly facts: Facts;
  readonly sorry: Facts | undefined;
  readonly realServers: readonly Facts[];
}

export interface DumpedChecker {
  /** `VIRTUAL -> REAL`, as keepalived names them. */
  readonly of: string;
  readonly facts: Facts;
  readonly urls: readonly Facts[];
}

export function readServerDump(text: string): ServerDump {
  const topology = sectionOf(text, "LVS Topology");
  const tls = sectionOf(text, "SSL definitions");
  return {
    groups: partsOf(topology, /^ -+< Virtual server group >-+$/m).map(readGroup),
    tls: tls === "" ? undefined : factsOf(tls.replaceAll(" : ", " = ")),
    servers: partsOf(topology, /^ -+< Virtual server >-+$/m).map(readServer),
    checkers: partsOf(sectionOf(text, "Health checkers"), /^(?= \S.* -> )/m).map(readChecker),
    logAllFailures: /Checkers log all failures = true/.test(text),
  };
}

/** What stands behind each title, to the next one of the same indent. */
const partsOf = (text: string, title: RegExp): string[] =>
  text
    .split(title)
    .slice(1)
    .map((part) => part.split(/^ -+< /m)[0] ?? "");

function factsOf(text: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match =
      /^ *(.+?) = '?(.*?)'?$/.exec(line) ?? /^ *(.+?) is (ON|OFF)$/.exec(line) ?? /^ *(.+?) (set|unset)$/.exec(line);
    const label = (match?.[1] ?? line).trim();
    if (label !== "" && !facts.has(label)) facts.set(label, match?.[2] ?? "");
  }
  return facts;
}

function readGroup(text: string): string {
  const [title = "", ...lines] = text.split("\n").filter((line) => line.trim() !== "");
  const entries = lines.flatMap((line) => {
    const range = /VIP(?: Range)? = (\S+), VPORT = (\d+)/.exec(line);
    const mark = /FWMARK = (\d+)(?: IPv([46]))?/.exec(line);
    if (range !== null) return [`${range[1]} port ${range[2]}`];
    return mark === null ? [] : [`fwmark ${mark[1]} ${mark[2] ?? ""}`.trim()];
  });
  return `${/= (.*), IPv4 = /.exec(title)?.[1]}: ${entries.join(", ")}`;
}

function readServer(text: string): DumpedServer {
  const [head = "", ...reals] = text.split(/^ {3}-+< Real server >-+$/m);
  const [own = "", sorry] = head.split(/^(?= {3}sorry server )/m);
  return {
    facts: factsOf(own),
    sorry: sorry === undefined ? undefined : factsOf(sorry),
    realServers: reals.map(factsOf),
  };
}

function readChecker(text: string): DumpedChecker {
  const [title = "", ...lines] = text.split("\n");
  const [own = "", ...urls] = lines.join("\n").split(/^(?= {3}Checked url = )/m);
  return { of: title.trim(), facts: factsOf(own), urls: urls.map(readUrl) };
}

/** The codes stand below their label, a range a line. */
function readUrl(text: string): Facts {
  const codes = /HTTP Status Code\(s\)\n((?: {7}[\d-]+\n?)*)/.exec(text);
  const facts = factsOf(text.replace(codes?.[0] ?? "", ""));
  const ranges = codes?.[1]?.trim().split(/\s+/) ?? [];
  return facts.set("HTTP Status Code(s)", ranges.join(" "));
}

/** Never set, and shown all the same. */
const unusedByBfd = ["Delay loop", "Warmup", "Retries", "Delay before retry", "Log all failures"];

/** What keepalived shows in the pieces that the file has, put together as it does when it runs. */
export function resolveNames(checker: DumpedChecker, dump: ServerDump): DumpedChecker {
  const facts = new Map(checker.facts);
  const [service, real] = serversOf(checker, dump);
  if (dump.logAllFailures) facts.set("Log all failures", "yes");
  if (facts.get("timeout") === "0") facts.set("timeout", String(Math.floor(Number(service?.get("delay_loop")))));
  if (facts.get("Keepalive method") === "DNS_CHECK" && facts.get("Name") === "") facts.set("Name", ".");
  const asked = facts.get("Enable SNI") === "set";
  const tls = facts.get("Keepalive method")?.startsWith("SSL_GET") === true;
  const follows = facts.get("Keepalive method") === "BFD_CHECK";
  for (const label of follows ? unusedByBfd : []) facts.delete(label);
  const urls = checker.urls.map((url) => {
    const all = new Map(url);
    // Shown of plain HTTP too, where it means nothing.
    if (!tls) all.delete("tls_compliant");
    const nearest = url.get("Virtual host") ?? facts.get("Virtualhost");
    const host = nearest ?? real?.get("VirtualHost") ?? service?.get("VirtualHost");
    if (host !== undefined) all.set("host", host);
    const name = facts.get("SNI name") ?? nearest ?? service?.get("VirtualHost");
    if (tls && asked && name !== undefined) all.set("server name", name);
    if (tls && facts.get("tls_compliant") === "set") all.set("tls_compliant", "set");
    return all;
  });
  return { of: checker.of, facts, urls };
}

function serversOf({ of }: DumpedChecker, { servers }: ServerDump): [Facts | undefined, Facts | undefined] {
  const [virtual = "", real = ""] = of.split(" -> ").map((name) => /\[(.*?)\]/.exec(name)?.[1] ?? name);
  const service = servers.find(({ facts }) =>
    ["VS VIP", "VS GROUP", "VS FWMARK"].some((label) => facts.get(label)?.includes(virtual.replace(/^FWM /, ""))),
  );
  return [service?.facts, service?.realServers.find((facts) => facts.get("RIP")?.startsWith(`${real},`))];
}
