// Words that are addresses, hosts and ports.
import { type IpAddress, ipFamily, parseIp } from "@baton/domain";
import type { Place, Report } from "../report.ts";
import type { Word } from "../source/words.ts";
import { invalidValue, oneWord, readNumber } from "./arguments.ts";
import { numberOf } from "./line-arguments.ts";
import type { Argument, KeywordLine } from "./table.ts";

export const isMulticast = (address: IpAddress): boolean => /^(22[4-9]|23\d)\.|^ff[0-9a-f]{2}:/.test(address);

/** Of RFC 4291 section 2.7: routers do not pass it on. */
const isLinkLocalMulticast = (address: IpAddress): boolean => /^ff[0-9a-f]2:/.test(address);

/**
 * The address that a word stands for; undefined without a report when it is none. keepalived reads up to the first `/`
 * or `-`, because a prefix length or a range may follow elsewhere.
 */
export function addressOf({ text }: Word): IpAddress | undefined {
  const end = text.search(/[-/]/);
  return parseIp(end < 0 ? text : text.slice(0, end));
}

export const ip = (family?: 4 | 6): Argument<IpAddress> =>
  oneWord("ADDR", family === undefined ? "IPv4 or IPv6" : `IPv${family}`, (word, line, report) => {
    const address = addressOf(word);
    if (address === undefined || (family !== undefined && ipFamily(address) !== family))
      return invalidValue(word, line, report, family === undefined ? "an IP address" : `an IPv${family} address`);
    if (address === word.text || parseIp(word.text) !== undefined) return address;
    report({
      place: line.at(word),
      severity: "info",
      code: "surplus-words",
      errorClass: "ok",
      message: `${line.keyword.text} takes an address alone`,
      used: `${line.keyword.text} ${address}`,
    });
    return address;
  });

const anyIp = ip();

export interface AddressPort {
  readonly address: IpAddress;
  /** 0: any, or the service's own. */
  readonly port: number;
}

/** A port, or 0 for all of them; undefined: none, and reported. */
export function readPort({ text }: Word, place: Place, report: Report): number | undefined {
  if (/^0*$/.test(text)) return 0;
  const { value, problem } = readNumber(text, { min: 1, max: 65_535, decimals: 0 });
  if (problem === undefined) return value;
  report({
    place,
    severity: "error",
    code: "invalid-number",
    errorClass: "general-error",
    message: `'${text}' is no port`,
    used: value === undefined ? undefined : `port ${value}`,
    hint: "write a port from 1 to 65535",
  });
  return value;
}

const portOf = (word: Word | undefined, line: KeywordLine, report: Report): number | undefined =>
  word === undefined ? 0 : readPort(word, line.at(word), report);

/** `IP [PORT]`. */
export const addressPort: Argument<AddressPort> = {
  syntax: "IP [PORT]",
  range: "port 0 to 65535; 0 is none",
  required: 1,
  script: false,
  parse: (line, report) => {
    const address = anyIp.parse(line, report);
    const port = address === undefined ? undefined : portOf(line.args[1], line, report);
    return address === undefined || port === undefined ? undefined : { address, port };
  },
};

export type VirtualServerId =
  | ({ readonly kind: "address" } & AddressPort)
  | { readonly kind: "fwmark"; readonly mark: number }
  | { readonly kind: "group"; readonly name: string };

/** `IP [PORT]`, `fwmark N` or `group NAME`. */
export const virtualServerId: Argument<VirtualServerId> = {
  syntax: "IP [PORT] | fwmark N | group NAME",
  range: "",
  required: 1,
  script: false,
  parse: (line, report) => {
    const [kind, value] = line.args;
    if (kind?.text !== "fwmark" && kind?.text !== "group") {
      const given = addressPort.parse(line, report);
      return given && { kind: "address", address: given.address, port: given.port };
    }
    if (value === undefined) {
      invalidValue(kind, line, report, kind.text === "group" ? "group NAME" : "fwmark N");
      return undefined;
    }
    if (kind.text === "group") return { kind: "group", name: value.text };
    const { value: mark, problem } = readNumber(value.text, { min: 0, max: 0xffffffff, decimals: 0 });
    if (problem !== undefined) invalidMark(value, line, report, mark);
    return mark === undefined ? undefined : { kind: "fwmark", mark };
  },
};

