// What somebody may have meant who wrote, or asks for, a word that is no keyword there: a known mistake, a keyword of
// another block, a slip of the pen, a part of a name.
import { nearestName, nearestNames } from "./nearest.ts";
import { root } from "./root.ts";
import type { BlockSpec } from "./table.ts";

/** For a line of `block`; undefined when nothing is near. */
export function meantKeyword(name: string, block: BlockSpec): string | undefined {
  if (name.endsWith("\\")) return "lines go on with a backslash in definitions ($NAME=…) only";
  const meant = misnomerIn(block, name);
  if (meant !== undefined) return `did you mean ${meant}?`;
  const inner = block.blocks.find((candidate) => namesIn(candidate).includes(name));
  if (inner !== undefined) return `it belongs into ${inner.name}`;
  // What instances have of their own global_defs has for all of them.
  const forAll = namesIn(block).find((known) => known === `vrrp_${name}`);
  if (forAll !== undefined) return `did you mean ${forAll}?`;
  const elsewhere = blocksWith.get(name);
  if (elsewhere !== undefined) return placeHint(elsewhere);
  const nearest = nearestName(name, namesIn(block));
  return nearest === undefined ? undefined : `did you mean ${nearest}?`;
}

/** All that a word may stand for, the likeliest first; `others` are names beside the keywords. */
export function meantNames(name: string, others: readonly string[] = []): string[] {
  const lower = name.toLowerCase();
  const known = [...new Set([...blocksWith.keys(), ...others])];
  const isPart = (candidate: string): boolean => `_${candidate.toLowerCase()}_`.includes(`_${lower}_`);
  return [
    ...new Set([
      ...(misnomers.get(lower) ?? []),
      ...known.filter((candidate) => candidate.toLowerCase() === lower),
      ...known.filter((candidate) => lower.length > 2 && candidate.toLowerCase().startsWith(lower)),
      ...nearestNames(name, known),
      ...known.filter(isPart),
    ]),
  ];
}

const misnomerIn = ({ misnomers: own }: BlockSpec, name: string): string | undefined => {
  const lower = name.toLowerCase();
  return Object.hasOwn(own, lower) ? own[lower] : undefined;
};

const namesIn = (block: BlockSpec): string[] =>
  [...Object.values(block.keywords), ...block.blocks].map((spec) => spec.name);

const allBlocks = (block: BlockSpec): BlockSpec[] => [block, ...block.blocks.flatMap(allBlocks)];

/** By keyword: the names of the blocks that have it, empty for what stands outside of all. */
const blocksWith: ReadonlyMap<string, readonly string[]> = collect(
  allBlocks(root).flatMap((block) => namesIn(block).map((name) => [name, block.name] as const)),
);

/** By mistake: what it is taken for in any block. */
const misnomers: ReadonlyMap<string, readonly string[]> = collect(
  allBlocks(root).flatMap((block) => Object.entries(block.misnomers)),
);

function collect(pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const [key, value] of pairs) found.set(key, (found.get(key) ?? new Set()).add(value));
  return new Map([...found].map(([key, values]) => [key, [...values]]));
}

const namedMax = 4;

function placeHint(blocks: readonly string[]): string {
  if (blocks.includes("")) return "it stands outside of all blocks; is a '}' missing above?";
  if (blocks.length > namedMax) return "it belongs into another block";
  const [last = "", ...others] = blocks.toReversed();
  return `it belongs into ${others.length === 0 ? last : `${others.toReversed().join(", ")} or ${last}`}`;
}
