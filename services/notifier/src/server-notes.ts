// What becomes of virtual servers and their real servers is told here: scripts, FIFO lines and mails, through the same
// ledger, lines and outbox as the states of instances. Whom an event is for (omega, rs_init_notifies, lvs_flush_on_stop)
// health has decided; what only SNMP or nobody is told of is written down, so that what comes after it is seen as a change.
//
// Each real server of a virtual server, and each virtual server itself, has a line of scripts of its own: they begin in the
// order of the events, as keepalived's do, and one that hangs holds up nobody else's.
import type { AggregateState } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import type { Config } from "@baton/keepalived-conf";
import { serverFifoLine } from "./fifo-line.ts";
import { judgeServer, recordOf, type Telling, type Verdict } from "./ledger.ts";
import type { Mail } from "./mail/message.ts";
import type { ScriptDelivery } from "./script-delivery.ts";
import type { Occasion } from "./script-jobs.ts";
import {
  isServerKey,
  type ServerChange,
  serverChangeOfEvent,
  serverChangesOfSnapshot,
  serverKey,
  subjectName,
} from "./server-change.ts";
import { type ServerSubject, serverSubjects } from "./server-subjects.ts";
import type { TellingBook } from "./telling-book.ts";

export interface ServerNotesOptions {
  readonly book: TellingBook;
  newDelivery(onStarted: (change: ServerOccasion) => void): ScriptDelivery<ServerOccasion>;
  /** To the FIFOs. */
  write(line: string): void;
  /** Undefined where the configuration asks for no mail. */
  mailOf(change: ServerChange, subject: ServerSubject): Mail | undefined;
  post(mail: Mail, onPosted: () => void): void;
  onJudged(verdict: Verdict): void;
  /** Now, RFC 3339. */
  time(): string;
  now(): number;
  /** This notifier follows one that died. */
  readonly isSuccessor: boolean;
}

/** A change on its way to a script. */
export interface ServerOccasion extends Occasion {
  readonly key: string;
  readonly telling: Telling;
}

export interface ServerNotes {
  configure(config: Config): void;
  event(envelope: EventEnvelope): void;
  snapshot(states: readonly AggregateState[]): void;
  /** Nobody waits for a last word: those with `omega` have said it, or were never heard of. */
  readonly hasEnded: boolean;
  deliveries(): Iterable<ScriptDelivery<ServerOccasion>>;
}

/** Changes of servers that no configuration knows yet: health may have read a new one before us. */
const homelessMax = 10_000;
/** Reloads that we may have read before health has told what the first of them took away. */
const retiredMax = 8;

export function createServerNotes(options: ServerNotesOptions, first: Config): ServerNotes {
  const { book } = options;
  let config = first;
  let subjects = serverSubjects(first);
  /** What each of the last reloads took away, newest first: its end is still to be told, when health has come as far. */
  let retired: readonly ReadonlyMap<string, ServerSubject>[] = [];
  const homeless: ServerChange[] = [];
  const deliveries = new Map<string, ScriptDelivery<ServerOccasion>>();
  /** Virtual servers of which health has said the last word. */
  const ended = new Set<string>();
  let snapshots = 0;

  function take(change: ServerChange): void {
    const key = serverKey(change);
    if (change.server === undefined) noteEnd(change, key);
    const subject = subjectOf(key);
    if (subject === undefined) return keepForLater(change);
    const before = book.accepted(key);
    const verdict = judgeServer(before, change);
    options.onJudged(verdict);
    // A snapshot of what is known says less than the event that it is known by.
    if (verdict === "old" || (verdict === "unchanged" && change.order === undefined)) return;
    book.accept(key, recordOf(before, change, false));
    // A killed notifier may have mailed what it has not told a script yet.
    const isMailed = change.order === undefined && before?.mailed === change.state;
    if (verdict === "tell" && change.isTold) tell(change, key, subject, isMailed);
    else book.begun(key, change);
  }

  const subjectOf = (key: string): ServerSubject | undefined =>
    subjects.get(key) ?? retired.find((each) => each.has(key))?.get(key);

  function noteEnd({ reason }: ServerChange, key: string): void {
    if (reason === "stop" || reason === "removed") ended.add(key);
    else ended.delete(key);
  }

  function keepForLater(change: ServerChange): void {
    homeless.push(change);
    if (homeless.length > homelessMax) homeless.splice(0, homelessMax / 2);
  }

  function tell(change: ServerChange, key: string, subject: ServerSubject, isMailed: boolean): void {
    const command = change.state === "UP" ? subject.up : subject.down;
    if (command === undefined) book.begun(key, change);
    else deliveryOf(key).offer([{ command, appended: [], change: occasionOf(change, key) }]);
    options.write(serverFifoLine(subject, change.state));
    const mail = isMailed ? undefined : options.mailOf(change, subject);
    if (mail !== undefined) options.post(mail, () => book.mailed(key, change));
  }

  function occasionOf(change: ServerChange, key: string): ServerOccasion {
    const { virtualServer: story, state, cause, replayed } = change;
    // A snapshot does not know when: as long ago as we know of it.
    const at = change.order === undefined ? options.now() : change.at;
    return { instance: subjectName(change), story, state, at, cause, replayed, key, telling: change };
  }

  function deliveryOf(key: string): ScriptDelivery<ServerOccasion> {
    const delivery = deliveries.get(key) ?? options.newDelivery((begun) => book.begun(begun.key, begun.telling));
    deliveries.set(key, delivery);
    return delivery;
  }

  /** Who is in none of the last configurations will not be heard of again. */
  function forgetOthers(): void {
    const isGone = (key: string): boolean => subjectOf(key) === undefined;
    book.forget((key) => isServerKey(key) && isGone(key));
    for (const [key, delivery] of deliveries) if (delivery.idle && isGone(key)) deliveries.delete(key);
    for (const key of ended) if (isGone(key)) ended.delete(key);
  }

  forgetOthers();
  return {
    configure(next) {
      const before = subjects;
      config = next;
      subjects = serverSubjects(next);
      const gone = new Map([...before].filter(([key]) => !subjects.has(key)));
      retired = [gone, ...retired].slice(0, retiredMax);
      forgetOthers();
      for (const change of homeless.splice(0)) {
        const key = serverKey(change);
        // Who is not in this one either has gone with an earlier one: told later it would be of another life.
        if (subjectOf(key) !== undefined) take(change);
      }
    },
    event(envelope) {
      const change = serverChangeOfEvent(envelope);
      if (change !== undefined) take(change);
    },
    snapshot(states) {
      const view = {
        isKnown: (key: string) => book.accepted(key) !== undefined,
        begins: {
          tellsServersUp: config.global.lvs.initNotifies,
          isAlpha: (virtualServer: string, server: string) =>
            subjects.get(serverKey({ virtualServer, server }))?.isAlpha === true,
        },
        time: options.time(),
        // The first snapshot of the node's first start is the beginning of the story, not a repetition of it.
        replayed: options.isSuccessor || snapshots > 0,
      };
      snapshots += 1;
      for (const state of states) for (const change of serverChangesOfSnapshot(state, view)) take(change);
    },
    get hasEnded() {
      return [...subjects].every(
        ([key, { server, omega }]) =>
          server !== undefined || !omega || book.accepted(key) === undefined || ended.has(key),
      );
    },
    deliveries: () => deliveries.values(),
  };
}
