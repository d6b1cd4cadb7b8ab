// Real servers: the configuration's checks and pools, kept in step with it by diff; what an operator drains; and what the
// next process has to know should this one be killed.
import type { SecureContext } from "node:tls";
import type { AggregateState, Counter } from "@baton/contracts";
import { type CauseRef, messageOf } from "@baton/domain";
import type { ConfigSnapshot, Host } from "@baton/host";
import type { Config } from "@baton/keepalived-conf";
import { openDeadlineTimer } from "@baton/linux";
import { loadTls, type ProbedConfig } from "@baton/probes";
import { createAgenda } from "./agenda.ts";
import { type CheckBoardOptions, createCheckBoard } from "./check-board.ts";
import { rememberPoolSpecs } from "./check-specs.ts";
import { checkingSettings } from "./checking-settings.ts";
import { checkCounters, checkerState, virtualServerState } from "./checking-view.ts";
import { createConfiguredServers } from "./configured-servers.ts";
import { createDrains, type DrainedServer, type DrainOrder } from "./drains.ts";
import { drainsText, parseDrains } from "./kept-drains.ts";
import type { KeptFile } from "./kept-file.ts";
import { parseKnown } from "./known.ts";
import type { KnownLog } from "./known-log.ts";
import { createKnownNotes } from "./known-notes.ts";
import { type LocalAddresses, watchLocalAddresses } from "./local-addresses.ts";
import { createPoolBoard } from "./pool-board.ts";
import { createProbeQueue } from "./probe-queue.ts";

export interface RealServersOptions {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log">;
  /** Checks and pools, for a process after one that was killed; of one start of the machine. */
  readonly known: KnownLog;
  /** What operators have ordered. */
  readonly drained: KeptFile;
  /** Which start of the machine this is. */
  readonly boot: string;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly programOf: (checker: ProbedConfig, config: Config) => ReturnType<CheckBoardOptions["program"]>;
  /** What tracked files and BFD sessions say now; undefined: nobody knows. */
  readonly followed: Followed;
  /** In place of real attempts. */
  readonly attempt?: CheckBoardOptions["attempt"];
}

export interface Followed {
  file(name: string): number | undefined;
  bfd(session: string): boolean | undefined;
}

export interface RealServers {
  apply(snapshot: ConfigSnapshot): void;
  fileChanged(file: string, value: number, cause: CauseRef | undefined): void;
  bfdChanged(session: string, up: boolean, cause: CauseRef | undefined): void;
  /** Resolves when it is kept. */
  drain(order: DrainOrder): Promise<DrainedServer[]>;
  idle(virtualServer: string, server: string, cause: CauseRef | undefined): void;
  states(): AggregateState[];
  counters(): Counter[];
  stop(): Promise<void>;
}

