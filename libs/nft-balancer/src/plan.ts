// From what is there to what is wanted, as one transaction: all of it happens at once, or nothing does. Only what
// differs is touched: sets of known clients and the turns of other services go on.
import type { Family, ServiceTable } from "@baton/ipvs";
import { baseOf, baseOfObject, tableName } from "./names.ts";
import { obstacles, type Refusal, schedulerOf } from "./refusal.ts";
import { type BalancerOptions, type CarriedService, type Ruleset, rulesetOf } from "./ruleset.ts";
import { ip } from "./service-chains.ts";
import type { BalancerState, ChainState, TableState } from "./table-state.ts";

export interface BalancerInput {
  /** As `wantedTable` says it. */
  readonly wanted: ServiceTable;
  /** Names of services that stay as they are, because nobody knows yet what becomes of them. */
  readonly unknown: ReadonlySet<string>;
  readonly state: BalancerState;
  readonly options: BalancerOptions;
}

export interface BalancerPlan {
  /** For `nft -f`; empty: nothing is to be done. */
  readonly script: string;
  /** Services that are left out; one that was carried until now is taken out. */
  readonly refused: readonly Refusal[];
  /** What is there when the kernel has taken the script. */
  readonly after: BalancerState;
}

/** A second plan from `after` is empty. Living connections keep their servers, those of services that go too. */
export function planBalancer(input: BalancerInput): BalancerPlan {
  const refused: Refusal[] = [];
  const carried: { readonly [family in Family]: CarriedService[] } = { 4: [], 6: [] };
  for (const [name, service] of input.wanted) {
    const found = obstacles(service);
    const scheduler = schedulerOf(service);
    if (found.length > 0 || scheduler === undefined) refused.push({ service: name, obstacles: found });
    else carried[service.key.family].push({ name, service, scheduler });
  }
  const kept = new Set([...input.unknown].map(baseOf));
  const four = planFamily(rulesetOf(4, carried[4], input.options), input.state[4], kept);
  const six = planFamily(rulesetOf(6, carried[6], input.options), input.state[6], kept);
  const lines = [...four.lines, ...six.lines];
  return { script: lines.map((line) => `${line}\n`).join(""), refused, after: { 4: four.after, 6: six.after } };
}

/**
 * Takes both tables away, whatever is in them, and succeeds where there are none. With the last NAT rules of a machine
 * goes the translation of living connections: who wants them to end by themselves plans for no services first.
 */
export const removalScript: string = [4 as const, 6 as const]
  .flatMap((family) => [`add table ${ip(family)} ${tableName}\n`, `delete table ${ip(family)} ${tableName}\n`])
  .join("");

interface FamilyPlan {
  readonly lines: readonly string[];
  readonly after: TableState | undefined;
}

function planFamily(ruleset: Ruleset, found: TableState | undefined, kept: ReadonlySet<string>): FamilyPlan {
  const isNeeded = ruleset.chains.size > 0;
  if (found === undefined && !isNeeded) return { lines: [], after: undefined };
  const state = found ?? { chains: new Map(), sets: new Set(), elements: new Map() };
  const table = `${ip(ruleset.family)} ${tableName}`;
  const isStale = (name: string): boolean => {
    const base = baseOfObject(name);
    return base !== undefined && !kept.has(base) && !ruleset.chains.has(name) && !ruleset.clients.has(name);
  };
  const oldChains = [...state.chains.keys()].filter(isStale);
  const oldSets = [...state.sets].filter(isStale);
  const elements = withKept(ruleset.elements, state.elements, kept);
  const changes = [...elements].flatMap(([set, wanted]) =>
    elementChanges(`${table} ${set}`, wanted, state.elements.get(set) ?? new Map()),
  );
  const lines = [
    ...(found === undefined ? [`add table ${table}`] : []),
    ...newSets(ruleset, state, table),
    ...baseChainLines(ruleset, state, table),
    ...newChains(ruleset, state, table),
    ...changes,
    // Chains lead to one another: none can go before all are empty.
    ...oldChains.map((name) => `flush chain ${table} ${name}`),
    ...oldChains.map((name) => `delete chain ${table} ${name}`),
    ...oldSets.map((name) => `delete set ${table} ${name}`),
  ];
  return { lines, after: { ...afterwards(ruleset, state, isStale), elements } };
}

