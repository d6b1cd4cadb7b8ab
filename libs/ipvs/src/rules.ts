// A table as `ipvsadm -Sn` prints it: what people compare two directors by, and what keepalived's work is compared by.
import { compareIp, ipFromBytes } from "@baton/domain";
import { type Destination, destinationName, type Service, type ServiceKey, serviceFlags } from "./model.ts";

interface RuleService extends Service {
  readonly destinations: readonly Destination[];
}

/** One line each, without line ends: `-A …` of a service, then `-a …` of its destinations; sorted by numbers. */
export function ipvsadmRules(services: Iterable<RuleService>): string[] {
  return [...services]
    .toSorted((a, b) => compareServices(a.key, b.key))
    .flatMap((service) => {
      const name = optionOf(service.key);
      const sorted = service.destinations.toSorted(compareDestinations);
      return [serviceRule(name, service), ...sorted.map((each) => destinationRule(name, each))];
    });
}

/**
 * The same rules in one order. ipvsadm subtracts 32-bit numbers with sign to compare, so that its own order of far apart
 * addresses is none; what it printed is put in order by text here, each service with its destinations.
 */
export function sortRules(lines: readonly string[]): string[] {
  const services: { readonly rule: string; readonly destinations: string[] }[] = [];
  for (const line of lines) {
    const rule = line.trimEnd();
    if (rule.startsWith("-a ")) services.at(-1)?.destinations.push(rule);
    else if (rule !== "") services.push({ rule, destinations: [] });
  }
  return services
    .toSorted((a, b) => compareText(a.rule, b.rule))
    .flatMap(({ rule, destinations }) => [rule, ...destinations.toSorted(compareText)]);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Marks after addresses, IPv4 first, then by protocol, address and port. */
function compareServices(a: ServiceKey, b: ServiceKey): number {
  if (a.kind === "fwmark" || b.kind === "fwmark") {
    if (a.kind === "fwmark" && b.kind === "fwmark") return a.mark - b.mark || a.family - b.family;
    return a.kind === "fwmark" ? 1 : -1;
  }
  return (
    a.family - b.family ||
    protocolNumbers[a.protocol] - protocolNumbers[b.protocol] ||
    compareIp(a.address, b.address) ||
    a.port - b.port
  );
}

const protocolNumbers = { tcp: 6, udp: 17, sctp: 132 } as const;

const compareDestinations = (a: Destination, b: Destination): number =>
  compareIp(a.address, b.address) || a.port - b.port;

const serviceOptions = { tcp: "-t", udp: "-u", sctp: "--sctp-service" } as const;

function optionOf(key: ServiceKey): string {
  if (key.kind === "fwmark") {
    // A mark is printed as a number with sign.
    return `-f ${key.mark | 0}${key.family === 6 ? " -6" : ""}`;
  }
  const { family, address, port } = key;
  return `${serviceOptions[key.protocol]} ${destinationName({ family, address, port })}`;
}

function serviceRule(name: string, { key, scheduler, flags, timeoutSeconds, netmask, engine }: Service): string {
  const words = [`-A ${name} -s ${scheduler}`];
  if ((flags & serviceFlags.persistent) !== 0) {
    words.push(`-p ${timeoutSeconds}`);
    if (key.family === 4 && netmask !== 0xffffffff) words.push(`-M ${maskText(netmask)}`);
    if (key.family === 6 && netmask !== 128) words.push(`-M ${netmask}`);
    if (engine !== undefined) words.push(`--pe ${engine}`);
  }
  if ((flags & serviceFlags.onePacket) !== 0) words.push("-o");
  if ((flags & schedulerFlags) !== 0) words.push(`-b ${flagNames(scheduler, flags).join(",")}`);
  return words.join(" ");
}

const maskText = (mask: number): string =>
  ipFromBytes(Uint8Array.of(mask >>> 24, (mask >>> 16) & 0xff, (mask >>> 8) & 0xff, mask & 0xff));

const { sched1, sched2, sched3 } = serviceFlags;
const schedulerFlags = sched1 | sched2 | sched3;

/** Of sh and mh ipvsadm has no name for the third. */
function flagNames(scheduler: string, flags: number): string[] {
  const names: [number, string][] =
    scheduler === "sh" || scheduler === "mh"
      ? [
          [sched1, `${scheduler}-fallback`],
          [sched2, `${scheduler}-port`],
        ]
      : [
          [sched1, "flag-1"],
          [sched2, "flag-2"],
          [sched3, "flag-3"],
        ];
  return names.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

const forwardingOptions = {
  masquerade: "-m",
  "direct-route": "-g",
  local: "-g",
  tunnel: "-i",
  bypass: "(null)",
} as const;

const checksumOptions = { none: "--tun-nocsum", full: "--tun-csum", remote: "--tun-remcsum" } as const;

/** Thresholds are not printed. */
function destinationRule(name: string, destination: Destination): string {
  const { forwarding, weight } = destination;
  const rule = `-a ${name} -r ${destinationName(destination)} ${forwardingOptions[forwarding.method]} -w ${weight}`;
  if (forwarding.method !== "tunnel") return rule;
  const { tunnel } = forwarding;
  if (tunnel.type === "ipip") return `${rule} --tun-type ipip`;
  const port = tunnel.type === "gue" ? ` --tun-port ${tunnel.port}` : "";
  return `${rule} --tun-type ${tunnel.type}${port} ${checksumOptions[tunnel.checksum]}`;
}