const invalidMark = (word: Word, line: KeywordLine, report: Report, mark: number | undefined): void =>
  report({
    place: line.at(word),
    severity: "error",
    code: "invalid-number",
    errorClass: "general-error",
    message: `${line.keyword.text}: '${word.text}' is no firewall mark`,
    used: mark === undefined ? undefined : `fwmark ${mark}`,
    hint: `write fwmark and a number from 0 to ${0xffffffff}`,
  });

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `10.1` is short for 10.0.0.1: the last number has room for all octets that are left. */
function isShortAddress(text: string): boolean {
  const numbers = text.split(".").map((part) => (/^\d{1,10}$/.test(part) ? Number(part) : Number.NaN));
  const last = numbers.pop() ?? Number.NaN;
  return numbers.length < 3 && numbers.every((number) => number < 256) && last < 256 ** (4 - numbers.length);
}

/** An address, on a link (`fe80::1%eth0`) if need be, or a domain name, which is not digits alone. */
function isHost(text: string): boolean {
  if (parseIp(text) !== undefined) return true;
  if (/^[\d.]+$/.test(text)) return isShortAddress(text);
  const [address = "", link, ...more] = text.split("%");
  if (link !== undefined) return more.length === 0 && link !== "" && parseIp(address)?.startsWith("fe80:") === true;
  return /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(text);
}

/** `HOST [PORT]`; the name is resolved when mail is sent, not here. */
export const hostPort = (defaultPort: number): Argument<HostPort> => ({
  syntax: "HOST [PORT]",
  range: "IP address or domain name; port 1 to 65535",
  required: 1,
  script: false,
  parse: (line, report) => {
    const [host, portWord] = line.args;
    if (host === undefined) return undefined;
    const port =
      portWord === undefined ? defaultPort : numberOf(portWord, { min: 1, max: 65_535, strict: true }, line, report);
    if (port === undefined) return undefined;
    if (!isHost(host.text)) return invalidValue(host, line, report, "an IP address or a domain name");
    return { host: parseIp(host.text) ?? host.text, port };
  },
});

/** A default for all instances. */
export const multicastGroup = (family: 4 | 6): Argument<IpAddress> => ({
  ...ip(family),
  range: family === 4 ? "IPv4 multicast" : "IPv6 multicast, best link-local",
  parse: (line, report) => {
    const [word] = line.args;
    const address = ip(family).parse(line, report);
    if (address === undefined || word === undefined) return undefined;
    if (!isMulticast(address)) return invalidValue(word, line, report, "a multicast address");
    if (family === 6 && !isLinkLocalMulticast(address)) {
      report({
        place: line.at(word),
        severity: "warning",
        code: "multicast-scope",
        errorClass: "warning",
        message: `${line.keyword.text}: ${address} reaches further than the link that VRRP is for`,
        hint: "write a link-local multicast address, like ff02::12",
      });
    }
    return address;
  },
});

/** Of one instance; there an IPv6 group has to be link-local. */
export const instanceGroup: Argument<IpAddress> = {
  ...anyIp,
  range: "IPv4 multicast, or IPv6 link-local multicast",
  parse: (line, report) => {
    const [word] = line.args;
    const address = anyIp.parse(line, report);
    if (address === undefined || word === undefined) return undefined;
    if (ipFamily(address) === 4 ? isMulticast(address) : isLinkLocalMulticast(address)) return address;
    return invalidValue(word, line, report, "a multicast address; for IPv6 a link-local one");
  },
};
