// As whom the program of a MISC_CHECK runs, and where its process group is written down while it does.
import type { Config } from "@baton/keepalived-conf";
import type { UserIds } from "@baton/linux";
import type { ProbedConfig, ProgramSurroundings } from "@baton/probes";
import { type Environment, identityOf, type UserLookup } from "@baton/script";
import type { RunRecord } from "../run-record.ts";

export interface ProgramOptions {
  readonly record: RunRecord;
  readonly environment: Environment;
  readonly lookup: UserLookup;
  readonly own: UserIds;
}

const nobody: ProgramSurroundings = { identity: { ok: false, reason: "not a program" }, environment: {} };
const nothing = { program: nobody, release: () => undefined } as const;

/** `release`: it has gone. */
export function programOf(
  checker: ProbedConfig,
  config: Config,
  { record, environment, lookup, own }: ProgramOptions,
): { readonly program: ProgramSurroundings; release(): void } {
  if (checker.type !== "MISC_CHECK") return nothing;
  const slot = record.slot();
  const identity = identityOf(checker.command, config.global.scriptUser, lookup, own);
  return { program: { identity, environment, onStarted: (pid) => slot.hold(pid) }, release: () => slot.release() };
}
