// The vrrp_track_processes that something tracks: the kernel tells of processes that come and go; where it does not tell
// us (a container), /proc is read every half second.
import type { AggregateState } from "@baton/contracts";
import { type CauseRef, type Instant, messageOf, trackerAggregate } from "@baton/domain";
import {
  matchesProcess,
  type ProcessTracker,
  type ProcessTrackerInput,
  startProcessTracker,
  stepProcess,
} from "@baton/health";
import type { Host } from "@baton/host";
import type { Config, TrackProcessConfig } from "@baton/keepalived-conf";
import {
  type Closable,
  listProcesses,
  openProcessMonitor,
  type ProcessEvent,
  type ProcessMonitorOptions,
  readProcess,
} from "@baton/linux";
import { trackedOf } from "./tracked.ts";
import { announceChange } from "./tracker-story.ts";
import { processState } from "./tracker-view.ts";

export interface ProcessTrackers {
  apply(config: Config): void;
  states(): AggregateState[];
  close(): void;
}

interface Member {
  config: TrackProcessConfig;
  state: ProcessTracker;
  /** Those that match now. */
  pids: Set<number>;
  countedAt: Instant;
  lastEvent: CauseRef | undefined;
  timer: NodeJS.Timeout | undefined;
}

const pollMillis = 500;
/** setTimeout counts in 31 bits; delays are at most an hour. */
const timeoutMillisMax = 3_600_000;

export interface ProcessTrackersOptions {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log">;
  /** Throws where the kernel does not tell us. Default: the process connector. */
  readonly openMonitor?: (options: ProcessMonitorOptions) => Closable;
}

export function createProcessTrackers({
  host,
  openMonitor = openProcessMonitor,
}: ProcessTrackersOptions): ProcessTrackers {
  const members = new Map<string, Member>();
  let source: Closable | undefined;

  function feed(member: Member, input: ProcessTrackerInput): void {
    const { state, event } = stepProcess(member.state, input, host.now());
    member.state = state;
    member.countedAt = host.now();
    if (event !== undefined) member.lastEvent = announceChange(host, "process", state.config.name, event);
    clearTimeout(member.timer);
    if (state.changesAt === undefined) return;
    const millis = Math.ceil((state.changesAt - host.now()) / 1_000);
    member.timer = setTimeout(
      () => feed(member, { type: "deadline-reached" }),
      Math.max(0, Math.min(millis, timeoutMillisMax)),
    );
  }

  const count = (member: Member, delayed: boolean): void =>
    feed(member, { type: "counted", running: member.pids.size, delayed });

  const needsCommandLine = (): boolean => [...members.values()].some(({ config }) => config.fullCommand);

  function countAll(delayed: boolean): void {
    const processes = listProcesses(needsCommandLine());
    for (const member of members.values()) {
      member.pids = new Set(processes.filter((each) => matchesProcess(member.config, each)).map(({ pid }) => pid));
      count(member, delayed);
    }
  }

  /** One process has another name or command line now. */
  function reconsider(pid: number): void {
    const facts = readProcess(pid, needsCommandLine());
    for (const member of members.values()) {
      const matches = facts !== undefined && matchesProcess(member.config, facts);
      if (matches === member.pids.has(pid)) continue;
      if (matches) member.pids.add(pid);
      else member.pids.delete(pid);
      count(member, false);
    }
  }

  function learn(event: ProcessEvent): void {
    switch (event.type) {
      case "forked":
        for (const member of members.values()) {
          if (!member.pids.has(event.parent) || member.pids.has(event.pid)) continue;
          member.pids.add(event.pid);
          count(member, true);
        }
        return;
      case "ended":
        for (const member of members.values()) if (member.pids.delete(event.pid)) count(member, true);
        return;
      case "executed":
      case "renamed":
        return reconsider(event.pid);
    }
  }

  function openSource(): Closable {
    try {
      return openMonitor({
        onEvents: (events) => {
          for (const event of events) learn(event);
        },
        onGap: () => countAll(true),
      });
    } catch (error) {
      const reason = messageOf(error);
      host.log.warn(`the kernel does not tell of processes; /proc is read every ${pollMillis} ms instead`, { reason });
      const timer = setInterval(() => countAll(true), pollMillis);
      return { close: () => clearInterval(timer) };
    }
  }

  return {
    apply: (config) => {
      const wanted = trackedOf(config.trackProcesses, config, "trackProcesses");
      for (const [name, member] of members) {
        if (wanted.has(name)) continue;
        clearTimeout(member.timer);
        members.delete(name);
      }
      for (const [name, process] of wanted) {
        const member = members.get(name);
        if (member === undefined) members.set(name, newMember(process, host.now()));
        else {
          member.config = process;
          feed(member, { type: "configure", config: process });
        }
      }
      if (members.size === 0) {
        source?.close();
        source = undefined;
        return;
      }
      // Told first, then counted: nothing falls between.
      source ??= openSource();
      countAll(false);
    },
    states: () =>
      [...members.values()].map(({ state, countedAt, lastEvent }) =>
        processState(state, countedAt, {
          version: host.events.version(trackerAggregate("process", state.config.name)),
          lastEvent,
        }),
      ),
    close: () => {
      for (const member of members.values()) clearTimeout(member.timer);
      members.clear();
      source?.close();
      source = undefined;
    },
  };
}

const newMember = (config: TrackProcessConfig, now: Instant): Member => ({
  config,
  state: startProcessTracker(config),
  pids: new Set(),
  countedAt: now,
  lastEvent: undefined,
  timer: undefined,
});
