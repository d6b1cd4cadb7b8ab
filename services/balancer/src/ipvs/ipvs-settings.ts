// What ip_vs has besides services: the daemons that share connections with another machine, and how long a connection is
// remembered. Compared and put right as services are; given back at the end.
import { secondsToMicros } from "@baton/domain";
import {
  type ConnectionTimeouts,
  type DaemonOperation,
  daemonOptions,
  type OwnDaemons,
  planDaemons,
  planTimeouts,
  type SyncDaemon,
} from "@baton/ipvs";
import type { LvsGlobals, SyncDaemonConfig } from "@baton/keepalived-conf";
import type { Answer, Ask } from "../keeper.ts";
import { type Story, tell, tellFailure } from "../story.ts";

/** What the next process of this kind has to know. */
export interface OwnSettings {
  /** Sync daemons run that we have started. */
  readonly daemons: OwnDaemons | undefined;
  /** What the timeouts were before we changed them; undefined: we did not. */
  readonly timeouts: ConnectionTimeouts | undefined;
}

export class IpvsSettings {
  #config: Pick<LvsGlobals, "syncDaemon" | "timeouts">;
  /** Undefined: nobody has said anything yet. */
  #isMaster: boolean | "as-it-runs" | undefined;
  #own: OwnSettings;
  #isEnding = false;
  #looks: { daemons: boolean; timeouts: boolean } = { daemons: false, timeouts: false };
  #pending: Ask | undefined;
  #story: Story | undefined;
  #settled: Story[] = [];
  readonly #errors = new Map<"daemons" | "timeouts", string>();

  constructor(config: Pick<LvsGlobals, "syncDaemon" | "timeouts">, own: OwnSettings) {
    this.#config = config;
    this.#own = own;
  }

  get own(): OwnSettings {
    return this.#own;
  }

  /** The instance whose state `lvs_sync_daemon` follows. */
  get followed(): string | undefined {
    return this.#config.syncDaemon?.instance;
  }

  get #wantsTimeouts(): boolean {
    return Object.values(this.#config.timeouts).some((each) => each !== undefined);
  }

  configure(config: Pick<LvsGlobals, "syncDaemon" | "timeouts">, story: Story): void {
    this.#config = config;
    this.look(story);
  }

