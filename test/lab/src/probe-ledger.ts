// The arithmetic of probing: which probes were lost, in which outages, and who answered from when to when. Pure, with
// bounded memory: a probe is settled once and then only counted, so that a probe may run for days.
//
// A probe that could not be sent on time because this process was not scheduled was never sent: it is a pause of the
// prober's, never a loss of the network's.

/** CLOCK_BOOTTIME in microseconds, so that outages can be laid beside events. */
export type At = number;

export interface Outage {
  readonly lost: number;
  /** When the first and the last lost probe were sent. */
  readonly firstLostAt: At;
  readonly lastLostAt: At;
  /** Sending times of the answered probes around it; undefined at the ends of the record. */
  readonly lastAnsweredAt: At | undefined;
  readonly answeredAgainAt: At | undefined;
  readonly answeredBefore: string | undefined;
  readonly answeredAfter: string | undefined;
  /** How long nobody answered: from the last answered probe to the next one, in milliseconds. */
  readonly durationMs: number;
}

/** A stretch of answers from one router. */
export interface Reign {
  readonly by: string;
  readonly firstAt: At;
  readonly lastAt: At;
  readonly answers: number;
}

export interface Pause {
  readonly at: At;
  readonly ms: number;
  /** Probes that were not sent because of it. */
  readonly skipped: number;
}

export interface ProbeReport {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  readonly outages: readonly Outage[];
  readonly reigns: readonly Reign[];
  readonly pauses: readonly Pause[];
  /** Oldest of these lists that were dropped to keep them short. */
  readonly forgotten: number;
}

export const limits = {
  /** An answer later than this is worth nothing to a client: its probe counts as lost. */
  answerMicrosMax: 200_000,
  /** A probe without an answer is settled after this; longer than any pause in which an answer waits to be read. */
  settleMicros: 1_000_000,
  entriesMax: 10_000,
} as const;

interface Pending {
  readonly sentAt: At;
  answeredAt: At | undefined;
  by: string | undefined;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface ProbeLedger {
  sent(sequence: number, at: At): void;
  answered(sequence: number, at: At, by: string): void;
  /** This process was late: answers that came meanwhile are read late too. */
  paused(at: At, ms: number, skipped: number): void;
  /** Settles what is old enough; `finish` settles everything. */
  settle(now: At): void;
  finish(now: At): void;
  report(): ProbeReport;
}

export function createProbeLedger(): ProbeLedger {
  const pending = new Map<number, Pending>();
  const outages: Outage[] = [];
  const reigns: Writable<Reign>[] = [];
  const pauses: Pause[] = [];
  const count = { sent: 0, answered: 0, lost: 0, forgotten: 0 };
  const current: {
    losing: { lost: number; firstLostAt: At; lastLostAt: At } | undefined;
    lastAnsweredAt: At | undefined;
  } = { losing: undefined, lastAnsweredAt: undefined };

  const keep = <T>(list: T[], entry: T): void => {
    list.push(entry);
    if (list.length <= limits.entriesMax) return;
    list.shift();
    count.forgotten += 1;
  };

  const pausedBetween = (from: At, to: At): number =>
    pauses.reduce((sum, pause) => (pause.at >= from && pause.at <= to ? sum + pause.ms * 1000 : sum), 0);

  const isAnswer = ({ sentAt, answeredAt }: Pending): boolean => {
    if (answeredAt === undefined) return false;
    const latency = answeredAt - sentAt;
    return latency <= limits.answerMicrosMax || latency - pausedBetween(sentAt, answeredAt) <= limits.answerMicrosMax;
  };

  const endOutage = (again: { at: At; by: string | undefined } | undefined): void => {
    const { losing, lastAnsweredAt } = current;
    if (losing === undefined) return;
    current.losing = undefined;
    keep(outages, {
      ...losing,
      lastAnsweredAt,
      answeredAgainAt: again?.at,
      answeredBefore: reigns.at(-1)?.by,
      answeredAfter: again?.by,
      durationMs: ((again?.at ?? losing.lastLostAt) - (lastAnsweredAt ?? losing.firstLostAt)) / 1000,
    });
  };

  const countAnswer = (probe: Pending, by: string): void => {
    endOutage({ at: probe.sentAt, by });
    count.answered += 1;
    current.lastAnsweredAt = probe.sentAt;
    const reign = reigns.at(-1);
    if (reign?.by === by) {
      reign.lastAt = probe.sentAt;
      reign.answers += 1;
    } else {
      keep(reigns, { by, firstAt: probe.sentAt, lastAt: probe.sentAt, answers: 1 });
    }
  };

  const countLoss = (probe: Pending): void => {
    count.lost += 1;
    const { losing } = current;
    if (losing === undefined) current.losing = { lost: 1, firstLostAt: probe.sentAt, lastLostAt: probe.sentAt };
    else current.losing = { ...losing, lost: losing.lost + 1, lastLostAt: probe.sentAt };
  };

  // In order of sending: a Map hands out its entries in the order of insertion.
  const settleWhile = (ready: (probe: Pending) => boolean): void => {
    for (const [sequence, probe] of pending) {
      if (!ready(probe)) return;
      pending.delete(sequence);
      if (probe.by !== undefined && isAnswer(probe)) countAnswer(probe, probe.by);
      else countLoss(probe);
    }
  };

  return {
    sent(sequence, at) {
      count.sent += 1;
      pending.set(sequence, { sentAt: at, answeredAt: undefined, by: undefined });
    },
    answered(sequence, at, by) {
      const probe = pending.get(sequence);
      if (probe === undefined || probe.answeredAt !== undefined) return; // a duplicate, or settled long ago
      probe.answeredAt = at;
      probe.by = by;
    },
    paused: (at, ms, skipped) => keep(pauses, { at, ms, skipped }),
    settle: (now) => settleWhile((probe) => probe.answeredAt !== undefined || now - probe.sentAt > limits.settleMicros),
    finish(now) {
      // What was sent in the last moments may still be answered: it is no loss, and not counted at all.
      settleWhile((probe) => probe.answeredAt !== undefined || now - probe.sentAt > limits.answerMicrosMax);
      count.sent -= pending.size;
      pending.clear();
      endOutage(undefined);
    },
    report: () => ({
      ...count,
      outages: [...outages],
      reigns: reigns.map((reign) => ({ ...reign })),
      pauses: [...pauses],
    }),
  };
}
