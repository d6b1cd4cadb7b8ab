// What lint says in tests: codes and lines of a file, with peers and facts about the machine if need be.
import { lint } from "../lint/lint.ts";
import type { LintMachine } from "../lint/rule.ts";
import { parse } from "./parse.ts";

/** Named `peer1.conf`, `peer2.conf`, … in messages. */
export function lintFindings(text: string, peers: readonly string[] = [], machine: LintMachine = {}) {
  const others = peers.map((peer, index) => parse({ [`peer${index + 1}.conf`]: peer }));
  return lint({ files: [parse(text)], peers: others, machine }).filter(({ code }) => code.startsWith("lint/"));
}

/** `rule line` of each. */
export const lintTold = (...of: Parameters<typeof lintFindings>): string[] =>
  lintFindings(...of).map(({ code, line }) => `${code.replace("lint/", "")} ${line}`);