  /** Undefined: not decided yet. It stays what it is then, or what an earlier process has left, or is backup, as keepalived's. */
  setMaster(isMaster: boolean | undefined, story: Story): void {
    const role = isMaster ?? this.#isMaster ?? "as-it-runs";
    if (this.#isMaster === role) return;
    this.#isMaster = role;
    this.look(story);
  }

  look(story: Story): void {
    const { syncDaemon } = this.#config;
    // Which role it is to have is not known before election has spoken.
    const isRoleKnown = syncDaemon?.instance === undefined || this.#isMaster !== undefined || this.#isEnding;
    this.#looks = {
      daemons: (syncDaemon !== undefined || this.#own.daemons !== undefined) && isRoleKnown,
      timeouts: this.#wantsTimeouts || this.#own.timeouts !== undefined,
    };
    for (const about of ["daemons", "timeouts"] as const) if (!this.#looks[about]) this.#errors.delete(about);
    if (this.#story !== undefined) this.#settled.push(this.#story);
    this.#story = story;
    this.#pending = undefined;
  }

  finish(story: Story): void {
    this.#isEnding = true;
    this.#config = { syncDaemon: undefined, timeouts: { tcp: undefined, tcpFin: undefined, udp: undefined } };
    this.look(story);
  }

  next(): Ask | undefined {
    if (this.#pending !== undefined) return this.#pending;
    if (this.#looks.daemons) return { kind: "list-daemons" };
    if (this.#looks.timeouts) return { kind: "read-timeouts" };
    if (this.#story !== undefined) this.#settled.push(this.#story);
    this.#story = undefined;
    return undefined;
  }

  take(ask: Ask, answer: Answer): void {
    const about = ask.kind === "list-daemons" || ask.kind === "change-daemons" ? "daemons" : "timeouts";
    this.#pending = undefined;
    if (answer.kind === "failed") {
      this.#looks[about] = false;
      this.#fail(about, about === "daemons" ? "the sync daemons" : "lvs_timeouts", answer.error);
    } else if (answer.kind === "daemons") this.#takeDaemons(answer.daemons);
    else if (answer.kind === "timeouts") this.#takeTimeouts(answer.timeouts);
    else if (answer.kind === "changed") this.#takeChanged(ask, answer.errors);
  }

  settled(): readonly Story[] {
    return this.#settled.splice(0);
  }

  errors(): readonly string[] {
    return [...this.#errors.values()];
  }

  #takeDaemons(running: readonly SyncDaemon[]): void {
    this.#looks.daemons = false;
    this.#errors.delete("daemons");
    const { syncDaemon } = this.#config;
    const before = this.#own.daemons;
    if (this.#isMaster === "as-it-runs") {
      this.#isMaster = before !== undefined && running.some(({ role }) => role === "master");
    }
    const operations = planDaemons(syncDaemon, this.#isMaster === true, running, before);
    if (operations.length === 0) this.#own = { ...this.#own, daemons: ownDaemons(syncDaemon) };
    // Ours before it runs; what is stopped, until a look has found it gone.
    else if (syncDaemon !== undefined) this.#own = { ...this.#own, daemons: before ?? { options: undefined } };
    if (operations.length > 0) this.#pending = { kind: "change-daemons", operations };
  }

  #takeTimeouts(current: ConnectionTimeouts): void {
    this.#looks.timeouts = false;
    this.#errors.delete("timeouts");
    const { timeouts } = this.#config;
    const before = this.#own.timeouts ?? current;
    const given = (seconds: number) => secondsToMicros(seconds);
    const wanted = {
      tcp: timeouts.tcp ?? given(before.tcp),
      tcpFin: timeouts.tcpFin ?? given(before.tcpFin),
      udp: timeouts.udp ?? given(before.udp),
    };
    const change = planTimeouts(wanted, current);
    // What is given back is not forgotten before a look has found it there.
    this.#own = { ...this.#own, timeouts: this.#wantsTimeouts || change !== undefined ? before : undefined };
    if (change !== undefined) this.#pending = { kind: "set-timeouts", timeouts: change };
  }

  #takeChanged(ask: Ask, errors: readonly (string | undefined)[]): void {
    if (ask.kind === "change-daemons") {
      ask.operations.forEach((operation, at) => {
        const error = errors[at];
        if (error === undefined) this.#tell(daemonText(operation));
        else this.#fail("daemons", daemonText(operation), error);
      });
      const { syncDaemon } = this.#config;
      const isDone = syncDaemon !== undefined && errors.every((error) => error === undefined);
      if (isDone) this.#own = { ...this.#own, daemons: ownDaemons(syncDaemon) };
    }
    if (ask.kind === "set-timeouts") {
      const [error] = errors;
      if (error === undefined) this.#tell(timeoutsText(ask.timeouts));
      else this.#fail("timeouts", timeoutsText(ask.timeouts), error);
    }
  }

  #tell(change: string): void {
    if (this.#story !== undefined) tell(this.#story, change);
  }

  #fail(about: "daemons" | "timeouts", change: string, error: string): void {
    this.#errors.set(about, `${change}: ${error}`);
    if (this.#story !== undefined) tellFailure(this.#story, change, error);
  }
}

const ownDaemons = (config: SyncDaemonConfig | undefined): OwnDaemons | undefined =>
  config && { options: daemonOptions(config) };

const daemonText = (operation: DaemonOperation): string =>
  operation.kind === "stop-daemon"
    ? `stop the sync daemon ${operation.role}`
    : `start the sync daemon ${operation.daemon.role} on ${operation.daemon.interface}, id ${operation.daemon.id}`;

const timeoutsText = (timeouts: ConnectionTimeouts): string =>
  `set timeouts ${Object.entries(timeouts)
    .filter(([, seconds]) => seconds > 0)
    .map(([name, seconds]) => `${name.toLowerCase()} ${seconds} s`)
    .join(", ")}`;
