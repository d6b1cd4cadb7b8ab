// What keepalived's files tell, collected: the configuration, how everything is at one moment, and what was counted.
import type { InstanceState, NodeStatus, TrackerState } from "@baton/contracts";
import type { Command, Config, InstanceConfig } from "@baton/keepalived-conf";
import type { Statistics } from "./statistics.ts";

export interface DumpFacts {
  readonly config: Config;
  readonly status: Pick<NodeStatus, "instances" | "trackers" | "addresses">;
  statistics(instance: string): Statistics;
  /** The same moment by both clocks, in microseconds: CLOCK_BOOTTIME, and since 1970. */
  readonly now: { readonly boot: number; readonly wall: number };
}

/** keepalived's states and their numbers, which its JSON tells. */
export const stateNumbers = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3 } as const;
export type StateName = keyof typeof stateNumbers;

/**
 * Baton has states that keepalived has not. One that leaves or only listens sends no adverts any more, or not yet: to
 * tools, which know four states, it is a backup.
 */
const stateNames: Readonly<Record<string, StateName>> = {
  initialize: "INIT",
  backup: "BACKUP",
  leaving: "BACKUP",
  listening: "BACKUP",
  master: "MASTER",
  fault: "FAULT",
};

export const stateName = (state: string | undefined): StateName => stateNames[state ?? ""] ?? "INIT";

export interface InstanceFacts {
  readonly config: InstanceConfig;
  /** Undefined: the election has not told of it yet. */
  readonly state: InstanceState | undefined;
  readonly stateName: StateName;
  /** Where it wants to be; while it starts, what its `state` line says. */
  readonly wanted: StateName;
  /** The interface that it speaks on: its own one of `use_vmac` or `use_ipvlan`, if it has one. */
  readonly interface: string;
  /** The name of the own one; empty: it has none. */
  readonly ownInterface: string;
  /** Microseconds since 1970. */
  readonly lastTransition: number;
  /** Its addresses that are on an interface now. */
  readonly present: ReadonlySet<string>;
}

/** In the order of the file. */
export const instancesOf = (facts: DumpFacts): InstanceFacts[] =>
  facts.config.instances.map((config) => instanceOf(facts, config));

function instanceOf({ config: { global }, status, now }: DumpFacts, config: InstanceConfig): InstanceFacts {
  const state = status.instances.find(({ name }) => name === config.name);
  const name = stateName(state?.state);
  const held = status.addresses.find(({ instance }) => instance === config.name)?.addresses ?? [];
  const { vmac, ipvlan } = config;
  const ownInterface = vmac?.name ?? (vmac && `${global.vrrp.vmacPrefix}.${config.vrid}`) ?? ipvlan?.name ?? "";
  return {
    config,
    state,
    stateName: name,
    wanted: name === "INIT" && config.initialState === "master" ? "MASTER" : name === "INIT" ? "BACKUP" : name,
    interface: ownInterface === "" ? config.interface : ownInterface,
    ownInterface,
    lastTransition: now.wall - (now.boot - (state?.since ?? now.boot)),
    present: new Set(held.filter(({ present }) => present).map(({ address }) => address.split("/")[0] ?? "")),
  };
}

export const trackerOf = ({ status }: DumpFacts, kind: string, name: string): TrackerState | undefined =>
  status.trackers.find((tracker) => tracker.kind === kind && tracker.name === name);

/** As a shell would take it: each word in single quotes. */
export const commandText = ({ argv }: Command): string =>
  argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");

/** keepalived tells numbers; the names say the same, and need no look-up. */
export const userText = ({ user }: Command): string =>
  user === undefined ? "0:0" : `${user.user}:${user.group ?? user.user}`;
