// The kernel as dataplane uses it: one table of addresses, one mirror of links, ports to the neighbours, the silence.
// Errors of single calls are results here, not exceptions: what could not be done shows in the next read-back.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type IpAddress, ipFamily, messageOf } from "@baton/domain";
import {
  type AddressChange,
  type AddressEvent,
  type AddressInfo,
  type ArpPort,
  type ChangeResult,
  type LinkInfo,
  type LinkMonitor,
  LinuxError,
  type NdPort,
  type NeighbourSilence,
  openAddressTable,
  openArpPort,
  openLinkMonitor,
  openNdPort,
  openNeighbourSilence,
  openRoutingTable,
  type RoutingChange,
  type RoutingEvent,
  type RoutingTables,
} from "@baton/linux";
import type { Groundwork } from "../links/groundwork.ts";
import { openLinkKeeper } from "../links/link-keeper.ts";

export interface KernelOptions {
  onLinks(): void;
  onAddresses(events: readonly AddressEvent[]): void;
  onRouting(events: readonly RoutingEvent[]): void;
  /** Events were lost: read anew. */
  onGap(): void;
  onRoutingGap(): void;
  onNeighbour(interfaceName: string, heard: { readonly mac: string; readonly address: IpAddress }): void;
  onTrouble(message: string, error: unknown): void;
}

export interface Kernel {
  links(): readonly LinkInfo[];
  addresses(): readonly AddressInfo[];
  /** One result each. */
  change(changes: readonly AddressChange[]): readonly ChangeResult[];
  routing(protocols: readonly number[]): RoutingTables;
  changeRouting(changes: readonly RoutingChange[]): readonly ChangeResult[];
  /** Opens what announcing on these interfaces takes, so that a takeover does not have to. */
  prepare(interfaces: Iterable<string>): void;
  announce(ifindex: number, addresses: readonly IpAddress[], mac: string): { sent: number; error: string | undefined };
  listen(interfaces: readonly string[]): void;
  silenced(): readonly IpAddress[];
  silence(addresses: readonly IpAddress[]): void;
  unsilence(addresses: readonly IpAddress[]): void;
  promoteSecondaries(interfaceName: string): void;
  /** Makes links and packet filter rules so; tells of new links before it returns. */
  keepGroundwork(groundwork: Groundwork): void;
  close(): void;
}

export function openKernel(options: KernelOptions): Kernel {
  const monitor = openLinkMonitor({ onChange: () => told(), onGap: () => undefined });
  const table = openAddressTable({ onChange: options.onAddresses, onGap: options.onGap });
  const routing = openRoutingTable({ onChange: options.onRouting, onGap: options.onRoutingGap });
  const keeper = openLinkKeeper({ monitor, addresses: table, onTrouble: options.onTrouble });
  const silence = openSilence(options);
  const ports = new Map<number, Ports>();
  let known: readonly AddressInfo[] = [];
  let knownRouting: RoutingTables = { routes: [], rules: [] };

  const told = (): void => {
    keeper.addressesChanged();
    options.onLinks();
  };
  const addresses = (): readonly AddressInfo[] => {
    try {
      known = table.list();
    } catch (error) {
      // What was last read stands: what we wanted and do not see there counts as missing.
      options.onTrouble("the kernel's addresses cannot be read", error);
    }
    return known;
  };
  const portsOf = (ifindex: number): Ports => {
    const opened = ports.get(ifindex) ?? { arp: openArpPort({ ifindex }), nd: openNdPort({ ifindex }) };
    ports.set(ifindex, opened);
    return opened;
  };
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      options.onTrouble(what, error);
    }
  };
  const changed = (what: string, count: number, change: () => ChangeResult[]): ChangeResult[] => {
    try {
      return change();
    } catch (error) {
      options.onTrouble(`the kernel's ${what} cannot be changed`, error);
      const code = error instanceof LinuxError ? error.code : "EIO";
      return Array.from({ length: count }, () => ({ ok: false, code, message: messageOf(error) }));
    }
  };
  return {
    links: () => monitor.links(),
    addresses,
    change: (changes) => changed("addresses", changes.length, () => table.change(changes)),
    routing: (protocols) => {
      try {
        knownRouting = routing.list(protocols);
      } catch (error) {
        options.onTrouble("the kernel's routes and rules cannot be read", error);
      }
      return knownRouting;
    },
    changeRouting: (changes) => changed("routes and rules", changes.length, () => routing.change(changes)),
    prepare: (interfaces) => {
      const links = new Map(monitor.links().map((link) => [link.name, link.ifindex]));
      const present = new Set(links.values());
      for (const [ifindex, opened] of ports) {
        if (present.has(ifindex)) continue;
        closePorts(opened);
        ports.delete(ifindex);
      }
      for (const name of interfaces) {
        const ifindex = links.get(name);
        if (ifindex !== undefined) attempt(`cannot announce on ${name}`, () => void portsOf(ifindex));
      }
    },
    announce: (ifindex, announced, mac) => {
      try {
        return announceBy(portsOf(ifindex), announced, mac, () => forwards(monitor, ifindex));
      } catch (error) {
        return { sent: 0, error: messageOf(error) };
      }
    },
    listen: (interfaces) => {
      for (const { name, ifindex } of monitor.links()) {
        const isWanted = interfaces.includes(name);
        if (!isWanted && !ports.has(ifindex)) continue;
        attempt(`cannot hear neighbours on ${name}`, () =>
          hear(portsOf(ifindex), isWanted ? (heard) => options.onNeighbour(name, heard) : undefined, name),
        );
      }
    },
    silenced: () => silence?.silenced() ?? [],
    silence: (silenced) => attempt("addresses cannot be silenced", () => silence?.silence(silenced)),
    unsilence: (silenced) => attempt("addresses stay silenced", () => silence?.unsilence(silenced)),
    promoteSecondaries: (name) => attempt(`${name} drops secondary addresses`, () => promoteSecondaries(name)),
    keepGroundwork: (groundwork) => keeper.keep(groundwork),
    close: () => {
      for (const opened of ports.values()) closePorts(opened);
      keeper.close();
      silence?.close();
      table.close();
      routing.close();
      monitor.close();
    },
  };
}

