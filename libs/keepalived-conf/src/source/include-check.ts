// `include_check [[+|-]CHECK …]` in global_defs: which problems of includes are errors, from here to the end of the file.
import { invalidValue } from "../keywords/arguments.ts";
import type { KeywordLine } from "../keywords/table.ts";
import type { Report } from "../report.ts";
import { type IncludeCheck, type IncludePolicy, includeChecks } from "./include.ts";

/** With a sign a check is added or taken away. The first word may be without: it, and reading errors, are all then. */
export function changeIncludeCheck(current: IncludePolicy, line: KeywordLine, report: Report): IncludePolicy {
  if (line.args.length === 0) return new Set(includeChecks);
  const checks = new Set<IncludeCheck>(current);
  for (const [index, word] of line.args.entries()) {
    const sign = /^[+-]/.exec(word.text)?.[0];
    if (sign === undefined && index > 0) {
      invalidValue(word, line, report, `+${word.text}: only the first check can be without a sign`);
      continue;
    }
    if (sign === undefined) checks.clear();
    const name = sign === undefined ? word.text : word.text.slice(1);
    const check = includeChecks.find((known) => known === name);
    if (check === undefined) invalidValue(word, line, report, `${includeChecks.join(", ")}, with + or - before it`);
    else if (sign === "-") checks.delete(check);
    else checks.add(check);
    if (sign === undefined && check !== undefined) checks.add("read");
  }
  return checks;
}
