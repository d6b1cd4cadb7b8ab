// The event catalogue. Each payload has a message of the same shape in proto/baton/v1/events.proto;
// libs/contracts fails to compile when the two drift apart. Events are past-tense facts: per-second chatter
// (adverts, probes, heartbeats) is counted, never published.

export type ServiceName =
  | "election"
  | "health"
  | "dataplane"
  | "balancer"
  | "notifier"
  | "control"
  | "uplink"
  | "supervisor";

/** What an event is about. One service owns each aggregate and is its only writer (DESIGN rule 4). */
export type AggregateKind =
  | "vrrp" // one vrrp_instance; election
  | "group" // one vrrp_sync_group; election
  | "tracker" // one vrrp_script, tracked interface, …; health
  | "checker" // one checker of real servers; health
  | "virtual-server" // one virtual server with its real servers; health
  | "balancer" // the kernel's table of virtual services, by engine; balancer
  | "address" // the virtual addresses of one instance; dataplane
  | "notification" // the notifications of one instance; notifier
  | "config" // the node's configuration; control
  | "service"; // one Baton process; itself

export interface Aggregate {
  readonly kind: AggregateKind;
  /** Instance, script or service name: any text; escaped where it becomes part of a NATS subject. */
  readonly id: string;
}

type Event<Type extends string, Data> = { readonly type: Type; readonly data: Readonly<Data> };

interface CheckFailure {
  /** Type and what it tries. */
  check: string;
  reason: string;
  /** Its name, or "". */
  errno: string;
  /** Of HTTP, SMTP, DNS or a program; 0: none. */
  status: number;
  /** What the server sent, or the program printed. */
  excerpt: string;
  detail: string;
  durationMs: number;
  /** Which failed one in a row, from 1. */
  attempt: number;
  /** Which of several, from 0. */
  url: number;
}

interface RealServerChange {
  virtualServer: string;
  server: string;
  /** `check`, which `check` names, or what was done: `start`, `reload`, `removed`, `stop`. */
  reason: string;
  check: string;
  /** false: it was so before, and a first result has confirmed it. */
  changed: boolean;
  /** Whom it is for besides the log: `everyone`, `traps` (SNMP alone), `nobody`. */
  told: string;
}

interface QuorumChange {
  virtualServer: string;
  quorum: number;
  hysteresis: number;
  /** What the weight was held against. */
  threshold: number;
  /** Of the live servers together. */
  weight: number;
  /** `servers`, or what was done: `start`, `removed`, `stop`. */
  reason: string;
  told: string;
}

/** `role`: `real`, or `sorry` for one that is there as the sorry server alone. */
interface DestinationWeight {
  server: string;
  role: string;
  weight: number;
}

