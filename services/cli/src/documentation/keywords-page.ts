// docs/keywords.md, made of the keyword table: what a user's file may say, and what Baton does with it.
import type { KeywordInfo } from "@baton/keepalived-conf";
import { blockTitle, byBlock, countSupport, usageOf } from "../rendering/keyword-text.ts";

/** A page of Markdown: counts, then a section for each block. */
export function keywordsPage(rows: readonly KeywordInfo[]): string {
  const blocks = byBlock(rows);
  const head = [
    "# Keywords of keepalived.conf",
    "",
    "Made by `npm run docs` of the table that the parser itself reads; `baton keywords` prints the same, and",
    "`baton check --explain KEYWORD` one of them.",
    "",
    "- **works**: carried out.",
    "- **accepted**: read and checked, without effect; the last column says what differs.",
    "- **refused**: a file that has it is not used, because what would be done instead does harm.",
    "",
    ...countRows(rows),
    "",
    "## Blocks",
    "",
    ...[...blocks.keys()].map((block) => `- [${blockTitle(block)}](#${anchorOf(block)})`),
  ];
  const sections = [...blocks].flatMap(([block, inside]) => ["", ...section(block, inside, rows)]);
  return `${[...head, ...sections].join("\n")}\n`;
}

function countRows(rows: readonly KeywordInfo[]): string[] {
  const line = (title: string, some: readonly KeywordInfo[]): string => {
    const { works, accepted, refused } = countSupport(some);
    return `| ${title} | ${works} | ${accepted} | ${refused} | ${some.length} |`;
  };
  return [
    "| | works | accepted | refused | all |",
    "|---|---|---|---|---|",
    line(
      "keywords",
      rows.filter(({ kind }) => kind === "keyword"),
    ),
    line(
      "words of value lines",
      rows.filter(({ kind }) => kind === "option"),
    ),
  ];
}

/** As GitHub makes it of a heading. */
const anchorOf = (block: string): string =>
  blockTitle(block)
    .toLowerCase()
    .replaceAll(/[^\w -]/g, "")
    .replaceAll(" ", "-");

function section(block: string, rows: readonly KeywordInfo[], all: readonly KeywordInfo[]): string[] {
  const own = all.find(
    (row) => row.kind === "keyword" && (row.block === "" ? row.keyword : `${row.block}.${row.keyword}`) === block,
  );
  return [
    `## ${blockTitle(block)}`,
    "",
    ...(own === undefined || own.meaning === "" ? [] : [own.meaning, ""]),
    "| keyword | range | default | Baton | meaning |",
    "|---|---|---|---|---|",
    ...rows.map((row) =>
      [`\`${usageOf(row)}\``, row.range, row.default, support(row), meaning(row)].map(cell).join("").concat("|"),
    ),
  ];
}

const cell = (text: string): string => `| ${text.replaceAll("|", "\\|")} `;

const support = ({ support: level, service }: KeywordInfo): string =>
  level === "works" ? `works (${service})` : level;

function meaning({ meaning: text, note, deprecated, since }: KeywordInfo): string {
  return [
    text,
    ...(deprecated === "" ? [] : [`Deprecated: ${deprecated}.`]),
    ...(note === "" ? [] : [`Here: ${note}.`]),
    ...(since === "" ? [] : [`Since ${since}.`]),
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}
