// Every keyword of every block, written in the ways that matter: each in a file that is right but for this one line.
import { root } from "../keywords/root.ts";
import type { BlockSpec, Keyword, ValueBlock } from "../keywords/table.ts";
import { entriesOf } from "./sample-entries.ts";
import { fileAround, holes } from "./sample-file.ts";
import { samplesOf } from "./sample-words.ts";

/** A configuration that is right, but perhaps for what its name says. */
export interface SampleCase {
  /** `block: what is written there`; ` ⏎ ` between lines. */
  readonly name: string;
  /** `{DIR}` stands for a directory of the test's own. */
  readonly text: string;
  /** keepalived's version that brought the keyword, where that matters. */
  readonly since: string | undefined;
}

type Spec = Keyword<unknown> | ValueBlock | BlockSpec;

interface Place {
  readonly spec: Spec;
  /** The block around it. */
  readonly hole: string;
  readonly since: string | undefined;
}

export function sampleCases(): SampleCase[] {
  const places = placesIn(root, "", undefined);
  const seen = new Set<unknown>();
  const cases = places.flatMap((place) => {
    const all = [...casesOf(place), ...misplaced(place, places)];
    // Checkers share most of their keywords: the words are tried in the first, and a few of them in the others.
    const again = place.spec.kind === "keyword" && seen.has(place.spec.argument) && place.hole.includes("_CHECK");
    if (place.spec.kind === "keyword") seen.add(place.spec.argument);
    return again ? all.filter((_, i) => i % 8 === 0) : all;
  });
  return [...new Map(cases.map((each) => [each.name, each])).values()];
}

function placesIn(block: BlockSpec, hole: string, since: string | undefined): Place[] {
  const keywords = Object.values(block.keywords).map((spec) => ({ spec, hole, since: spec.since ?? since }));
  const blocks = block.blocks.flatMap((spec) => {
    const place = { spec, hole, since: spec.since ?? since };
    return [place, ...placesIn(spec, hole === "" ? spec.name : `${hole}.${spec.name}`, place.since)];
  });
  return [...keywords, ...blocks];
}

const write = ({ hole, spec, since }: Place, lines: readonly string[]): SampleCase => ({
  name: `${hole === "" ? "(root)" : hole}: ${lines.join(" ⏎ ")}`,
  text: fileAround(hole, lines, spec.name),
  since,
});

function casesOf(place: Place): SampleCase[] {
  return linesOf(place).map((lines) => write(place, lines));
}

function linesOf({ spec, hole }: Place): string[][] {
  if (spec.kind === "keyword") return keywordCases(spec);
  if (spec.kind === "values") return valuesCases(spec);
  return blockCases(hole, spec);
}

/** What can be written into a block: a few lines for each of its keywords, usual ones and others. */
export interface BlockLines {
  /** One for each keyword, in ways that nothing is wrong with, mostly. */
  readonly usual: readonly (readonly string[])[];
  readonly others: readonly (readonly string[])[];
}

/**
 * By the path of the block, as in `holes`; without the blocks in it, and without the keywords that `isKnown` does not
 * take: it is asked with keepalived's version that brought them.
 */
export function sampleLines(isKnown: (since: string | undefined) => boolean): ReadonlyMap<string, BlockLines> {
  const byBlock = new Map<string, { usual: string[][]; others: string[][] }>();
  for (const place of placesIn(root, "", undefined)) {
    if (place.spec.kind === "block" || !isKnown(place.since)) continue;
    const [usual = [], ...others] = linesOf(place);
    const lines = byBlock.get(place.hole) ?? { usual: [], others: [] };
    byBlock.set(place.hole, lines);
    lines.usual.push(usual);
    lines.others.push(...others);
  }
  return byBlock;
}

