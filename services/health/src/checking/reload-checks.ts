// A reload of all checks: what goes on under its key, what goes on under another one (its times are others), what begins
// and what ends. What each server supposes of a check that has not run yet is its own affair (reloadChecks, by server).
import { type CheckMoment, isProbed, reloadChecks, type ServerCheck, type ServerCheckConfig } from "@baton/health";
import type { CheckMember } from "./check-board.ts";
import { withoutRun } from "./check-board.ts";
import type { CheckSpec, PoolSpec } from "./check-specs.ts";

export interface CheckPlan {
  readonly spec: CheckSpec;
  readonly state: ServerCheck;
  /** Who it was: with its own key, or the one whose place it takes; undefined: it begins. */
  readonly member: CheckMember | undefined;
}

export interface ReloadPlan {
  readonly checks: readonly CheckPlan[];
  /** Nobody wants them any more. */
  readonly ended: readonly CheckMember[];
  /** By `supposedOf`: whether a server takes a check for good that has not run. */
  readonly supposed: ReadonlyMap<string, boolean>;
}

export interface ReloadQuestion {
  readonly specs: readonly PoolSpec[];
  /** Of these nothing is another, and all checks have run: they go on as they are. */
  readonly settled: ReadonlySet<PoolSpec>;
  readonly members: ReadonlyMap<string, CheckMember>;
  /** Keys of the checks that a server has now; undefined: it is new. */
  readonly keysOf: (pool: string, server: string) => readonly string[] | undefined;
  readonly isAlive: (pool: string, server: string) => boolean;
  readonly configOf: (spec: CheckSpec) => ServerCheckConfig;
  readonly moment: CheckMoment;
}

interface Candidate {
  readonly spec: CheckSpec;
  readonly state: ServerCheck;
  readonly from: CheckMember | undefined;
}

export const supposedOf = (pool: string, server: string, key: string): string => `${pool}\n${server}\n${key}`;

export function planReload(question: ReloadQuestion): ReloadPlan {
  const candidates = new Map<string, Candidate>();
  const supposed = new Map<string, boolean>();
  for (const spec of question.specs) {
    const { name, servers } = spec;
    const isSettled = question.settled.has(spec);
    for (const { server, checks } of servers) {
      const own = isSettled ? asTheyAre(question, checks) : reloadServer(question, name, server, checks);
      for (const candidate of own) {
        const { key } = candidate.spec;
        if (!isSettled) supposed.set(supposedOf(name, server, key), candidate.state.up);
        const known = candidates.get(key);
        if (known === undefined || isBetter(candidate, known)) candidates.set(key, candidate);
      }
    }
  }
  const adopted = new Set<CheckMember>();
  const checks = [...candidates.values()].map((candidate) => settle(candidate, question, candidates, adopted));
  const ended = [...question.members.values()].filter((member) => !adopted.has(member));
  return { checks, ended, supposed };
}

const asTheyAre = ({ members }: ReloadQuestion, specs: readonly CheckSpec[]): Candidate[] =>
  specs.flatMap((spec) => {
    const from = members.get(spec.key);
    return from === undefined ? [] : [{ spec, state: from.state, from }];
  });

function reloadServer(
  { members, keysOf, isAlive, configOf, moment }: ReloadQuestion,
  pool: string,
  server: string,
  specs: readonly CheckSpec[],
): Candidate[] {
  const keys = keysOf(pool, server);
  const old = (keys ?? []).flatMap((key) => members.get(key) ?? []);
  const wanted = [...new Map(specs.map((spec) => [spec.key, spec])).values()];
  const standing = keys === undefined ? "added" : isAlive(pool, server) ? "alive" : "down";
  const before = old.map(({ state }) => state);
  const { checks } = reloadChecks(before, wanted.map(configOf), standing, moment);
  return wanted.flatMap((spec, index) => {
    const state = checks[index];
    if (state === undefined) return [];
    // reloadChecks hands equal checks on in their order, and so does this.
    const at = old.findIndex((each) => isSame(each.state.config, state.config));
    const [from] = at < 0 ? [] : old.splice(at, 1);
    return [{ spec, state, from }];
  });
}

const isSame = (a: ServerCheckConfig, b: ServerCheckConfig): boolean => a.type === b.type && a.identity === b.identity;

/** What has run knows more than what has not; of two that begin the one that takes nobody out. */
function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.state.hasRun !== b.state.hasRun) return a.state.hasRun;
  if ((a.from === undefined) !== (b.from === undefined)) return a.from !== undefined;
  if (a.state.up !== b.state.up) return a.state.up;
  return isProbed(a.state) && isProbed(b.state) && a.state.attempts < b.state.attempts;
}

function settle(
  { spec, state, from }: Candidate,
  { members, configOf }: ReloadQuestion,
  wanted: ReadonlyMap<string, Candidate>,
  adopted: Set<CheckMember>,
): CheckPlan {
  const own = members.get(spec.key);
  if (own !== undefined) {
    adopted.add(own);
    // It may have come from a server that is gone to one that is new: what is known stands.
    return { spec, state: from === own ? state : withConfig(learned(own.state, state), configOf(spec)), member: own };
  }
  if (from === undefined) return { spec, state, member: undefined };
  if (wanted.has(from.spec.key) || adopted.has(from)) return { spec, state: withoutRun(state), member: undefined };
  adopted.add(from);
  return { spec, state, member: from };
}

/** Its schedule and its run go on; what it has not found out itself is what another knows, or supposes in its favour. */
function learned(own: ServerCheck, other: ServerCheck): ServerCheck {
  if (own.hasRun || !isProbed(own) || !isProbed(other) || (!other.hasRun && own.up)) return own;
  const { up, hasRun, attempts, url, failedUrl, weight, failures } = other;
  return { ...own, up, hasRun, attempts, url, failedUrl, weight, failures };
}

function withConfig(state: ServerCheck, config: ServerCheckConfig): ServerCheck {
  if (!isProbed(state))
    return config.type === "FILE_CHECK" || config.type === "BFD_CHECK" ? { ...state, config } : state;
  return config.type === "FILE_CHECK" || config.type === "BFD_CHECK" ? state : { ...state, config };
}
