// What the kernel is to hold, service by service, kept up to date by what has changed: one pool of ten thousand that
// loses a server costs the services of that one, not the table.
import { isDeepStrictEqual } from "node:util";
import { changeDestinations, type DestinationWeight, type VirtualServerState } from "@baton/contracts";
import { type AddressRange, type PoolServer, poolServers, type WantedService, wantedTable } from "@baton/ipvs";
import {
  type Config,
  type VirtualServerConfig,
  type VirtualServerGroupConfig,
  virtualServerName,
} from "@baton/keepalived-conf";

/** What is wanted now; whoever holds it sees every change. */
export interface Wanted {
  /** By `serviceName`. */
  readonly services: ReadonlyMap<string, WantedService>;
  /** Configured, but nobody has said yet who is in them: they stay as they are. */
  readonly unknown: ReadonlySet<string>;
}

/** Virtual servers that are not configured. */
const strangersMax = 10_000;

interface Member {
  readonly config: VirtualServerConfig;
  /** Place in the file. */
  readonly place: number;
  readonly group: VirtualServerGroupConfig | undefined;
  /** Of its services. */
  readonly names: readonly string[];
  /** Ranges of its group that are left out. */
  readonly tooWide: readonly AddressRange[];
}

function memberOf(config: VirtualServerConfig, place: number, group: VirtualServerGroupConfig | undefined): Member {
  const virtualServerGroups = group === undefined ? [] : [group];
  const { services, tooWide } = wantedTable({ virtualServers: [config], virtualServerGroups }, () => []);
  return { config, place, group, names: [...services.keys()], tooWide };
}

export class Wish implements Wanted {
  readonly services = new Map<string, WantedService>();
  readonly unknown = new Set<string>();
  #tooWide: readonly AddressRange[] = [];
  #members = new Map<string, Member>();
  /** Who else has a say in a service: several virtual servers may have an address or a mark in common. */
  #owners = new Map<string, string[]>();
  #pools = new Map<string, readonly DestinationWeight[]>();

  /** Ranges of groups that are left out, because they have too many addresses. */
  get tooWide(): readonly AddressRange[] {
    return this.#tooWide;
  }

  /** Names of all services that are configured. */
  names(): Iterable<string> {
    return this.#owners.keys();
  }

  /** Names of the services of one virtual server; none where it is not configured. */
  namesOf(virtualServer: string): readonly string[] {
    return this.#members.get(virtualServer)?.names ?? [];
  }

