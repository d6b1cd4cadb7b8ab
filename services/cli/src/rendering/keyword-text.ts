// The keyword table for people: as a list, and one keyword with all that is known of it. Pure.
import type { KeywordInfo } from "@baton/keepalived-conf";
import { wrap } from "../arguments/help.ts";
import type { Screen } from "./screen.ts";
import { table } from "./words.ts";

export type SupportCounts = Readonly<Record<KeywordInfo["support"], number>>;

export function countSupport(rows: readonly KeywordInfo[]): SupportCounts {
  const count = (level: KeywordInfo["support"]): number => rows.filter(({ support }) => support === level).length;
  return { works: count("works"), accepted: count("accepted"), refused: count("refused") };
}

export const supportText = ({ works, accepted, refused }: SupportCounts): string =>
  `${works} works, ${accepted} accepted, ${refused} refused`;

/** `vrrp_instance.track_script`; what stands outside of all blocks has no name, what no block has a say in is `(file)`. */
export const blockTitle = (block: string): string =>
  block === "" ? "outside of all blocks" : block === "(file)" ? "anywhere in a file" : block;

/** Rows by their block, in the order of the table. */
export const byBlock = (rows: readonly KeywordInfo[]): Map<string, KeywordInfo[]> => {
  const blocks = new Map<string, KeywordInfo[]>();
  for (const row of rows) {
    const known = blocks.get(row.block);
    if (known === undefined) blocks.set(row.block, [row]);
    else known.push(row);
  }
  return blocks;
};

/** What one may call a keyword in a sentence: its words, and what follows them. */
export const usageOf = ({ keyword, syntax }: KeywordInfo): string =>
  syntax.startsWith(keyword.replace(/[=(].*/, "")) ? syntax : `${keyword} ${syntax}`.trim();

const paintOf = (support: KeywordInfo["support"], screen: Screen): Screen["green"] =>
  support === "works" ? screen.green : support === "accepted" ? screen.yellow : screen.red;

/** Of a screen; what a keyword means is more than all of its words. */
const usageShare = 0.45;

/** One row a line, under a line for each block. On a terminal a line ends where the screen does. */
export function keywordLines(rows: readonly KeywordInfo[], screen: Screen): string[] {
  const { columns = Number.MAX_SAFE_INTEGER, bold } = screen;
  const blocks = [...byBlock(rows)].flatMap(([block, inside]) => {
    const usageMax = Math.floor(columns * usageShare);
    const lines = table(inside.map((row) => [cut(`  ${usageOf(row)}`, usageMax), row.support, row.meaning]));
    const painted = lines.map((line, index) => paintSupport(cut(line, columns), inside[index]?.support, screen));
    return [bold(`${blockTitle(block)} (${supportText(countSupport(inside))})`), ...painted, ""];
  });
  return [...blocks, `${rows.length} in all: ${supportText(countSupport(rows))}`];
}

/** The first of the word that stands in a column of its own. */
const paintSupport = (line: string, support: KeywordInfo["support"] | undefined, screen: Screen): string =>
  support === undefined ? line : line.replace(` ${support} `, ` ${paintOf(support, screen)(support)} `);

const cut = (line: string, columns: number): string =>
  line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;

/** Who carries it out, or will. */
const carriers: Readonly<Record<KeywordInfo["service"], string>> = {
  parser: "the parser",
  supervisor: "baton up",
  control: "control",
  election: "election",
  health: "health",
  dataplane: "dataplane",
  balancer: "balancer",
  notifier: "notifier",
};

const pageColumns = 100;

/** All that is known of one keyword. `blocks`: where it is just this; `others`: the whole table, for its other names. */
export function explainKeyword(
  row: KeywordInfo,
  blocks: readonly string[],
  others: readonly KeywordInfo[],
  screen: Screen,
): string[] {
  const { bold, columns = pageColumns } = screen;
  const names = others.filter((other) => other.block === row.block && other.alias === row.keyword);
  const facts: readonly (readonly [string, string])[] = [
    ["in", blocks.map(blockTitle).join(", ")],
    ["range", row.range],
    ["default", row.default],
    ["baton", supportSentence(row, screen)],
    ["service", row.kind === "keyword" || row.support === "works" ? carriers[row.service] : ""],
    ["deprecated", row.deprecated],
    ["same as", row.alias],
    ["other names", names.map(({ keyword }) => keyword).join(", ")],
    ["since", row.since === "" ? "" : `keepalived ${row.since}`],
  ];
  const shown = facts.filter(([, value]) => value !== "");
  const width = Math.max(...shown.map(([label]) => label.length));
  const lines = shown.flatMap(([label, value]) => {
    const [first = "", ...rest] = wrap(value, Math.min(columns, pageColumns) - width - 4);
    const indent = " ".repeat(width + 4);
    return [`  ${screen.dim(label.padEnd(width))}  ${first}`, ...rest.map((line) => indent + line)];
  });
  const meaning =
    row.meaning === "" ? [] : wrap(row.meaning, Math.min(columns, pageColumns) - 2).map((line) => `  ${line}`);
  return [bold(usageOf(row)), ...meaning, "", ...lines];
}

/** A word of many blocks: a line each. */
export function summarizeKeyword(
  rows: readonly (readonly [KeywordInfo, readonly string[]])[],
  screen: Screen,
): string[] {
  const { bold, dim, columns = Number.MAX_SAFE_INTEGER } = screen;
  const lines = table(
    rows.map(([row, blocks]) => [`  ${blocks.map(blockTitle).join(", ")}`, row.support, row.meaning]),
  );
  const [[{ keyword = "" } = {}, [block = ""] = []] = []] = rows;
  return [
    bold(`${keyword} means something of its own in ${rows.length} places:`),
    ...lines.map((line, index) => paintSupport(cut(line, columns), rows[index]?.[0].support, screen)),
    "",
    dim(`All of one: baton check --explain ${block === "" ? keyword : `${block}.${keyword}`}`),
  ];
}

const levels: Readonly<Record<KeywordInfo["support"], string>> = {
  works: "works",
  accepted: "accepted: read and checked, without effect",
  refused: "refused: a file that has it is not used",
};

const supportSentence = ({ support, note }: KeywordInfo, screen: Screen): string =>
  `${paintOf(support, screen)(levels[support])}${note === "" ? "" : `; ${note}`}`;