export type BatonEvent =
  // vrrp: election
  | Event<
      "became-master",
      {
        instance: string;
        vrid: number;
        interface: string;
        term: number;
        priority: number;
        reason: string;
        addresses: string[];
      }
    >
  | Event<
      "became-backup",
      {
        instance: string;
        vrid: number;
        interface: string;
        term: number;
        priority: number;
        reason: string;
        master: string;
        masterPriority: number;
      }
    >
  | Event<
      "entered-fault",
      { instance: string; vrid: number; interface: string; term: number; priority: number; causes: string[] }
    >
  | Event<
      "instance-stopped",
      { instance: string; vrid: number; interface: string; term: number; wasMaster: boolean; reason: string }
    >
  | Event<
      "priority-changed",
      { instance: string; vrid: number; from: number; to: number; base: number; tracker: string; reason: string }
    >
  // Master, but not of every address (SAFETY S9); `priority`: what its adverts say.
  | Event<
      "mastership-degraded",
      { instance: string; vrid: number; interface: string; term: number; priority: number; detail: string }
    >
  | Event<"mastership-restored", { instance: string; vrid: number; interface: string; term: number; priority: number }>
  // Too many moves: lower masters stay in office for `holdMs` from now (SAFETY S12).
  | Event<
      "preemption-held",
      { instance: string; vrid: number; interface: string; term: number; moves: number; holdMs: number }
    >
  // As master it hears another one of lower priority, at most once in five seconds; `priority`: its own.
  | Event<
      "rival-heard",
      {
        instance: string;
        vrid: number;
        interface: string;
        term: number;
        priority: number;
        rival: string;
        rivalPriority: number;
      }
    >
  // Nobody has confirmed it for too long: its last value stands (SAFETY S15).
  | Event<"tracker-stale", { instance: string; vrid: number; kind: string; tracker: string }>
  | Event<"tracker-fresh", { instance: string; vrid: number; kind: string; tracker: string }>
  // group: election
  | Event<
      "sync-group-changed",
      { group: string; state: string; term: number; members: string[]; member: string; reason: string }
    >
  // tracker: health
  | Event<"script-failed", { script: string; exit: string; durationMs: number; output: string; failures: number }>
  | Event<"script-succeeded", { script: string; durationMs: number; successes: number }>
  // A track_file says another number; the first reading says so, too.
  | Event<"file-changed", { file: string; path: string; value: number }>
  // `wanted` in words: "at least 1", "2 to 3", "none".
  | Event<"process-quorum-lost", { process: string; running: number; wanted: string }>
  | Event<"process-quorum-gained", { process: string; running: number; wanted: string }>
  // `diagnostic`: RFC 5880 section 4.1 in words, such as "detection-time-expired".
  | Event<"bfd-session-up", { session: string; neighbor: string; diagnostic: string }>
  | Event<"bfd-session-down", { session: string; neighbor: string; diagnostic: string }>
  // checker: health
  | Event<"check-failed", CheckFailure>
  // With `log_all_failures`: an attempt that did not decide.
  | Event<"check-attempt-failed", CheckFailure>
  | Event<"check-succeeded", { check: string; durationMs: number }>
  // virtual-server: health
  | Event<"realserver-up", RealServerChange>
  // `held`: it stays in the service, because nobody else is left.
  | Event<"realserver-down", RealServerChange & { held: boolean }>
  | Event<"quorum-gained", QuorumChange>
  | Event<"quorum-lost", QuorumChange>
  | Event<"sorry-server-added", { virtualServer: string; server: string }>
  | Event<"sorry-server-removed", { virtualServer: string; server: string }>
  // Who is to be in the service from here on: those that are new or weigh otherwise, and those that go.
  | Event<"destinations-changed", { virtualServer: string; set: DestinationWeight[]; removed: string[] }>
  // An operator's: weight 0 now, out when its connections have ended; `deadlineMs` 0: however long they take.
  | Event<"drain-started", { virtualServer: string; server: string; deadlineMs: number }>
  // `reason`: `idle` or `deadline`.
  | Event<"drain-finished", { virtualServer: string; server: string; reason: string }>
  | Event<"drain-undone", { virtualServer: string; server: string }>
  // balancer: balancer. `changes`: the first hundred of `total`, as ipvsadm or nft would name them.
  | Event<
      "balancer-programmed",
      { engine: string; changes: string[]; total: number; reason: string; elapsedMicros: number }
    >
  | Event<"balancer-repaired", { engine: string; changes: string[]; total: number; elapsedMicros: number }>
  | Event<"balancer-failed", { engine: string; changes: string[]; total: number; error: string }>
  // A server that is being drained has no connections any more.
  | Event<"server-idle", { engine: string; virtualServer: string; server: string }>
  // address: dataplane
  | Event<
      "vip-added",
      { instance: string; address: string; interface: string; label: string; term: number; elapsedMicros: number }
    >
  | Event<"vip-removed", { instance: string; address: string; interface: string; term: number; reason: string }>
  | Event<"vip-failed", { instance: string; address: string; interface: string; term: number; error: string }>
  | Event<
      "garp-sent",
      {
        instance: string;
        interface: string;
        term: number;
        addresses: string[];
        count: number;
        elapsedMicros: number;
        reason: string;
      }
    >
  | Event<"drift-repaired", { instance: string; address: string; interface: string; term: number; kind: string }>
  // As `ip route` and `ip rule` write them; those of one step together.
  | Event<"routes-added", { instance: string; routes: string[]; rules: string[]; term: number; elapsedMicros: number }>
  | Event<"routes-removed", { instance: string; routes: string[]; rules: string[]; term: number; reason: string }>
  | Event<"routes-failed", { instance: string; routes: string[]; rules: string[]; term: number; error: string }>
  | Event<"routes-repaired", { instance: string; routes: string[]; rules: string[]; term: number }>
  // Repaired so often that somebody else must want it otherwise; from here on it counts as failed (SAFETY S9).
  | Event<"drift-war", { instance: string; address: string; interface: string; term: number; repairs: number }>
  | Event<"lease-expired", { instance: string; term: number; silentMs: number }>
  | Event<"claim-refused", { instance: string; term: number; reason: string }>
  // notification: notifier
  | Event<
      "notification-delivered",
      {
        instance: string;
        state: string;
        channel: string;
        target: string;
        attempts: number;
        durationMs: number;
        replayed: boolean;
        detail: string;
      }
    >
  | Event<
      "notification-failed",
      {
        instance: string;
        state: string;
        channel: string;
        target: string;
        attempts: number;
        final: boolean;
        error: string;
      }
    >
  // config: control
  | Event<"config-applied", { generation: number; hash: string; file: string; changes: string[]; warnings: number }>
  | Event<"config-rejected", { file: string; errors: string[] }>
  // service: each process
  | Event<"service-started", { service: string; pid: number; version: string; restarts: number }>
  | Event<"service-stopped", { service: string; reason: string }>
  | Event<"service-died", { service: string; pid: number; exit: string; restarts: number }>
  // Adverts for a virtual router that nobody here is; the election's.
  | Event<
      "foreign-vrid-seen",
      {
        interface: string;
        vrid: number;
        family: number;
        source: string;
        version: number;
        priority: number;
        reason: string;
      }
    >
  | Event<"events-lost", { service: string; count: number; reason: string }>;

export type BatonEventType = BatonEvent["type"];
export type BatonEventOf<Type extends BatonEventType> = Extract<BatonEvent, { type: Type }>;

/** Why something happened: carried from an input to every event that it causes. */
export interface CauseRef {
  /** The event or input that caused it. */
  readonly id: string;
  /** The whole story: the id of the first cause. */
  readonly correlationId: string;
  /** W3C trace context of the cause, when it was traced. */
  readonly traceparent?: string | undefined;
}

/** A BatonEvent as it is stored and published: who, when, which version, and why. */
export interface EventEnvelope<E extends BatonEvent = BatonEvent> {
  /** UUIDv7. */
  readonly id: string;
  /** Wall clock, RFC 3339 with microseconds. For display only. */
  readonly time: string;
  /** CLOCK_BOOTTIME of the node in microseconds: orders events of one node. */
  readonly at: number;
  readonly node: string;
  readonly service: ServiceName;
  readonly aggregate: Aggregate;
  /**
   * The life of the writing process: its start in wall-clock microseconds, made to rise across restarts, reboots and
   * clocks set back. (epoch, version) rises; a reader drops what does not. Compared only, never shown.
   */
  readonly epoch: number;
  /** Grows by one per aggregate. */
  readonly version: number;
  readonly correlationId: string;
  readonly causationId: string;
  readonly traceparent?: string | undefined;
  readonly event: E;
}
