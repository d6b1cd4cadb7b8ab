// What can be wrong with a file, or merely unusual: from single octets over words, quotes and braces to definitions,
// sequences, conditions and includes.
import type { Random } from "@baton/simulator";
import type { Input } from "./input.ts";
import { constructs, keywords, octets, pickFrom, signs, use, values, type Words } from "./words.ts";

type Mutation = (text: string, random: Random) => string;

const place = (text: string, random: Random): number => random.integer(0, text.length);

/** A piece of the text, short ones more often. */
function piece(text: string, random: Random): { before: string; inside: string; after: string } {
  const start = place(text, random);
  const end = start + random.integer(1, random.pick([2, 10, 100]));
  return { before: text.slice(0, start), inside: text.slice(start, end), after: text.slice(end) };
}

const insertAt = (text: string, at: number, added: string): string => text.slice(0, at) + added + text.slice(at);

const inserting =
  (words: Words): Mutation =>
  (text, random) =>
    insertAt(text, place(text, random), pickFrom(words, random));

/** At a blank or the end of a line, so that it is a word of its own. */
const insertingWord =
  (words: Words): Mutation =>
  (text, random) => {
    const at = text.indexOf(random.pick([" ", "\n"]), place(text, random));
    return insertAt(text, at < 0 ? text.length : at, ` ${pickFrom(words, random)}`);
  };

const replacing =
  (pattern: RegExp, words: (found: string, random: Random) => string): Mutation =>
  (text, random) => {
    const found = [...text.matchAll(pattern)];
    const match = found[random.integer(0, found.length - 1)];
    if (match === undefined) return text;
    return text.slice(0, match.index) + words(match[0], random) + text.slice(match.index + match[0].length);
  };

const onLine =
  (change: (line: string, random: Random) => string): Mutation =>
  (text, random) => {
    const lines = text.split("\n");
    const at = random.integer(0, lines.length - 1);
    lines[at] = change(lines[at] ?? "", random);
    return lines.join("\n");
  };

const without: Mutation = (text, random) => {
  const { before, after } = piece(text, random);
  return before + after;
};

const doubled: Mutation = (text, random) => {
  const { before, inside, after } = piece(text, random);
  return random.chance(0.5) ? before + inside + inside + after : insertAt(text, place(text, random), inside);
};

const otherOctet: Mutation = (text, random) => {
  const at = place(text, random);
  return text.slice(0, at) + String.fromCharCode(random.integer(0, 255)) + text.slice(at + 1);
};

/** Blocks in blocks; now and then thousands of them. */
const nested: Mutation = (text, random) => {
  const depth = random.chance(0.02) ? 3_000 : random.pick([1, 3, 30, 300]);
  const open = random.pick(["{", "a {", "{\n", "vrrp_instance A {\n", "real_server 1.1.1.1 1 {", "url {\n"]);
  const close = random.chance(0.7) ? random.pick(["}", "}\n"]) : "";
  const { before, inside, after } = piece(text, random);
  return before + open.repeat(depth) + inside + close.repeat(depth) + after;
};

/** A word of the text is written as a definition, before it or, too late, behind it. */
const defined: Mutation = (text, random) => {
  const words = [...text.matchAll(/[^\s{}"#!]+/g)];
  const word = words[random.integer(0, words.length - 1)];
  if (word === undefined) return text;
  const used = random.pick(["$D", use("D"), "$D$D", '"$D"', "${D"]);
  const changed = text.slice(0, word.index) + used + text.slice(word.index + word[0].length);
  return random.chance(0.9) ? `$D=${word[0]}\n${changed}` : `${changed}\n$D=${word[0]}\n`;
};

const quoted = (word: string, random: Random): string =>
  random.pick([`"${word}"`, `'${word}'`, `"${word}`, `${word}"`, `\\${word}`, `${word}\\`]);

const beginnings: Words = [
  ...["@r1 ", "@r2 ", "@^r1 ", "@nosuch ", "~SEQ(I, 3) ", "~LST(I, 1, x) ", "#", "!"],
  "# baton: ignore slow-check\n",
];

const pick =
  (...words: string[]) =>
  (_: string, random: Random): string =>
    pickFrom(words, random);

const mutations: readonly (readonly [weight: number, mutation: Mutation])[] = [
  [3, inserting(octets)],
  [4, inserting(signs)],
  [3, inserting(constructs)],
  [2, insertingWord(values)],
  [2, insertingWord(keywords)],
  [2, without],
  [3, doubled],
  [1, otherOctet],
  [1, (text, random) => text.slice(0, place(text, random))],
  [4, replacing(/\d+/g, pick(...values))],
  [4, replacing(/[^\s{}]+/g, pick(...values))],
  [3, replacing(/^[ \t]*\w+/gm, pick(...keywords))],
  [2, replacing(/[{}]/g, pick("", "", "{", "}", "{{", "}\n}", '"{"', " { ", "\n{\n"))],
  [2, replacing(/[^\s{}]+/g, quoted)],
  [2, replacing(/\n/g, pick("", " ", "\r\n", "\\\n", "\n\n", "\r", "\f", "\0\n"))],
  [1, replacing(/[ \t]+/g, pick("", "\t", "\v", "\xa0", "\xc2\xa0", "  ", "\\ "))],
  [3, onLine((line, random) => pickFrom(beginnings, random) + line)],
  [2, onLine((line, random) => `${line}\n`.repeat(random.pick([2, 3, 9, 40])))],
  [1, onLine((line, random) => `${line} # ${pickFrom(constructs, random)}`)],
  [2, defined],
  [1, nested],
];

const weights = mutations.reduce((sum, [weight]) => sum + weight, 0);

export function mutateText(text: string, random: Random): string {
  let left = random.integer(1, weights);
  for (const [weight, mutation] of mutations) {
    left -= weight;
    if (left <= 0) return mutation(text, random);
  }
  return text;
}

/** Some lines of the first file stand in another one. */
export function withIncludes(main: string, part: string, random: Random): Input {
  const lines = main.split("\n");
  const keyword = random.pick(["include", "include", "includer", "includem", "includew", "includeb", "includea"]);
  const pattern = random.pick(["part", "part", "p*", "[p]art", "{part,main}"]);
  const taken = lines.splice(random.integer(0, lines.length - 1), random.integer(0, 9), `${keyword} ${pattern}`);
  return { main: lines.join("\n"), part: random.chance(0.7) ? `${taken.join("\n")}\n` : part };
}
