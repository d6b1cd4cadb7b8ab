// The notifier: follows election's events, tells each change of state once and in order, by scripts at once and by mail
// in its own time; and health's, of virtual servers and their real servers (server-notes.ts). Follows by Watch as well as by NATS: scripts run while the bus is down.
import type { AggregateState } from "@baton/contracts";
import { type EventEnvelope, type Micros, secondsToMicros } from "@baton/domain";
import type { ConfigSnapshot, Host } from "@baton/host";
import type { Command, Config } from "@baton/keepalived-conf";
import type { UserIds } from "@baton/linux";
import { type Environment, identityOf, rememberUsers, type UserLookup } from "@baton/script";
import { fifoLine } from "./fifo-line.ts";
import type { Fifos } from "./fifos.ts";
import { judge, recordOf, type TellingRecord } from "./ledger.ts";
import { type Mail, mailOf, type Sender } from "./mail/message.ts";
import { serverMailOf } from "./mail/server-message.ts";
import type { NotificationCounters } from "./notification-counters.ts";
import { createRivalNotes } from "./rival-notes.ts";
import { createScriptDelivery, type ScriptDelivery } from "./script-delivery.ts";
import { type Occasion, type Subject, scriptJobs, subjectOfGroup, wordToTell } from "./script-jobs.ts";
import { createServerNotes, type ServerNotesOptions } from "./server-notes.ts";
import {
  changeOfEvent,
  changeOfGroupSnapshot,
  changeOfSnapshot,
  type StateChange,
  subjectKey,
} from "./state-change.ts";
import { openTellingBook } from "./telling-book.ts";
import type { ToldStore } from "./told-store.ts";

export interface NotifierOptions {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log" | "env">;
  readonly store: ToldStore;
  readonly counters: NotificationCounters;
  readonly environment: Environment;
  readonly lookup: UserLookup;
  readonly own: UserIds;
  readonly sender: Sender;
  /** Named pipes that get a line for each change. */
  readonly fifos: Fifos;
  /** Where the settings say nothing: how long a script may still run once a later state waits. */
  readonly defaultGrace: Micros;
  /** Resolves when the mail is safe. */
  post(mail: Mail): Promise<void>;
  /** Wall clock of a moment of CLOCK_BOOTTIME, RFC 3339. */
  timeOf(at: number): string;
}

export interface Notifier {
  configure(snapshot: ConfigSnapshot): void;
  states(): AggregateState[];
  /** Waits a moment for the instances' STOP, and about as long as keepalived does, a second, for its scripts. */
  leave(): Promise<void>;
  close(): void;
}

/** Election stops before us: what it said last is there, or it died and will not say it. */
const lastWordsMillis = 500;
const leaveMillis = 1_000;
/** Changes of an instance that no configuration knows yet: election may have read a new one before us. */
const homelessMax = 256;