function keywordCases({ name, argument }: Keyword<unknown>): string[][] {
  const samples = samplesOf(name, argument);
  const lines = samples.map((words) => `${name} ${words}`.trim());
  const [usual = name, other = usual] = lines;
  return [
    ...lines.map((line) => [line]),
    [usual, usual],
    [usual, other],
    [`${name}x ${samples[0] ?? ""}`.trim()],
    [`${usual} {`, "}"],
    [`"${name}" ${samples[0] ?? ""}`.trim()],
  ];
}

const aroundBraces = (line: string, body: readonly string[]): string[][] => [
  [line, "{", ...body, "}"],
  [`${line} { ${body.join(" ")} }`],
  [line, ...body, "}"],
  [`${line} {`, ...body],
  [`${line} {`, "{", ...body, "}", "}"],
  [`${line} {`, ...body, "}", "}"],
  [line],
];

function valuesCases(spec: ValueBlock): string[][] {
  const { name, header } = spec;
  const [usual = "", ...headers] = header === undefined ? ["", "surplus"] : samplesOf(name, header);
  const line = `${name} ${usual}`.trim();
  const entries = entriesOf(spec);
  const [first = "x", second = first] = entries;
  return [
    ...entries.map((entry) => [`${line} {`, entry, "}"]),
    ...headers.map((words) => [`${name} ${words} {`.replace("  ", " "), first, "}"]),
    [`${line} {`, "}"],
    [`${line} {`, first, first, "}"],
    [`${line} {`, first, second, "}"],
    [`${line} {`, first, "}", `${line} {`, second, "}"],
    [`${line} {`, `${first} surplus words`, "}"],
    [`${line} {`, `"${first}`, "}"],
    ...aroundBraces(line, [first]),
  ];
}

function blockCases(hole: string, { name, header }: BlockSpec): string[][] {
  const [usual = "", ...headers] = samplesOf(name, header);
  const line = `${name} ${usual}`.trim();
  const body = bodyOf(hole === "" ? name : `${hole}.${name}`);
  const block = (words: string): string[] => [`${name} ${words} {`.replace("  ", " "), ...body, "}"];
  return [
    block(usual),
    ...headers.map(block),
    [...block(usual), ...block(usual)],
    [`${line} {`, "}"],
    [`${line} {`, ...body, "nosuchkeyword 1", "}"],
    [`${line} {`, ...body, "nosuchblock {", "x 1", "}", "}"],
    [`${line} {`, "virtual_ipaddress {", "10.0.0.99", "}", "}"],
    ...aroundBraces(line, body).filter((_, i) => i !== 1),
  ];
}

/** What a block of the sample file has in it. */
function bodyOf(path: string): readonly string[] {
  if (!holes.includes(path)) throw new Error(`the sample file has no block ${path}`);
  const mark = "the hole";
  const lines = fileAround(path, [mark]).split("\n");
  const at = lines.indexOf(mark);
  let start = at;
  for (let depth = 1; depth > 0; ) {
    const line = lines[--start] ?? "";
    // One-line blocks open and close.
    depth += (line.match(/\}/g) ?? []).length - (line.match(/\{/g) ?? []).length;
  }
  return lines.slice(start + 1, at);
}

/** In two blocks that do not know it. */
function misplaced({ spec, hole }: Place, places: readonly Place[]): SampleCase[] {
  const known = new Set(places.filter((other) => other.spec.name === spec.name).map((other) => other.hole));
  const blocks = new Set(places.map((other) => other.hole));
  const strange = [...blocks].filter((other) => !known.has(other));
  const words = samplesOf(spec.name, spec.kind === "keyword" ? spec.argument : spec.header)[0] ?? "";
  const line = `${spec.name} ${words}`.trim();
  const lines = spec.kind === "keyword" ? [line] : [`${line} {`, "}"];
  const start = places.findIndex((other) => other.spec === spec && other.hole === hole);
  return [0, 7].flatMap((step) => {
    const other = strange[(start + step) % strange.length];
    // The block that it stands in has to be known, and it does not.
    const around = places.find((each) => each.hole === other && each.spec.kind !== "block")?.since;
    return other === undefined ? [] : [write({ spec, hole: other, since: around }, lines)];
  });
}
