// Keeps the log of what is known in step with checks and pools: a line for what is another than the line before it said.
import { type Aggregate, microsSince } from "@baton/domain";
import type { PoolServer } from "@baton/health";
import type { Host } from "@baton/host";
import type { CheckMember } from "./check-board.ts";
import {
  goneText,
  knownCheck,
  knownHeader,
  knownLine,
  knownPool,
  knownServer,
  type LineStamp,
  lastMoments,
} from "./known.ts";
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

/** The log is not written anew for each of many changes. */
const rewriteAfterMillis = 2_000;

/** What the log says of somebody. */
interface Note extends LineStamp {
  readonly text: string;
  readonly aggregate: Aggregate;
  /** The line before, while it matters: should the event of this one die with the process, that one counts. */
  readonly before: string | undefined;
  /** A reload has taken it away. */
  readonly isGone: boolean;
}

type Noted = readonly [key: string, line: string | undefined];

export function createKnownNotes({ host, log, boot }: KnownNotesOptions): KnownNotes {
  /** By whom they are about. */
  const notes = new Map<string, Note>();
  /** Servers as they were when they were noted: a pool of thousands changes one by one. */
  const noted = new Map<string, PoolServer>();
  let timer: NodeJS.Timeout | undefined;
  let isBegun = false;

  /** `line` undefined: nothing new. */
  function renew(key: string, what: object, aggregate: Aggregate): Noted {
    const text = JSON.stringify(what);
    return [key, notes.get(key)?.text === text ? undefined : write(key, text, aggregate)];
  }

  function write(key: string, text: string, aggregate: Aggregate, isGone = false): string {
    const earlier = notes.get(key);
    const stamp = { version: host.events.version(aggregate), at: host.now() };
    const before = earlier && knownLine(earlier.text, earlier);
    notes.set(key, { ...stamp, text, aggregate, before, isGone });
    return knownLine(text, stamp);
  }

  function ofCheck({ name, spec, state }: CheckMember): Noted {
    return renew(`check ${spec.id}`, { check: knownCheck(spec, name, state) }, { kind: "checker", id: name });
  }

  function ofPool({ name, state, quorumSince }: PoolMember): Noted[] {
    const aggregate = { kind: "virtual-server", id: name } as const;
    const servers = state.servers.map((server): Noted => {
      const key = `server ${name} ${server.config.server}`;
      if (noted.get(key) === server) return [key, undefined];
      noted.set(key, server);
      return renew(key, { server: knownServer(name, server) }, aggregate);
    });
    return [renew(`pool ${name}`, { pool: knownPool(state, quorumSince) }, aggregate), ...servers];
  }

  const isSettled = ({ at }: Note): boolean => microsSince(host.now(), at) > lastMoments;

  function linesOf(note: Note): string[] {
    const line = knownLine(note.text, note);
    return note.before === undefined || isSettled(note) ? [line] : [note.before, line];
  }

  function rewrite(): void {
    clearTimeout(timer);
    timer = undefined;
    isBegun = true;
    for (const [key, note] of notes) if (note.isGone && isSettled(note)) notes.delete(key);
    log.replace([knownHeader(boot), ...[...notes.values()].flatMap(linesOf)]);
    if (log.isWorn()) rewriteSoon();
  }

  function rewriteSoon(): void {
    timer ??= setTimeout(rewrite, rewriteAfterMillis).unref();
  }

  function append(news: readonly Noted[]): void {
    if (!isBegun) return;
    log.append(news.flatMap(([, line]) => line ?? []));
    if (log.isWorn()) rewriteSoon();
  }

  return {
    check: (member) => append([ofCheck(member)]),
    pool: (member) => append(ofPool(member)),
    all: (checks, pools) => {
      const news = [...[...checks].map(ofCheck), ...[...pools].flatMap(ofPool)];
      const there = new Set(news.map(([key]) => key));
      const gone = [...notes].filter(([key, { isGone }]) => !isGone && !there.has(key));
      const ends = gone.map(([key, { text, aggregate }]): Noted => {
        noted.delete(key);
        return [key, write(key, goneText(text), aggregate, true)];
      });
      if (!isBegun) return rewrite();
      append([...news, ...ends]);
    },
    close: () => {
      clearTimeout(timer);
      log.forget();
    },
  };
}