export function runNotifier(options: NotifierOptions, first: ConfigSnapshot): Notifier {
  const { host, store, counters, fifos } = options;
  let config: Config = first.config;
  fifos.configure(config);
  let subjects = subjectsOf(config);
  /** What a reload took away, by `subjectKey`: their last change is still to be told. */
  const retired = new Map<string, Subject>();
  const homeless: StateChange[] = [];
  const deliveries = new Map<string, ScriptDelivery<StateChange>>();
  const priorities = new Map<string, number>();
  const book = openTellingBook({ store, log: host.log, isSuccessor: host.env.restarts > 0 });
  let grace = graceOf(first);
  const deliver = <What extends Occasion>(onStarted: (change: What) => void): ScriptDelivery<What> =>
    createScriptDelivery({
      host,
      grace: () => grace,
      environment: options.environment,
      identityOf: (command: Command) => identityOf(command, config.global.scriptUser, lookup, options.own),
      onStarted,
      onEnded: (outcome, sinceChange) => counters.ended("script", outcome, sinceChange),
    });
  const servers = createServerNotes(
    serverNotesOptions(options, { book, newDelivery: deliver, config: () => config, complain }),
    config,
  );
  const rivals = createRivalNotes({
    newDelivery: () => deliver(() => undefined),
    write: (line) => fifos.write(line, "vrrp"),
    instance: (name) => config.instances.find((each) => each.name === name),
    priority: (name) => priorities.get(name),
  });
  let snapshots = 0;

  let lookup = rememberUsers(options.lookup);

  function graceOf({ settings: { notify } }: ConfigSnapshot): Micros {
    return notify === undefined ? options.defaultGrace : secondsToMicros(notify.scriptGraceSeconds);
  }

  const subjectOf = (change: StateChange): Subject | undefined =>
    subjects.get(subjectKey(change)) ?? retired.get(subjectKey(change));

  function onEvent(envelope: EventEnvelope): void {
    const { event } = envelope;
    if (event.type === "priority-changed") {
      priorities.set(event.data.instance, event.data.to);
      tellPriority(event.data.instance, event.data.to);
    }
    if (event.type === "rival-heard") rivals.tell({ ...envelope, event });
    const change = changeOfEvent(envelope);
    if (change !== undefined) take(change);
  }

  function onSnapshot(states: readonly AggregateState[]): void {
    // The first snapshot of the node's first start is the beginning of the story, not a repetition of it.
    const replayed = host.env.restarts > 0 || snapshots > 0;
    snapshots += 1;
    for (const { state } of states) {
      const change = changeOf(state, replayed);
      if (change !== undefined) take(change);
    }
  }

  function changeOf(state: AggregateState["state"], replayed: boolean): StateChange | undefined {
    if (state?.$case === "group") {
      return changeOfGroupSnapshot(state.value, options.timeOf(state.value.since), replayed);
    }
    if (state?.$case !== "instance") return undefined;
    priorities.set(state.value.name, state.value.effectivePriority);
    return changeOfSnapshot(state.value, options.timeOf(state.value.since), replayed);
  }

  function take(change: StateChange): void {
    const instance = subjectOf(change);
    if (instance === undefined) return keepForLater(change);
    const key = subjectKey(change);
    const before = book.accepted(key) ?? (isResumed(change) ? book.earlier(key) : undefined);
    const verdict = judge(before, { ...change, state: wordToTell(change.state, instance.notify) });
    counters.judged(verdict);
    if (verdict === "old") return;
    if (change.priority !== undefined) priorities.set(change.instance, change.priority);
    if (verdict === "tell") tell(change, instance, before);
    else book.accept(key, recordOf(before, change, false));
    if (change.state === "DELETED" || change.state === "STOP") retired.delete(key);
  }

  function keepForLater(change: StateChange): void {
    homeless.push(change);
    if (homeless.length > homelessMax) homeless.shift();
  }

  function tell(change: StateChange, instance: Subject, before: TellingRecord | undefined): void {
    const mail = mailOf(change, instance, config.global, options.sender);
    const isMailed = mail !== undefined && before?.mailed !== change.state;
    book.accept(subjectKey(change), recordOf(before, change, isMailed));
    const known = change.subject === "instance" ? priorities.get(change.instance) : undefined;
    const priority = known ?? instance.priority;
    const jobs = scriptJobs(change, instance, priority);
    // Scripts first: they are what moves services along with the address.
    if (jobs.length > 0) deliveryOf(subjectKey(change)).offer(jobs);
    else begun(change);
    fifos.write(fifoLine(change.subject, change.instance, wordToTell(change.state, instance.notify), priority), "vrrp");
    if (isMailed) void options.post(mail).then(() => book.mailed(subjectKey(change), change), complain);
  }

  /** `notify_priority_changes`: to the FIFOs alone. */
  function tellPriority(name: string, priority: number): void {
    if (config.instances.find((instance) => instance.name === name)?.notifyPriorityChanges !== true) return;
    const state = book.accepted(subjectKey({ subject: "instance", instance: name }))?.state;
    fifos.write(
      fifoLine("instance", name, state === "MASTER" ? "MASTER_PRIORITY" : "BACKUP_PRIORITY", priority),
      "vrrp",
    );
  }

  /** `fifo_write_vrrp_states_on_reload`: instances first, as at every change. */
  function tellAllToFifos(): void {
    const tellOne = (subject: "instance" | "group", name: string, priority: number): void => {
      const state = book.accepted(subjectKey({ subject, instance: name }))?.state;
      // One that has ended is in no state; its successor of the same name will be.
      if (state === undefined || state === "STOP" || state === "DELETED") return;
      fifos.write(fifoLine(subject, name, state, priority), "vrrp");
    };
    for (const { name, priority } of config.instances) tellOne("instance", name, priorities.get(name) ?? priority);
    for (const { name } of config.syncGroups) tellOne("group", name, 0);
  }

  function complain(error: unknown): void {
    host.log.error("a mail cannot be kept", { cause: error });
  }

  const begun = (change: StateChange): void => book.begun(subjectKey(change), change);

  function deliveryOf(key: string): ScriptDelivery<StateChange> {
    const delivery = deliveries.get(key) ?? deliver(begun);
    deliveries.set(key, delivery);
    return delivery;
  }

  const following = [
    host.events.follow("election", ["vrrp", "group"], { snapshot: onSnapshot, event: onEvent }),
    host.events.follow("health", ["virtual-server"], servers),
  ];

  return {
    configure(snapshot) {
      for (const [key, subject] of subjects) retired.set(key, subject);
      config = snapshot.config;
      subjects = subjectsOf(config);
      grace = graceOf(snapshot);
      lookup = rememberUsers(options.lookup);
      for (const key of subjects.keys()) retired.delete(key);
      fifos.configure(config);
      if (config.global.fifos.statesOnReload) tellAllToFifos();
      servers.configure(config);
      for (const change of homeless.splice(0)) take(change);
    },
    states: () =>
      book.keys().map((id) => {
        const version = host.events.version({ kind: "notification", id });
        return { kind: "notification", id, version, state: undefined };
      }),
    async leave() {
      // Of an instance that was never heard of there is nothing to wait for.
      const isStopped = (key: string): boolean => (book.accepted(key)?.state ?? "STOP") === "STOP";
      await until(lastWordsMillis, () => [...subjects.keys()].every(isStopped) && servers.hasEnded);
      const all = [...deliveries.values(), ...rivals.deliveries(), ...servers.deliveries()];
      for (const delivery of all) delivery.leave();
      await until(leaveMillis, () => all.every((delivery) => delivery.idle));
    },
    close() {
      for (const each of following) each.close();
      fifos.close();
    },
  };
}

