// Keeps the log of what is known in step with checks and pools: a line for what is another than the line before it said.
import type { Aggregate, Instant } from "@baton/domain";
import type { Host } from "@baton/host";
import type { CheckMember } from "./check-board.ts";
import { knownCheck, knownHeader, knownLine, knownPool, knownServers } from "./known.ts";
import type { KnownLog } from "./known-log.ts";
import type { PoolMember } from "./pool-board.ts";

export interface KnownNotes {
  /** Of one that has changed. */
  check(member: CheckMember): void;
  pool(member: PoolMember): void;
  /** Of all there are: what is not among them any more is known no longer. */
  all(checks: Iterable<CheckMember>, pools: Iterable<PoolMember>): void;
  close(): void;
}

export interface KnownNotesOptions {
  readonly host: Pick<Host, "now" | "events">;
  readonly log: KnownLog;
  readonly boot: string;
}

/**
 * The log is written anew some time after it has become long: a kill just after a change then finds the line of before, by
 * which the change is judged.
 */
const rewriteAfterMillis = 2_000;

export function createKnownNotes({ host, log, boot }: KnownNotesOptions): KnownNotes {
  /** The last line of each, by whom it is about. */
  const lines = new Map<string, { readonly text: string; readonly line: string }>();
  let timer: NodeJS.Timeout | undefined;
  let isBegun = false;

  /** undefined: nothing new. */
  function lineOf(key: string, what: object, aggregate: Aggregate, now: Instant): string | undefined {
    const text = JSON.stringify(what);
    if (lines.get(key)?.text === text) return undefined;
    const line = knownLine(text, { version: host.events.version(aggregate), at: now });
    lines.set(key, { text, line });
    return line;
  }

  function ofCheck({ name, spec, state }: CheckMember): [key: string, line: string | undefined][] {
    const key = `check ${spec.id}`;
    const check = knownCheck(spec.id, name, state);
    return [[key, lineOf(key, { check }, { kind: "checker", id: name }, host.now())]];
  }

  function ofPool({ name, state, quorumSince }: PoolMember): [key: string, line: string | undefined][] {
    const aggregate = { kind: "virtual-server", id: name } as const;
    const now = host.now();
    const key = `pool ${name}`;
    return [
      [key, lineOf(key, { pool: knownPool(state, quorumSince) }, aggregate, now)],
      ...knownServers(state).map((server): [string, string | undefined] => {
        const own = `server ${name} ${server.server}`;
        return [own, lineOf(own, { server }, aggregate, now)];
      }),
    ];
  }

  function rewrite(): void {
    clearTimeout(timer);
    timer = undefined;
    isBegun = true;
    log.replace([knownHeader(boot), ...[...lines.values()].map(({ line }) => line)]);
  }

  function append(noted: readonly (readonly [string, string | undefined])[]): void {
    if (!isBegun) return;
    log.append(noted.flatMap(([, line]) => line ?? []));
    if (log.isLong()) timer ??= setTimeout(rewrite, rewriteAfterMillis).unref();
  }

  return {
    check: (member) => append(ofCheck(member)),
    pool: (member) => append(ofPool(member)),
    all: (checks, pools) => {
      const noted = [...[...checks].flatMap(ofCheck), ...[...pools].flatMap(ofPool)];
      const before = lines.size;
      const there = new Set(noted.map(([key]) => key));
      for (const key of [...lines.keys()]) if (!there.has(key)) lines.delete(key);
      if (!isBegun) rewrite();
      else {
        append(noted);
        if (lines.size < before) timer ??= setTimeout(rewrite, rewriteAfterMillis).unref();
      }
    },
    close: () => {
      clearTimeout(timer);
      log.forget();
    },
  };
}
