// `include_check [[+|-]CHECK …]` in global_defs: which problems of includes are errors, from here to the end of the file.
import { invalidValue } from "../keywords/arguments.ts";
import type { KeywordLine } from "../keywords/table.ts";
import type { Report } from "../report.ts";
import { type IncludeCheck, type IncludePolicy, includeChecks } from "./include.ts";

export function changeIncludeCheck(current: IncludePolicy, line: KeywordLine, report: Report): IncludePolicy {
  if (line.args.length === 0) return new Set(includeChecks);
  const relative = line.args.every((word) => /^[+-]/.test(word.text));
  // What is neither added nor removed replaces the whole; reading errors always count then.
  const checks = new Set<IncludeCheck>(relative ? current : []);
  for (const word of line.args) {
    const name = word.text.replace(/^[+-]/, "");
    const check = includeChecks.find((known) => known === name);
    if (check === undefined) invalidValue(word, line, report, `${includeChecks.join(", ")}, with + or - before it`);
    else if (word.text.startsWith("-")) checks.delete(check);
    else checks.add(check);
  }
  if (checks.size > 0) checks.add("read");
  return checks;
}