function newSets({ shared, clients }: Ruleset, { sets }: TableState, table: string): string[] {
  const missing = [...shared].filter(([name]) => !sets.has(name));
  return [
    ...missing.map(([name, { kind, definition }]) => `add ${kind} ${table} ${name} { ${definition} }`),
    ...[...clients].filter(([name]) => !sets.has(name)).map(([name, what]) => `add set ${table} ${name} { ${what} }`),
  ];
}

function baseChainLines({ baseChains }: Ruleset, { chains }: TableState, table: string): string[] {
  return [...baseChains].flatMap(([name, { definition, rules, mark }]) => {
    const there = chains.get(name);
    const isSame = there?.rules === rules.length && there.marks.every((each) => each === mark);
    if (isSame && there.marks.length === rules.length) return [];
    return [
      there === undefined ? `add chain ${table} ${name} { ${definition} }` : `flush chain ${table} ${name}`,
      ...rules.map((rule) => `add rule ${table} ${name} ${rule} comment "${mark}"`),
    ];
  });
}

/** All chains before any rule: rules lead to chains. */
function newChains({ chains }: Ruleset, state: TableState, table: string): string[] {
  const missing = [...chains].filter(([name, rules]) => state.chains.get(name)?.rules !== rules.length);
  return [
    ...missing.map(([name]) => `${state.chains.has(name) ? "flush" : "add"} chain ${table} ${name}`),
    ...missing.flatMap(([name, rules]) => rules.map((rule) => `add rule ${table} ${name} ${rule}`)),
  ];
}

type Elements = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What is wanted, and what leads to services that stay as they are. */
function withKept(wanted: Elements, found: Elements, kept: ReadonlySet<string>): Elements {
  const all = new Map([...wanted].map(([set, elements]) => [set, new Map(elements)]));
  for (const [set, elements] of found) {
    for (const [key, target] of elements) {
      const base = baseOfObject(target);
      if (base === undefined || !kept.has(base)) continue;
      all.get(set)?.set(key, target);
      const [first = "", address] = key.split(" . ");
      if (address === undefined) all.get("marked")?.set(first, "");
      else all.get("addresses")?.set(address, "");
    }
  }
  return all;
}

function elementChanges(
  set: string,
  wanted: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): readonly string[] {
  const gone = [...found].filter(([key, target]) => wanted.get(key) !== target);
  const added = [...wanted].filter(([key, target]) => found.get(key) !== target);
  return [...elementLines(`delete element ${set}`, gone), ...elementLines(`add element ${set}`, added)];
}

/** Long lines cost nft more than many. */
const elementsOfLine = 500;

function elementLines(command: string, elements: readonly (readonly [string, string])[]): string[] {
  const lines: string[] = [];
  for (let from = 0; from < elements.length; from += elementsOfLine) {
    const some = elements.slice(from, from + elementsOfLine);
    const texts = some.map(([key, target]) => (target === "" ? key : `${key} : goto ${target}`));
    lines.push(`${command} { ${texts.join(", ")} }`);
  }
  return lines;
}

function afterwards(
  { chains, clients, shared, baseChains }: Ruleset,
  state: TableState,
  isStale: (name: string) => boolean,
): Pick<TableState, "chains" | "sets"> {
  const staying = <T>(entries: Iterable<readonly [string, T]>) => [...entries].filter(([name]) => !isStale(name));
  const after = new Map<string, ChainState>(staying(state.chains));
  for (const [name, { rules, mark }] of baseChains) {
    after.set(name, { rules: rules.length, marks: rules.map(() => mark) });
  }
  for (const [name, rules] of chains) after.set(name, { rules: rules.length, marks: [] });
  const sets = [...state.sets].filter((name) => !isStale(name));
  return { chains: after, sets: new Set([...sets, ...shared.keys(), ...clients.keys()]) };
}
