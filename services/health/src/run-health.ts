// The health service: one runner per vrrp_script that an instance uses, the files and processes that are tracked, the real
// servers of virtual servers, all kept in step with the configuration by diff.
import type { AggregateState, Counter } from "@baton/contracts";
import { trackerAggregate } from "@baton/domain";
import type { ConfigSnapshot, GrpcService, Host } from "@baton/host";
import type { UserIds } from "@baton/linux";
import { type Environment, rememberUsers, type UserLookup } from "@baton/script";
import { metric } from "@baton/telemetry";
import { createBfdSessions } from "./bfd-sessions.ts";
import { programOf } from "./checking/check-program.ts";
import { createDrainService } from "./checking/drain-service.ts";
import { createIdleFollower } from "./checking/idle-follower.ts";
import type { KeptFile } from "./checking/kept-file.ts";
import type { KnownLog } from "./checking/known-log.ts";
import { createRealServers, type RealServers } from "./checking/real-servers.ts";
import { createFileTrackers } from "./file-trackers.ts";
import { createProcessTrackers } from "./process-trackers.ts";
import type { RunRecord, RunSlot } from "./run-record.ts";
import { createScriptRunner, type ScriptRunner } from "./script-runner.ts";
import { compareScripts, type TrackedScript, trackedScripts } from "./scripts.ts";
import { agesOf, scriptState, toCounters } from "./tracker-view.ts";

export interface HealthOptions {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log" | "config" | "env">;
  readonly record: RunRecord;
  /** What the scripts get, already cleaned. */
  readonly environment: Environment;
  readonly lookup: UserLookup;
  readonly own: UserIds;
  /** What real servers' checks and pools know, and what operators drain; for the process after this one. */
  readonly kept: { readonly known: KnownLog; readonly drained: KeptFile };
  /** Which start of the machine this is. */
  readonly boot: string;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

export interface Health {
  states(): AggregateState[];
  counters(): Counter[];
  /** How long ago a tracker was looked at decides whether its word still counts (SAFETY S15). */
  isDecidedByCounters(): boolean;
  readonly drainService: GrpcService;
  /** Ends every running script with its children. */
  stop(): Promise<void>;
}

interface Member {
  readonly runner: ScriptRunner;
  readonly slot: RunSlot;
}

/** A script stuck in the kernel cannot be ended by anybody; the node's stop does not wait for it. */
const stopMillisMax = 1_500;
const patience = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, stopMillisMax).unref();
  });

export async function runHealth(options: HealthOptions): Promise<Health> {
  const { host, record } = options;
  const members = new Map<string, Member>();
  const files = createFileTrackers(host, (...change) => servers.fileChanged(...change));
  const processes = createProcessTrackers({ host });
  const bfd = createBfdSessions(host, (...change) => servers.bfdChanged(...change));
  const servers: RealServers = createRealServers({
    host,
    ...options.kept,
    boot: options.boot,
    wall: options.wall,
    programOf: (checker, config) => programOf(checker, config, { ...options, lookup }),
    followed: { file: files.value, bfd: bfd.isUp },
  });
  const balancer = createIdleFollower(host, servers);
  const leaving = new Set<Promise<void>>();
  let stopped = false;
  let generation = 0;
  let lookup = rememberUsers(options.lookup);

  function start(tracked: TrackedScript, origin: "fresh" | "resumed"): void {
    const slot = record.slot();
    const runner = createScriptRunner({ host, tracked, environment: options.environment, origin, slot });
    members.set(tracked.script.name, { runner, slot });
    if (!tracked.identity.ok) {
      host.log.error(`script ${tracked.script.name} cannot run: ${tracked.identity.reason}`);
    }
  }

  function dismiss(name: string, member: Member): void {
    members.delete(name);
    const gone = member.runner.stop().then(() => {
      member.slot.release();
      leaving.delete(gone);
    });
    leaving.add(gone);
  }

  function apply(snapshot: ConfigSnapshot, origin: "fresh" | "resumed"): void {
    if (stopped) return;
    lookup = rememberUsers(options.lookup);
    files.apply(snapshot.config, origin);
    processes.apply(snapshot.config);
    bfd.apply(snapshot.config, origin);
    servers.apply(snapshot);
    balancer.apply(snapshot);
    const wanted = trackedScripts(snapshot.config, lookup, options.own);
    for (const [name, member] of [...members]) if (!wanted.has(name)) dismiss(name, member);
    for (const [name, tracked] of wanted) {
      const member = members.get(name);
      if (member === undefined) start(tracked, origin);
      else meet(name, member, tracked);
    }
    generation = snapshot.generation;
  }

  function meet(name: string, member: Member, tracked: TrackedScript): void {
    switch (compareScripts(member.runner.tracked, tracked)) {
      case "same":
        return;
      case "renumbered":
        return member.runner.configure(tracked);
      case "replaced":
        dismiss(name, member);
        return start(tracked, "resumed");
    }
  }

  // A health process that was restarted must not flap: nothing is down before it was found down (SAFETY S15).
  apply(await host.config.current(), host.env.restarts > 0 ? "resumed" : "fresh");
  host.config.onChange((snapshot) => apply(snapshot, "fresh"));

  const trackers = () => [...members.values()].map(({ runner }) => runner);
  const states = (): AggregateState[] => [
    ...trackers().map((runner) => {
      const state = runner.state();
      const version = host.events.version(trackerAggregate("script", state.config.name));
      return scriptState(state, { version, lastEvent: runner.lastEvent() });
    }),
    ...files.states(),
    ...processes.states(),
    ...bfd.states(),
  ];
  return {
    drainService: createDrainService(servers.drain),
    states: () => [...states(), ...servers.states()],
    isDecidedByCounters: () => members.size > 0 || [files, processes, bfd].some((kind) => kind.states().length > 0),
    counters: () => [
      ...trackers().flatMap((runner) => toCounters(runner.state())),
      ...bfd.counters(),
      ...agesOf(states(), host.now()),
      ...servers.counters(),
      { name: metric.checkGeneration.name, labels: {}, value: generation },
    ],
    async stop() {
      stopped = true;
      balancer.close();
      const letGo = servers.stop();
      files.close();
      processes.close();
      bfd.close();
      for (const [name, member] of [...members]) dismiss(name, member);
      await Promise.race([Promise.all([letGo, ...leaving]), patience()]);
    },
  };
}
