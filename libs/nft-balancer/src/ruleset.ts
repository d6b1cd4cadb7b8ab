// The whole table of one family as it is to be: chains, sets and elements as text, by name.
import { type IpAddress, ipFamily } from "@baton/domain";
import type { Family, ServiceKey, WantedService } from "@baton/ipvs";
import { digest } from "./names.ts";
import type { Scheduler } from "./refusal.ts";
import { addressType, ip, networkOf, serviceChains } from "./service-chains.ts";

export interface Prefix {
  readonly address: IpAddress;
  readonly length: number;
}

export interface BalancerOptions {
  /**
   * Which clients servers see under an address of this machine. `never`: as ip_vs does, servers answer through this
   * machine by their own routes. `needed`: clients on a network of their server's, which would be answered past this
   * machine, and this machine itself. `always`: for servers that have no route through this machine.
   */
  readonly masquerade: "never" | "needed" | "always";
  /** Networks of this machine's interfaces: for `needed`. */
  readonly connected: readonly Prefix[];
}

export interface BaseChain {
  /** Type, hook and priority. */
  readonly definition: string;
  readonly rules: readonly string[];
  /** Comment on each rule: others are not as they were written. */
  readonly mark: string;
}

export interface Ruleset {
  readonly family: Family;
  readonly baseChains: ReadonlyMap<string, BaseChain>;
  /** Maps and sets whose elements are planned, by name. */
  readonly shared: ReadonlyMap<string, SharedSet>;
  /** Elements of each shared map and set: key to the chain to go to, or "" in a set. */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Sets that packets fill: who is known to which server. */
  readonly clients: ReadonlyMap<string, string>;
}

/** Which element leads to a service: name of the map, and key. */
export interface Door {
  readonly map: "services" | "ports" | "marks";
  readonly key: string;
}

export const doorOf = (key: ServiceKey): Door =>
  key.kind === "fwmark"
    ? { map: "marks", key: String(key.mark) }
    : key.port === 0
      ? { map: "ports", key: `${key.protocol} . ${key.address}` }
      : { map: "services", key: `${key.protocol} . ${key.address} . ${key.port}` };

export interface SharedSet {
  readonly kind: "map" | "set";
  readonly definition: string;
}

/** Shared maps and sets. `together`: source and destination that reach each other without this machine. */
export const sharedSets = (family: Family): ReadonlyMap<string, SharedSet> => {
  const address = addressType(family);
  return new Map<string, SharedSet>([
    ["services", { kind: "map", definition: `type inet_proto . ${address} . inet_service : verdict;` }],
    ["ports", { kind: "map", definition: `type inet_proto . ${address} : verdict;` }],
    ["marks", { kind: "map", definition: "type mark : verdict;" }],
    ["addresses", { kind: "set", definition: `type ${address};` }],
    ["marked", { kind: "set", definition: "type mark;" }],
    ["together", { kind: "set", definition: `type ${address} . ${address}; flags interval;` }],
  ]);
};

/** Services that can be carried, with their names and schedulers. */
export interface CarriedService {
  readonly name: string;
  readonly service: WantedService;
  readonly scheduler: Scheduler;
}

/** `carried` are of this family. */
export function rulesetOf(family: Family, carried: readonly CarriedService[], options: BalancerOptions): Ruleset {
  const elements = new Map([...sharedSets(family).keys()].map((name) => [name, new Map<string, string>()]));
  const chains = new Map<string, readonly string[]>();
  const clients = new Map<string, string>();
  for (const { name, service, scheduler } of carried) {
    const built = serviceChains(name, service, scheduler);
    for (const [chain, rules] of built.chains) chains.set(chain, rules);
    for (const [set, definition] of built.clients) clients.set(set, definition);
    const door = doorOf(service.key);
    elements.get(door.map)?.set(door.key, built.entry);
    if (service.key.kind === "fwmark") elements.get("marked")?.set(door.key, "");
    else elements.get("addresses")?.set(service.key.address, "");
  }
  for (const network of togetherOf(family, options)) elements.get("together")?.set(`${network} . ${network}`, "");
  const baseChains = baseChainsOf(family, options.masquerade);
  return { family, baseChains, shared: sharedSets(family), elements, chains, clients };
}

/** Without those inside of another one: the kernel takes no elements that overlap. */
function togetherOf(family: Family, { masquerade, connected }: BalancerOptions): string[] {
  if (masquerade !== "needed") return [];
  const kept: Prefix[] = [];
  const own = connected.filter(({ address }) => ipFamily(address) === family);
  for (const { address, length } of own.sort((a, b) => a.length - b.length)) {
    if (!kept.some((wide) => networkOf(address, wide.length, family) === wide.address)) {
      kept.push({ address: networkOf(address, length, family), length });
    }
  }
  const whole = family === 4 ? 32 : 128;
  return kept.map(({ address, length }) => (length === whole ? address : `${address}/${length}`));
}

function baseChainsOf(family: Family, masquerade: BalancerOptions["masquerade"]): ReadonlyMap<string, BaseChain> {
  const address = ip(family);
  const dispatch = [
    "meta l4proto { tcp, udp } meta mark vmap @marks",
    `meta l4proto . ${address} daddr . th dport vmap @services`,
    `meta l4proto . ${address} daddr vmap @ports`,
  ];
  // The kernel tracks connections only while some rule asks about them: with the last service would go the translation
  // of connections that live. So one rule always asks, and decides nothing.
  const translated = "ct status & dnat == dnat";
  const ours = [`${translated} ct original ${address} daddr @addresses`, `${translated} meta mark @marked`];
  const near = [`${address} saddr . ${address} daddr @together`, "fib saddr type local"];
  const hidden =
    masquerade === "never"
      ? []
      : masquerade === "always"
        ? ours.map((each) => `${each} masquerade`)
        : ours.flatMap((each) => near.map((condition) => `${each} ${condition} masquerade`));
  return new Map([
    ["prerouting", baseChain("type nat hook prerouting priority -100;", dispatch)],
    // Connections of this machine itself do not come in: they meet the balancer when they leave.
    ["output", baseChain("type nat hook output priority -100;", dispatch)],
    ["postrouting", baseChain("type nat hook postrouting priority 100;", [...hidden, `${translated} accept`])],
  ]);
}

const baseChain = (definition: string, rules: readonly string[]): BaseChain => ({
  definition,
  rules,
  mark: `baton ${digest(rules.join("\n"))}`,
});
