// The rules in words: a manual page, and the text of one rule for a terminal.
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
}

const infoOf = (rule: LintRule): LintRuleInfo => {
  const { title, severity, why, bad, good } = rule;
  return { code: codeOf(rule), title, severity, why, bad, good };
};

export const lintRules = (): LintRuleInfo[] => rules.map(infoOf);

/** By name or code: `equal-priorities`, `lint/equal-priorities`. */
export const lintRule = (name: string): LintRuleInfo | undefined => {
  const found = rules.find((rule) => rule.name === name.replace(/^lint\//, ""));
  return found && infoOf(found);
};

/** The rule as plain text with line ends, for a terminal. */
export function explainLintRule({ code, title, severity, why, bad, good }: LintRuleInfo): string {
  const example = (head: string, { text, peer }: Example): string => {
    const parts = [indent(text), ...(peer === undefined ? [] : [`  and on the other router:\n\n${indent(peer)}`])];
    return `${head}:\n\n${parts.join("\n")}`;
  };
  return [
    `${code} (${severity})\n${title}.\n`,
    `${wrap(why)}\n`,
    example("Bad", bad),
    example("Good", good),
    `To silence it, on the line, above it, or on the line that opens a block:\n\n    ${silencer(code)}\n`,
  ].join("\n");
}

const silencer = (code: string): string => `# baton: ignore ${code.replace(/^lint\//, "")}`;

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
