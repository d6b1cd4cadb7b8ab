// What is there, read from `nft -j`. Nothing in it is believed: what does not look like an answer is left out, and what
// is missing is made again.
import { parseIp } from "@baton/domain";
import type { Family } from "@baton/ipvs";
import { tableName } from "./names.ts";
import { sharedSets } from "./ruleset.ts";
import { ip } from "./service-chains.ts";

export interface ChainState {
  /** How many rules it has. */
  readonly rules: number;
  /** The comment of each rule that has one. */
  readonly marks: readonly string[];
}

/** The table of one family. */
export interface TableState {
  readonly chains: ReadonlyMap<string, ChainState>;
  /** Maps and sets, by name. */
  readonly sets: ReadonlySet<string>;
  /** Of the shared maps and sets: key to the chain that it leads to, or "". */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** undefined: there is no such table. */
export interface BalancerState {
  readonly 4: TableState | undefined;
  readonly 6: TableState | undefined;
}

export const nothing: BalancerState = { 4: undefined, 6: undefined };

/** Words for `nft -j` that bring the chains and the names of sets, without elements. */
export const listTable = (family: Family): readonly string[] => ["-t", "list", "table", ip(family), tableName];

/** Words for `nft -j`, one call each, for the elements that are planned: the sets that packets fill are not read. */
export const listElements = (family: Family): readonly (readonly string[])[] =>
  [...sharedSets(family)].map(([name, { kind }]) => ["list", kind, ip(family), tableName, name]);

/** What `nft` printed for `listTable` and for each of `listElements`, parsed; undefined where there is no such thing. */
export function readTable(family: Family, table: unknown, elements: readonly unknown[]): TableState {
  const chains = new Map<string, { rules: number; marks: string[] }>();
  const sets = new Set<string>();
  for (const entry of entriesOf(table)) {
    const [chain, rule, set] = [own(entry, "chain"), own(entry, "rule"), own(entry, "set") ?? own(entry, "map")];
    if (chain !== undefined) chains.set(text(chain, "name"), { rules: 0, marks: [] });
    if (set !== undefined) sets.add(text(set, "name"));
    const ruled = rule === undefined ? undefined : chains.get(text(rule, "chain"));
    if (rule === undefined || ruled === undefined) continue;
    ruled.rules += 1;
    if (text(rule, "comment") !== "") ruled.marks.push(text(rule, "comment"));
  }
  return { chains, sets, elements: readElements(family, elements) };
}

function readElements(family: Family, documents: readonly unknown[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const found = new Map<string, Map<string, string>>();
  for (const entry of documents.flatMap(entriesOf)) {
    const set = own(entry, "map") ?? own(entry, "set");
    if (set === undefined || !sharedSets(family).has(text(set, "name"))) continue;
    const elements = new Map<string, string>();
    for (const element of listOf(set.elem)) {
      const [key, verdict] = own(entry, "map") === undefined ? [element, undefined] : listOf(element);
      elements.set(keyText(key), targetOf(verdict));
    }
    found.set(text(set, "name"), elements);
  }
  return found;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const entriesOf = (document: unknown): readonly Fields[] =>
  isFields(document) ? listOf(document.nftables).filter(isFields) : [];
const own = (entry: Fields, kind: string): Fields | undefined => {
  const value = entry[kind];
  return isFields(value) ? value : undefined;
};
const text = (fields: Fields, name: string): string => {
  const value = fields[name];
  return typeof value === "string" ? value : "";
};

/** As `rulesetOf` writes it. nft may say an address in other letters than Baton. */
function keyText(key: unknown): string {
  if (typeof key === "number") return String(key);
  if (typeof key === "string") return parseIp(key) ?? key;
  if (!isFields(key)) return "";
  const prefix = own(key, "prefix");
  if (prefix !== undefined) return `${keyText(prefix.addr)}/${String(prefix.len)}`;
  return listOf(key.concat).map(keyText).join(" . ");
}

function targetOf(verdict: unknown): string {
  const goto = isFields(verdict) ? own(verdict, "goto") : undefined;
  return goto === undefined ? "" : text(goto, "target");
}
