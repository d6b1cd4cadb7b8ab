// `baton keywords` and `baton check --explain`: what the configuration language has, and what Baton does with it.
import {
  explainLintRule,
  type KeywordInfo,
  keywordTable,
  lintRule,
  lintRules,
  meantNames,
} from "@baton/keepalived-conf";
import type { ExplainCommand, KeywordsCommand } from "../arguments/parse-arguments.ts";
import { explainKeyword, keywordLines, summarizeKeyword } from "../rendering/keyword-text.ts";
import type { Screen } from "../rendering/screen.ts";
import type { Console } from "./console.ts";

export interface LanguageDependencies {
  readonly console: Console;
  readonly screen: Screen;
}

/** Without a block of this name: 1, and what may have been meant. */
export function listKeywords(
  { block, support, json }: Omit<KeywordsCommand, "type" | "color">,
  { console, screen }: LanguageDependencies,
): number {
  const all = keywordTable();
  const blocks = [...new Set(all.map((row) => row.block))];
  // `real_server` is enough where the whole path is virtual_server.real_server.
  const wanted = blocks.filter((path) => block === undefined || path === block || path.endsWith(`.${block}`));
  if (wanted.length === 0) {
    const meant = meantNames(block ?? "").filter((name) => blocks.some((path) => path.split(".").includes(name)));
    console.error(`baton: there is no block "${block}"${suggestion(meant)}`);
    return 1;
  }
  const rows = all.filter((row) => wanted.includes(row.block) && (support === undefined || row.support === support));
  if (json) console.out(`${JSON.stringify(rows)}\n`);
  else for (const line of keywordLines(rows, screen)) console.out(`${line}\n`);
  return 0;
}

/** A keyword in every block that has it, a block, or a rule of lint. */
export function explain(
  { keyword, json }: Omit<ExplainCommand, "type" | "color">,
  { console, screen }: LanguageDependencies,
): number {
  const all = keywordTable();
  const rows = rowsOf(keyword, all);
  const rule = lintRule(keyword);
  if (rows.length === 0 && rule === undefined) {
    const codes = lintRules().map(({ code }) => code);
    const [path, word] = splitName(keyword);
    const meant = [...meantNames(word), ...meantNames(`lint/${word.replace(/^lint\//, "")}`, codes)];
    const inPath = path === "" ? meant : meant.filter((name) => rowsOf(`${path}.${name}`, all).length > 0);
    const otherwise = word.includes("-") ? "rules are those that check prints as [lint/RULE]" : undefined;
    const hint = suggestion(inPath.length === 0 ? meant : inPath, otherwise);
    console.error(`baton: there is no keyword and no rule of lint "${keyword}"${hint}`);
    return 1;
  }
  if (json) {
    console.out(`${JSON.stringify({ keywords: rows, rule: rule ?? null })}\n`);
    return 0;
  }
  const groups = alike(rows);
  const texts = [
    ...(groups.length > explainedMax
      ? [summarizeKeyword(groups, screen).join("\n")]
      : groups.map(([row, blocks]) => explainKeyword(row, blocks, all, screen).join("\n"))),
    ...(rule === undefined ? [] : [explainLintRule(rule).trimEnd()]),
  ];
  console.out(`${texts.join("\n\n")}\n`);
  return 0;
}

/** `vrrp_instance.priority` and `vrrp_instance priority` name it in one block alone; of a whole line it is the first word. */
function rowsOf(name: string, all: readonly KeywordInfo[]): KeywordInfo[] {
  const [path, keyword] = splitName(name);
  const found = all.filter(
    (row) => row.keyword === keyword && (path === "" || row.block === path || row.block.endsWith(`.${path}`)),
  );
  if (found.length > 0) return found;
  const [first] = name.trim().split(/\s+/);
  return first === name.trim() ? [] : all.filter((row) => row.keyword === first);
}

/** The path of blocks, `.` between, and the keyword. */
function splitName(name: string): readonly [string, string] {
  const words = name.trim().split(/[\s.]+/);
  return [words.slice(0, -1).join("."), words.at(-1) ?? ""];
}

/** More than these are no answer any more. */
const explainedMax = 4;

/** What means the same in several blocks is told once. */
function alike(rows: readonly KeywordInfo[]): (readonly [KeywordInfo, readonly string[]])[] {
  const groups = new Map<string, readonly [KeywordInfo, string[]]>();
  for (const row of rows) {
    const key = JSON.stringify({ ...row, block: "" });
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row, [row.block]]);
    else group[1].push(row.block);
  }
  return [...groups.values()];
}

const meantMax = 6;

function suggestion(meant: readonly string[], otherwise = "baton keywords lists all"): string {
  const names = [...new Set(meant)];
  const shown = names.slice(0, meantMax).join(", ");
  if (names.length === 0) return `; ${otherwise}`;
  return names.length > meantMax ? `; did you mean one of ${shown}, …?` : `; did you mean ${shown}?`;
}
