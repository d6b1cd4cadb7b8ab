// Inputs by number: blocks of the keyword table with lines that they know and lines that they do not, or a text that was
// given; and then what goes wrong with files, from one octet to the place of every brace.
import { type BlockLines, fileAround, holes, sampleLines } from "@baton/keepalived-conf/testing";
import { createRandom, type Random } from "@baton/simulator";
import { type Input, textOf } from "./input.ts";
import { mutateText, withIncludes } from "./mutate.ts";

const lines = sampleLines(() => true);
const blocks = [...lines.values()];

/** The most that an input has; few come near. */
const lengthMax = 4_000;

/** The same for the same seed and texts. `texts`: whole files to begin with, beside those that are made here. */
export function generate(seed: number, texts: readonly string[]): Input {
  const random = createRandom(seed);
  let text = firstText(random, texts);
  for (let count = mutations(random); count > 0; count--) text = mutateText(text, random).slice(0, lengthMax);
  const part = random.chance(0.5) ? "priority 1\n}" : madeText(random);
  if (random.chance(0.1)) return withIncludes(text, part, random);
  return { main: text, part };
}

const mutations = (random: Random): number => (random.chance(0.2) ? 0 : random.integer(1, random.pick([1, 3, 8])));

function firstText(random: Random, texts: readonly string[]): string {
  const given = texts[random.integer(0, texts.length - 1)];
  return given !== undefined && random.chance(0.05) ? given : madeText(random);
}

const madeText = (random: Random): string => textOf(new TextEncoder().encode(madeLines(random)));

/** A few blocks, and lines in one of them; or these lines alone, in a block that nothing else is in. */
function madeLines(random: Random): string {
  const hole = holes[random.integer(0, holes.length - 1)] ?? "";
  const added = Array.from({ length: random.integer(0, random.pick([2, 6])) }, () => lineFor(hole, random)).flat();
  if (random.chance(0.4)) return inBlocks(hole.split("."), added);
  const parts = topLevelParts(fileAround(hole, added));
  const name = hole.split(".")[0] ?? "";
  const share = random.pick([0, 0, 0.1, 0.5]);
  const chosen = parts.filter((part) => random.chance(share) || (hole !== "" && part.startsWith(name)));
  return chosen.join("");
}

const inBlocks = (names: readonly string[], inner: readonly string[]): string =>
  [...names.map((name) => `${name} A {`), ...inner, ...names.map(() => "}"), ""].join("\n");

/** Mostly one that the block knows; now and then one of any other. */
function lineFor(hole: string, random: Random): readonly string[] {
  const own = random.chance(0.9) ? lines.get(hole) : undefined;
  const { usual, others }: BlockLines = own ?? random.pick(blocks as [BlockLines, ...BlockLines[]]);
  const chosen = random.chance(0.4) ? usual : others;
  return chosen[random.integer(0, chosen.length - 1)] ?? [];
}

/** Lines outside of all blocks, and blocks with what is in them. */
function topLevelParts(text: string): string[] {
  const parts: string[] = [];
  let [depth, part] = [0, ""];
  for (const line of text.split("\n")) {
    part += `${line}\n`;
    depth += line.split("{").length - line.split("}").length;
    if (depth > 0) continue;
    parts.push(part);
    [depth, part] = [0, ""];
  }
  return part === "" ? parts : [...parts, part];
}
