// Lint: what keepalived accepts and its users regret. Pure: files come parsed, facts about the machine as functions.
import type { Diagnostic } from "../diagnostics.ts";
import type { ParseResult, Source } from "../parse-config.ts";
import { collectProblems, inFileOrder } from "../problem-list.ts";
import { pairInstances } from "./pairs.ts";
import { placesIn } from "./places.ts";
import { candidatesOf } from "./priorities.ts";
import { codeOf, type LintedFile, type LintMachine, type OwnRule } from "./rule.ts";
import { rules } from "./rules.ts";
import { silence } from "./silence.ts";

export interface LintInput {
  /** What is judged: one file, or a set whose routers share a network. Each is compared with all others. */
  readonly files: readonly ParseResult[];
  /** Compared with as well, but not judged themselves: other files, or the same one as other nodes read it. */
  readonly peers?: readonly ParseResult[] | undefined;
  /** The machine that is to use `files`. */
  readonly machine?: LintMachine | undefined;
}

/**
 * All that is to be told of `files`: what the parser said, and what the rules find, in the order of files and lines,
 * without what comments silence. The rules' own have errorClass `ok`: exitCodeOf() says what it says without them.
 */
export function lint({ files, peers = [], machine = {} }: LintInput): readonly Diagnostic[] {
  return files.flatMap((file) => {
    const others = [...files.filter((other) => other !== file), ...peers];
    const names = [...file.source.files.keys()];
    const found = [...file.diagnostics, ...judge(file, others, machine)];
    return inFileOrder(silence(found, file.source), names);
  });
}

function judge({ config, source }: ParseResult, others: readonly ParseResult[], machine: LintMachine): Diagnostic[] {
  if (config === undefined) return [];
  const nameOf = (other: Source): string =>
    other.file === source.file ? `${other.file} as node ${other.configId}` : other.file;
  const peers = others.flatMap((other) =>
    other.config === undefined ? [] : [{ name: nameOf(other.source), config: other.config }],
  );
  const unusablePeers = others.filter((other) => other.config === undefined).map((other) => nameOf(other.source));
  const candidates = candidatesOf(config);
  const pairs = pairInstances(candidates, peers);
  const places = placesIn(source);
  const file: LintedFile = { config, source, places, candidates, peers, unusablePeers, pairs, machine };
  const problems = collectProblems();
  for (const rule of rules.filter((candidate): candidate is OwnRule => candidate.by === "lint")) {
    for (const finding of rule.check(file)) {
      if (finding === undefined) continue;
      problems.report({ ...finding, severity: rule.severity, code: codeOf(rule), errorClass: "ok" });
    }
  }
  return problems.inOrder([...source.files.keys()], source.file);
}
