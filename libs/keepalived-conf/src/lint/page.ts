// The rules in words: the manual page, and the text of one rule for a terminal.
import { codeOf, type Example, type LintRule } from "./rule.ts";
import { rules } from "./rules.ts";

/** A rule as manuals show it. */
export interface LintRuleInfo {
  readonly code: string;
  readonly title: string;
  readonly severity: "warning" | "info";
  readonly why: string;
  readonly bad: Example;
  readonly good: Example;
  /** The comment that silences it. */
  readonly silencer: string;
  /** `parser`: found without lint too; keepalived itself may complain of it. */
  readonly by: "lint" | "parser";
}

const infoOf = (rule: LintRule): LintRuleInfo => {
  const { name, title, severity, why, bad, good, by } = rule;
  return { code: codeOf(rule), title, severity, why, bad, good, silencer: `# baton: ignore ${name}`, by };
};

export const lintRules = (): LintRuleInfo[] => rules.map(infoOf);

/** By name or code: `equal-priorities`, `lint/equal-priorities`. */
export const lintRule = (name: string): LintRuleInfo | undefined => {
  const found = rules.find((rule) => rule.name === name.replace(/^lint\//, ""));
  return found && infoOf(found);
};

/** The rule as plain text with line ends, for a terminal. */
export function explainLintRule({ code, title, severity, why, bad, good, silencer }: LintRuleInfo): string {
  const example = (head: string, { text, peer }: Example): string[] => [
    `${head}:\n`,
    indent(text),
    ...(peer === undefined ? [] : ["and on the other router:\n", indent(peer)]),
  ];
  return [
    `${code} (${severity}): ${title}.\n`,
    `${wrap(why)}\n`,
    ...(isSameExample(bad, good) ? example("Example", bad) : [...example("Bad", bad), ...example("Good", good)]),
    `To silence it on a line, put this on the line or above it; on the line that opens a block it silences the block:\n`,
    `    ${silencer}\n`,
  ].join("\n");
}

/** What is wrong is not in the file then. */
const isSameExample = (one: Example, other: Example): boolean => one.text === other.text && one.peer === other.peer;

const indent = (text: string): string => text.replace(/^(?=.)/gm, "    ");

const widthMax = 100;

function wrap(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > widthMax) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

const introduction = `# Lint: what keepalived accepts, and its users regret

Made by \`npm run docs\` of the rules themselves; \`baton check --explain lint/RULE\` shows one of them.

    baton check keepalived.conf                       # a file alone
    baton check keepalived.conf --peer other.conf     # and whether the other router agrees
    baton check all.conf --id r1 --peer-id r2         # the same file as two nodes read it, with their @NAME lines
    baton check a.conf b.conf c.conf                  # all routers of a network

Each finding ends with \`[lint/RULE]\`, whoever found it; what ends with another word is the parser's, and no comment silences
it. Findings are warnings or infos and leave the exit code as \`keepalived -t\` has it; with \`--strict\` warnings fail.
Instances of two files are compared where they are the same virtual router: same VRID, same family.

## To silence a rule

    priority 100            # baton: ignore equal-priorities -- both machines are alike

    # baton: ignore slow-check mail-without-server
    vrrp_instance VI_1 {

    # baton: ignore-file readable-secret

A comment counts for its line, or, where it stands alone, for the next line; where that line opens a block, for the whole
block; \`ignore-file\` for the file. After \` -- \` a reason may follow. A name that is no rule is told.
Errors cannot be silenced. What keepalived complains of itself becomes an info and keeps the exit code.
`;

/** A page of Markdown. */
export function lintPage(): string {
  const all = lintRules();
  const rows = all.map(({ code, title, severity }) => `| [${code}](#${anchorOf(code)}) | ${severity} | ${title} |`);
  const table = ["## Rules", "", "| rule | severity | what it tells |", "|---|---|---|", ...rows].join("\n");
  return `${[introduction, table, "", ...all.map(sectionOf)].join("\n")}`;
}

/** As GitHub makes it of a heading. */
const anchorOf = (code: string): string => code.replaceAll("/", "");

function sectionOf({ code, title, why, bad, good, silencer, by }: LintRuleInfo): string {
  const parser = by === "parser" ? " The parser tells it, so that a node's log has it as well." : "";
  return [
    `## ${code}`,
    "",
    `${title}. ${why}${parser}`,
    "",
    ...(isSameExample(bad, good) ? exampleOf("", bad) : [...exampleOf("Bad", bad), ...exampleOf("Good", good)]),
    `Silenced by \`${silencer}\`.`,
    "",
  ].join("\n");
}

function exampleOf(head: string, { text, peer }: Example): string[] {
  const fenced = (code: string): string[] => ["```", code.trimEnd(), "```", ""];
  const first = head === "" ? [] : [`${head}:`, ""];
  return [...first, ...fenced(text), ...(peer === undefined ? [] : ["and on the other router:", "", ...fenced(peer)])];
}