export function createRealServers(options: RealServersOptions): RealServers {
  const { host, known, drained, followed } = options;
  let current: { readonly config: Config; readonly tls: SecureContext; readonly flush: boolean } | undefined;
  let addresses: LocalAddresses | undefined;

  const notes = createKnownNotes({ host, log: known, boot: options.boot });
  const specsOf = rememberPoolSpecs();
  const agenda = createAgenda({ now: host.now, openTimer: openDeadlineTimer });
  const pools = createPoolBoard({
    host,
    agenda,
    onChange: (member) => {
      notes.pool(member);
      drains.meet(member);
    },
  });
  const drains = createDrains({
    host,
    wall: options.wall,
    agenda,
    pools,
    kept: parseDrains(drained.found),
    onChange: () => drained.changed(textOfDrains),
  });
  const queue = createProbeQueue(checkingSettings({}).concurrent);
  const checks = createCheckBoard({
    host,
    agenda,
    queue,
    tls: () => current?.tls ?? contextOf(undefined),
    program: (checker) => options.programOf(checker, configNow()),
    onReport: ({ user, report, news, cause }) =>
      pools.feed(user.pool, { type: "check-reported", server: user.server, report, news }, cause),
    onKnown: notes.check,
    ...(options.attempt === undefined ? {} : { attempt: options.attempt }),
  });

  const configured = createConfiguredServers({
    checks,
    pools,
    drains,
    known: parseKnown(known.found, options.boot, host.events.version),
    moment: () => ({ now: host.now(), random: Math.random() }),
    fileValue: followed.file,
  });

  function configNow(): Config {
    if (current === undefined) throw new Error("nothing is checked before there is a configuration");
    return current.config;
  }
  const textOfDrains = (): string => drainsText(drains.kept());
  function contextOf(config: Config["tls"]): SecureContext {
    const material = loadTls(config);
    if (material.ok) return material.context;
    if (config === undefined) throw new Error(`TLS cannot be used: ${material.reason}`);
    host.log.error(`the key material of SSL_GET cannot be used: ${material.reason}`);
    return contextOf(undefined);
  }

  function tellFollowed(): void {
    const checkers = [...checks.members.values()].map(({ spec }) => spec.checker);
    for (const file of new Set(checkers.flatMap((each) => (each.type === "FILE_CHECK" ? [each.trackFile] : [])))) {
      const value = followed.file(file);
      if (value !== undefined) checks.followFile(file, value, undefined);
    }
    for (const session of new Set(checkers.flatMap((each) => (each.type === "BFD_CHECK" ? [each.session] : [])))) {
      const up = followed.bfd(session);
      if (up !== undefined) checks.followBfd(session, up, undefined);
    }
  }

  function watchAddresses(): void {
    const isAsked = [...checks.members.values()].some(({ spec }) => spec.whileLocal !== undefined);
    if (isAsked) addresses ??= openAddresses();
    else {
      addresses?.close();
      addresses = undefined;
    }
    suspendAbsent();
  }

  /** Where the kernel does not tell of addresses, checks rather run than not. */
  function openAddresses(): LocalAddresses | undefined {
    try {
      return watchLocalAddresses(suspendAbsent, (reason) => host.log.error(`addresses cannot be read: ${reason}`));
    } catch (error) {
      host.log.error(`ha_suspend has no effect: ${messageOf(error)}`);
      return undefined;
    }
  }

  function suspendAbsent(): void {
    for (const member of checks.members.values()) {
      const { whileLocal } = member.spec;
      const isHere = whileLocal === undefined || whileLocal.some((range) => addresses?.has(range) ?? true);
      checks.suspend(member, !isHere);
    }
  }

  return {
    apply: ({ config, settings }) => {
      const checking = checkingSettings(settings);
      const specs = specsOf(config, checking);
      if (current === undefined && specs.length === 0) return drains.keepOnly(new Set());
      const flush = config.global.lvs.flushOnStop !== "no";
      current = { config, tls: contextOf(config.tls), flush };
      queue.configure(checking.concurrent);
      configured.apply(specs, { jitter: checking.jitter, flush });
      watchAddresses();
      tellFollowed();
      notes.all(checks.members.values(), pools.members.values());
    },
    fileChanged: (file, value, cause) => checks.followFile(file, value, cause),
    bfdChanged: (session, up, cause) => checks.followBfd(session, up, cause),
    drain: async (order) => {
      const result = drains.order(order);
      if (await drained.save(textOfDrains)) return result;
      throw new Error("it is done, but cannot be written down yet: a restart would undo it (health's log says why)");
    },
    idle: (virtualServer, server, cause) => drains.idle(virtualServer, server, cause),
    states: () => [
      ...[...checks.members.values()].map((member) => checkerState(member, host.events)),
      ...[...pools.members.values()].map((member) => virtualServerState(member, drains, host.events)),
    ],
    counters: () => checkCounters(checks, host.now()),
    stop: async () => {
      agenda.close();
      addresses?.close();
      const gone = checks.stop();
      pools.stop(current?.flush ?? false);
      notes.close();
      await gone;
    },
  };
}