  /** The services that it has touched: of virtual servers that are another, that are new, and that have gone. */
  configure({ virtualServers, virtualServerGroups }: Config): readonly string[] {
    const before = this.#members;
    const groups = new Map(virtualServerGroups.map((group) => [group.name, group]));
    this.#members = new Map();
    this.#owners = new Map();
    const changed: string[] = [];
    for (const [place, config] of virtualServers.entries()) {
      const group = config.id.kind === "group" ? groups.get(config.id.name) : undefined;
      const name = virtualServerName(config);
      const old = before.get(name);
      const isSame = isDeepStrictEqual(old?.config, config) && isDeepStrictEqual(old?.group, group);
      const member = old !== undefined && isSame ? { ...old, place } : memberOf(config, place, group);
      if (member.names !== old?.names) changed.push(name);
      this.#members.set(name, member);
      for (const service of member.names) {
        const owners = this.#owners.get(service);
        if (owners === undefined) this.#owners.set(service, [name]);
        else owners.push(name);
      }
    }
    this.#tooWide = [...this.#members.values()].flatMap(({ tooWide }) => tooWide);
    this.#forgetStrangers();
    const left = [...before].flatMap(([name, { names }]) => (this.#members.get(name)?.names === names ? [] : names));
    for (const name of left) {
      if (this.#owners.has(name)) continue;
      this.services.delete(name);
      this.unknown.delete(name);
    }
    // What others have a say in depends on who of them comes first, too.
    const shared = [...this.#owners.values()].filter((owners) => owners.length > 1).flat();
    const others = left.flatMap((service) => this.#owners.get(service) ?? []);
    return [...new Set([...this.#renew([...changed, ...others, ...shared]), ...left])];
  }

  /**
   * What health says of all. Of whom it does not speak (yet), its last word stands, as long as he is configured: a health
   * that starts is no outage.
   */
  setPools(states: Iterable<VirtualServerState>): readonly string[] {
    const names = new Set<string>();
    for (const { name, destinations } of states) {
      this.#pools.set(name, destinations);
      names.add(name);
    }
    for (const name of this.#pools.keys()) if (!names.has(name) && !this.#members.has(name)) this.#pools.delete(name);
    return this.#renew(names);
  }

  /** The services that it touches. */
  changePool(virtualServer: string, change: Parameters<typeof changeDestinations>[1]): readonly string[] {
    this.#pools.set(virtualServer, changeDestinations(this.#pools.get(virtualServer) ?? [], change));
    return this.#renew([virtualServer]);
  }

  /** The services of one virtual server as they would be with this server alone. */
  aloneWith(virtualServer: string, server: string): readonly WantedService[] {
    const member = this.#members.get(virtualServer);
    if (member === undefined) return [];
    const weights = [{ server, role: "real", weight: 0 } as const];
    return [...tableOf([member], ({ config }) => poolServers(config, weights)).services.values()];
  }

  /**
   * What was said of whom this process has not configured is kept: health reads each generation by itself, may be ahead or
   * behind, or skip one that this process has seen, and says nothing a second time.
   */
  #forgetStrangers(): void {
    const strangers = [...this.#pools.keys()].filter((name) => !this.#members.has(name));
    for (const name of strangers.slice(0, -strangersMax)) this.#pools.delete(name);
  }

  #renew(virtualServers: Iterable<string>): readonly string[] {
    const touched = new Set<string>();
    const members = new Set<Member>();
    for (const name of virtualServers) {
      const member = this.#members.get(name);
      for (const service of member?.names ?? []) {
        touched.add(service);
        for (const owner of this.#owners.get(service) ?? []) {
          const other = this.#members.get(owner);
          if (other !== undefined) members.add(other);
        }
      }
    }
    const inOrder = [...members].sort((a, b) => a.place - b.place);
    const table = tableOf(inOrder, (member) => this.#poolOf(member));
    for (const name of touched) {
      const service = table.services.get(name);
      if (service === undefined) this.services.delete(name);
      else this.services.set(name, service);
      if (table.unknown.has(name)) this.unknown.add(name);
      else this.unknown.delete(name);
    }
    return [...touched];
  }

  /**
   * After a reload health may name for some milliseconds only servers that are not configured any more, or besides them
   * only some that take no connections: a service that could serve must not stand without anybody who does until it names
   * the new ones.
   */
  #poolOf({ config }: Member): readonly PoolServer[] | undefined {
    const said = this.#pools.get(virtualServerName(config));
    if (said === undefined) return undefined;
    const weights = said.map(({ server, role, weight }) => ({
      server,
      role: role === "sorry" ? ("sorry" as const) : ("real" as const),
      weight,
    }));
    const servers = poolServers(config, weights);
    const hasLost = (said.length > 0 && servers.length === 0) || (said.some(takes) && !servers.some(takes));
    return hasLost ? undefined : servers;
  }
}

/** Connections. */
const takes = ({ weight }: { readonly weight: number }): boolean => weight > 0;

function tableOf(members: readonly Member[], poolOf: (member: Member) => readonly PoolServer[] | undefined) {
  const byConfig = new Map(members.map((member) => [member.config, member]));
  const config = {
    virtualServers: members.map((member) => member.config),
    virtualServerGroups: [...new Set(members.flatMap(({ group }) => group ?? []))],
  };
  return wantedTable(config, (server) => {
    const member = byConfig.get(server);
    return member === undefined ? undefined : poolOf(member);
  });
}
