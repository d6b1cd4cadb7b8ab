// The kernel as dataplane uses it: one table of addresses, one mirror of links, an ARP port per interface, the silence.
// Errors of single calls are results here, not exceptions: what could not be done shows in the next read-back.
import { readFileSync, writeFileSync } from "node:fs";
import type { IpAddress } from "@baton/domain";
import {
  type AddressChange,
  type AddressEvent,
  type AddressInfo,
  type AddressResult,
  type ArpPort,
  type ArpSilence,
  type LinkInfo,
  LinuxError,
  openAddressTable,
  openArpPort,
  openArpSilence,
  openLinkMonitor,
} from "@baton/linux";

export interface KernelOptions {
  onLinks(): void;
  onAddresses(events: readonly AddressEvent[]): void;
  /** Events were lost: read anew. */
  onGap(): void;
  onArp(interfaceName: string, packet: { readonly senderMac: string; readonly senderIp: IpAddress }): void;
  onTrouble(message: string, error: unknown): void;
}

export interface Kernel {
  links(): readonly LinkInfo[];
  addresses(): readonly AddressInfo[];
  /** One result each. */
  change(changes: readonly AddressChange[]): readonly AddressResult[];
  /** Opens what announcing on these interfaces takes, so that a takeover does not have to. */
  prepare(interfaces: Iterable<string>): void;
  announce(ifindex: number, addresses: readonly IpAddress[], mac: string): { sent: number; error: string | undefined };
  listen(interfaces: readonly string[]): void;
  silenced(): readonly IpAddress[];
  silence(addresses: readonly IpAddress[]): void;
  unsilence(addresses: readonly IpAddress[]): void;
  promoteSecondaries(interfaceName: string): void;
  close(): void;
}

export function openKernel(options: KernelOptions): Kernel {
  const monitor = openLinkMonitor({ onChange: options.onLinks, onGap: () => undefined });
  const table = openAddressTable({ onChange: options.onAddresses, onGap: options.onGap });
  const silence = openSilence(options);
  const ports = new Map<number, ArpPort>();
  let known: readonly AddressInfo[] = [];

  const addresses = (): readonly AddressInfo[] => {
    try {
      known = table.list();
    } catch (error) {
      // What was last read stands: what we wanted and do not see there counts as missing.
      options.onTrouble("the kernel's addresses cannot be read", error);
    }
    return known;
  };
  const portOf = (ifindex: number): ArpPort => {
    const port = ports.get(ifindex) ?? openArpPort({ ifindex });
    ports.set(ifindex, port);
    return port;
  };
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      options.onTrouble(what, error);
    }
  };
  return {
    links: () => monitor.links(),
    addresses,
    change: (changes) => {
      try {
        return table.change(changes);
      } catch (error) {
        options.onTrouble("the kernel's addresses cannot be changed", error);
        const code = error instanceof LinuxError ? error.code : "EIO";
        return changes.map(() => ({ ok: false, code, message: messageOf(error) }));
      }
    },
    prepare: (interfaces) => {
      const links = new Map(monitor.links().map((link) => [link.name, link.ifindex]));
      const present = new Set(links.values());
      for (const [ifindex, port] of ports) {
        if (present.has(ifindex)) continue;
        port.close();
        ports.delete(ifindex);
      }
      for (const name of interfaces) {
        const ifindex = links.get(name);
        if (ifindex !== undefined) attempt(`cannot announce on ${name}`, () => void portOf(ifindex));
      }
    },
    announce: (ifindex, announced, mac) => {
      try {
        const { sent, error } = portOf(ifindex).sendGratuitous(announced, mac);
        return { sent, error: error?.message };
      } catch (error) {
        return { sent: 0, error: messageOf(error) };
      }
    },
    listen: (interfaces) => {
      for (const { name, ifindex } of monitor.links()) {
        const isWanted = interfaces.includes(name);
        if (!isWanted && !ports.has(ifindex)) continue;
        const handler = isWanted
          ? (packet: Parameters<KernelOptions["onArp"]>[1]) => options.onArp(name, packet)
          : undefined;
        attempt(`cannot hear ARP on ${name}`, () => portOf(ifindex).onArp(handler));
      }
    },
    silenced: () => silence?.silenced() ?? [],
    silence: (silenced) => attempt("addresses cannot be silenced", () => silence?.silence(silenced)),
    unsilence: (silenced) => attempt("addresses stay silenced", () => silence?.unsilence(silenced)),
    promoteSecondaries: (name) => attempt(`${name} drops secondary addresses`, () => promoteSecondaries(name)),
    close: () => {
      for (const port of ports.values()) port.close();
      silence?.close();
      table.close();
      monitor.close();
    },
  };
}

/** Without nftables Baton works, and says that a leaving node and its successor may both answer for some milliseconds. */
function openSilence(options: KernelOptions): ArpSilence | undefined {
  try {
    return openArpSilence({
      onError: (error) => options.onTrouble("the ARP silence was removed and cannot be restored", error),
    });
  } catch (error) {
    options.onTrouble("ARP cannot be silenced: two routers may answer while one leaves", error);
    return undefined;
  }
}

/** net/ipv4/devinet.c, __inet_del_ifa: without it the kernel drops every secondary of a subnet with its primary. */
function promoteSecondaries(name: string): void {
  const path = `/proc/sys/net/ipv4/conf/${name}/promote_secondaries`;
  if (readFileSync(path, "utf8").trim() !== "1") writeFileSync(path, "1");
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