function serverNotesOptions(
  { host, fifos, counters, sender, post, timeOf }: NotifierOptions,
  own: Pick<ServerNotesOptions, "book" | "newDelivery"> & { config(): Config; complain(error: unknown): void },
): ServerNotesOptions {
  return {
    book: own.book,
    newDelivery: own.newDelivery,
    write: (line) => fifos.write(line, "lvs"),
    mailOf: (change, subject) => serverMailOf(change, subject, own.config().global, sender),
    post: (mail, onPosted) => void post(mail).then(onPosted, own.complain),
    onJudged: counters.judged,
    time: () => timeOf(host.now()),
    now: () => host.now(),
    isSuccessor: host.env.restarts > 0,
  };
}

/** Who has scripts and mails, by `subjectKey`. */
function subjectsOf({ instances, syncGroups }: Config): ReadonlyMap<string, Subject> {
  const known = new Map<string, Subject>();
  for (const instance of instances) known.set(subjectKey({ subject: "instance", instance: instance.name }), instance);
  for (const group of syncGroups) {
    known.set(subjectKey({ subject: "group", instance: group.name }), subjectOfGroup(group));
  }
  return known;
}

/** libs/vrrp: a crashed election that found its lease alive. The address never moved. */
const isResumed = (change: StateChange): boolean => change.state === "MASTER" && change.reason === "resumed";

async function until(millis: number, isDone: () => boolean): Promise<void> {
  const end = performance.now() + millis;
  while (!isDone() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
}