/** What announces on one interface and hears who else does. */
interface Ports {
  readonly arp: ArpPort;
  readonly nd: NdPort;
}

function closePorts({ arp, nd }: Ports): void {
  arp.close();
  nd.close();
}

function announceBy(
  { arp, nd }: Ports,
  announced: readonly IpAddress[],
  mac: string,
  isRouter: () => boolean,
): ReturnType<Kernel["announce"]> {
  const [four, six] = [
    announced.filter((each) => ipFamily(each) === 4),
    announced.filter((each) => ipFamily(each) === 6),
  ];
  const first = arp.sendGratuitous(four, mac);
  if (six.length === 0) return { sent: first.sent, error: first.error?.message };
  const second = nd.sendUnsolicited(six, { mac, router: isRouter() });
  return { sent: first.sent + second.sent, error: (first.error ?? second.error)?.message };
}

type Heard = (heard: { readonly mac: string; readonly address: IpAddress }) => void;

function hear({ arp, nd }: Ports, handler: Heard | undefined, name: string): void {
  arp.onArp(handler && (({ senderMac, senderIp }) => handler({ mac: senderMac, address: senderIp })));
  // Where IPv6 is off there is nobody to hear.
  const hasIpv6 = existsSync(`/proc/sys/net/ipv6/conf/${name}`);
  nd.onAdvertisement(handler && hasIpv6 ? ({ mac, target }) => handler({ mac, address: target }) : undefined);
}

/** Whether the interface forwards IPv6: then its advertisements are a router's (RFC 4861 section 4.4). */
function forwards(monitor: LinkMonitor, ifindex: number): boolean {
  const name = monitor.links().find((link) => link.ifindex === ifindex)?.name;
  if (name === undefined) return false;
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${name}/forwarding`, "utf8").trim() === "1";
  } catch {
    return false;
  }
}

/** Without nftables Baton works, and says that a leaving node and its successor may both answer for some milliseconds. */
function openSilence(options: KernelOptions): NeighbourSilence | undefined {
  try {
    return openNeighbourSilence({
      onError: (error) => options.onTrouble("the silence of addresses was removed and cannot be restored", error),
    });
  } catch (error) {
    options.onTrouble("addresses cannot be silenced: two routers may answer while one leaves", error);
    return undefined;
  }
}

/** net/ipv4/devinet.c, __inet_del_ifa: without it the kernel drops every secondary of a subnet with its primary. */
function promoteSecondaries(name: string): void {
  const path = `/proc/sys/net/ipv4/conf/${name}/promote_secondaries`;
  if (readFileSync(path, "utf8").trim() !== "1") writeFileSync(path, "1");
}
