// Who is in the election, found by what an input names: an interface and a VRID, or a lease. Its index is made anew after
// a change of the configuration; between two, a packet finds its instance among a thousand without a search.
import { type Micros, micros } from "@baton/domain";
import type { InstanceLinks } from "@baton/keepalived-conf";
import type { Input } from "@baton/vrrp";
import type { InterfaceView } from "./inputs/links.ts";
import type { QuorumWatcher } from "./inputs/quorums.ts";
import type { InstanceRunner } from "./instance-runner.ts";
import type { ElectedInstance } from "./tracked-quorums.ts";
import type { Unit } from "./unit.ts";
import { advertInterfaceOf, Wires } from "./wires.ts";

export interface Member {
  instance: ElectedInstance;
  readonly unit: Unit;
  readonly runner: InstanceRunner;
  /** What it stands on beside its interface. */
  links: InstanceLinks | undefined;
  link: InterfaceView;
}

/** What decides as one, and the instances that it decides for. */
export interface Party {
  readonly unit: Unit;
  readonly members: readonly Member[];
  started: boolean;
}

/** A member where its packets arrive. `leaves`: the configuration has it no more. */
export interface Seat {
  readonly party: Party;
  readonly member: Member;
  readonly leaves: boolean;
}

interface Index {
  readonly parties: readonly Party[];
  readonly members: readonly Member[];
  readonly leases: ReadonlyMap<string, Unit>;
  readonly seats: ReadonlyMap<string, ReadonlyMap<number, readonly Seat[]>>;
  readonly wires: Wires;
  readonly shortestInterval: Micros;
}

export class Roster {
  readonly #present = new Map<string, Party>();
  readonly #leaving = new Set<Party>();
  #index: Index | undefined;

  add(identity: string, party: Party): void {
    this.#present.set(identity, party);
    this.#index = undefined;
  }

  get(identity: string): Party | undefined {
    return this.#present.get(identity);
  }

  /** Those of the configuration, by identity. */
  present(): ReadonlyMap<string, Party> {
    return this.#present;
  }

  /** Leaving because the configuration no longer has them. */
  leaving(): ReadonlySet<Party> {
    return this.#leaving;
  }

  /** The configuration has it no more; it stays until it has left. */
  retire(identity: string): Party | undefined {
    const party = this.#present.get(identity);
    if (party === undefined) return undefined;
    this.#present.delete(identity);
    this.#leaving.add(party);
    this.#index = undefined;
    return party;
  }

  /** Its members go on elsewhere. */
  dissolve(identity: string): Party | undefined {
    const party = this.#present.get(identity);
    this.#present.delete(identity);
    this.#index = undefined;
    return party;
  }

  /** Not of the configuration: it is there until it has left. */
  addLeaving(party: Party): void {
    this.#leaving.add(party);
    this.#index = undefined;
  }

  forget(party: Party): void {
    this.#leaving.delete(party);
    this.#index = undefined;
  }

  /** Members have another configuration: they may be found elsewhere now. */
  changed(): void {
    this.#index = undefined;
  }

  everyone(): readonly Party[] {
    return this.#indexed().parties;
  }

  members(): readonly Member[] {
    return this.#indexed().members;
  }

  ofLease(lease: string): Unit | undefined {
    return this.#indexed().leases.get(lease);
  }

  /** Whom a packet with this VRID on this interface may be meant for. */
  seats(interfaceName: string, vrid: number): readonly Seat[] {
    return this.#indexed().seats.get(interfaceName)?.get(vrid) ?? [];
  }

  wires(): Wires {
    return this.#indexed().wires;
  }

  /** Of all members; an hour where there are none. */
  shortestInterval(): Micros {
    return this.#indexed().shortestInterval;
  }

  #indexed(): Index {
    this.#index ??= indexOf([...this.#present.values()], [...this.#leaving]);
    return this.#index;
  }
}

function indexOf(present: readonly Party[], leaving: readonly Party[]): Index {
  const leases = new Map<string, Unit>();
  const seats = new Map<string, Map<number, Seat[]>>();
  const seat = (party: Party, leaves: boolean): void => {
    // One that leaves may have a successor of the same lease: the successor is asked.
    if (!leases.has(party.unit.lease)) leases.set(party.unit.lease, party.unit);
    for (const member of party.members) {
      const { vrid } = member.instance;
      const name = advertInterfaceOf(member);
      const byVrid = seats.get(name) ?? new Map<number, Seat[]>();
      seats.set(name, byVrid);
      const others = byVrid.get(vrid);
      if (others === undefined) byVrid.set(vrid, [{ party, member, leaves }]);
      else others.push({ party, member, leaves });
    }
  };
  for (const party of present) seat(party, false);
  for (const party of leaving) seat(party, true);
  const parties = [...present, ...leaving];
  const members = parties.flatMap((party) => party.members);
  const shortestInterval = micros(
    members.reduce((least, { instance }) => Math.min(least, instance.advertInterval), 3_600_000_000),
  );
  return { parties, members, leases, seats, wires: new Wires(members), shortestInterval };
}

/** Instances that track quorums (inputs/quorums.ts): those that run and that the configuration has. */
export function quorumWatchers(roster: Pick<Roster, "present">): QuorumWatcher[] {
  return [...roster.present().values()].flatMap(({ started, unit, members }) =>
    started
      ? members.flatMap(({ instance: { quorums = [] }, runner }) =>
          quorums.length === 0 ? [] : [{ name: runner.name, quorums, inOffice: unit.isInOffice(runner.name) }],
        )
      : [],
  );
}

/** Together where they decide together: what befalls the members of a group at once is one step of it. */
export function feedInstances(roster: Pick<Roster, "present">, names: readonly string[], input: Input): void {
  const wanted = new Set(names);
  for (const { unit, members } of roster.present().values()) {
    const named = members.filter(({ runner }) => wanted.has(runner.name));
    if (named.length > 0) unit.feed(new Map(named.map(({ runner }): [string, Input] => [runner.name, input])));
  }
}
