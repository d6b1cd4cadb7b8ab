// The pool machine's vocabulary: one virtual server, who of its real servers is alive, and whether that is enough.
// Servers are named by whoever starts the machine (address and port); no two of a pool have one name.
import type { BatonEventOf, Instant, Micros } from "@baton/domain";
import type { CheckNews, WeightPart } from "../check/types.ts";

/** What the machine needs of a `virtual_server`. */
export interface PoolConfig {
  /** For events. */
  readonly name: string;
  /** At least 1. */
  readonly quorum: number;
  readonly hysteresis: number;
  /** Its end is told as the loss of its servers is. */
  readonly omega: boolean;
  readonly servers: readonly PoolServerConfig[];
  readonly sorryServer: { readonly server: string; readonly inhibit: boolean } | undefined;
  /** `rs_init_notifies`: servers that begin alive are told of too. */
  readonly startNotices: boolean;
  /** The last live server stays in the service when it fails, unless a sorry server stands in. Not in keepalived. */
  readonly panicGuard: boolean;
  /** A server that comes back gets its whole weight after this long only; 0: at once, as keepalived. */
  readonly slowStart: Micros;
}

export interface PoolServerConfig {
  readonly server: string;
  readonly weight: number;
  /** While it has failed it stays in the service with weight 0. */
  readonly inhibitOnFailure: boolean;
}

/** What one check says of one server. */
export interface PoolCheck {
  readonly check: string;
  readonly up: boolean;
  readonly weight: WeightPart | undefined;
}

/** By server; who is not in it has no checks. */
export type PoolChecks = ReadonlyMap<string, readonly PoolCheck[]>;

/** `draining`: weight 0, connections go on; `removed`: out of the service. By the operator's will. */
export type Drain = "none" | "draining" | "removed";

export interface PoolServer {
  readonly config: PoolServerConfig;
  readonly checks: readonly PoolCheck[];
  /** None of its checks has failed. */
  readonly alive: boolean;
  readonly drain: Drain;
  /** Slow start: `tenths` (1 to 9) of its weight. */
  readonly ramp: { readonly since: Instant; readonly tenths: number } | undefined;
}

export interface Pool {
  readonly config: PoolConfig;
  /** In the order of the configuration. */
  readonly servers: readonly PoolServer[];
  readonly quorumUp: boolean;
  /** The sorry server serves, in place of all others. */
  readonly sorry: boolean;
  /** The panic guard's: failed, and kept because nobody else is left. */
  readonly held: string | undefined;
  readonly ended: boolean;
}

export type PoolInput =
  /** A check has said something (CheckEffect "report"). */
  | { readonly type: "check-reported"; readonly server: string; readonly report: PoolCheck; readonly news: CheckNews }
  | { readonly type: "drain"; readonly server: string; readonly drain: Drain }
  | { readonly type: "deadline-reached" }
  /** `checks`: of all servers, those that go on (reloadChecks) and new ones. */
  | { readonly type: "reload"; readonly config: PoolConfig; readonly checks: PoolChecks }
  /** Baton ends. `flush` (`lvs_flush_on_stop`): the service goes as a whole, and its servers are not told of. */
  | { readonly type: "stop"; readonly flush: boolean }
  /** A reload has taken it out of the configuration. */
  | { readonly type: "remove"; readonly flush: boolean };

export type PoolEffect = { readonly type: "append-event"; readonly event: PoolEvent };

export interface PoolStep {
  readonly state: Pool;
  readonly effects: readonly PoolEffect[];
}

/** Whom an event is for besides the log: scripts, FIFO, mail and SNMP; SNMP alone; nobody. */
export type Told = "everyone" | "traps" | "nobody";

export type PoolEvent = BatonEventOf<
  "realserver-up" | "realserver-down" | "quorum-gained" | "quorum-lost" | "sorry-server-added" | "sorry-server-removed"
>;
