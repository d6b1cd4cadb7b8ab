// The election's vocabulary: what goes in (Input), what it is (ElectionState), what comes out (Effect).
// Time is an argument, deadlines are part of the state: a timer that fires late, early or twice decides nothing.
import type {
  BatonEvent,
  CauseRef,
  Instant,
  IpAddress,
  Micros,
  Priority,
  Term,
  TrackerKind,
  Vrid,
} from "@baton/domain";

/** What the election needs of a vrrp_instance. `addresses` are those advertised, in configured order. */
export interface ElectionConfig {
  readonly name: string;
  readonly interface: string;
  /** `vrrp_sync_group`: its members are master together or not at all (sync-group.ts). */
  readonly syncGroup: string | undefined;
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly vrid: Vrid;
  readonly priority: Priority;
  readonly initialState: "master" | "backup";
  readonly advertInterval: Micros;
  readonly downTimerAdverts: number;
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  readonly addresses: readonly IpAddress[];
  readonly trackers: readonly TrackerConfig[];
  /** False with `dont_track_primary`: the instance's own interface going down is no fault. */
  readonly trackPrimary: boolean;
  readonly lowerPriorityNoAdvert: boolean;
  readonly higherPrioritySendAdvert: boolean;
  /** What the configuration itself keeps it in fault for, as long as it is this one: causes as in `faultCauses`. */
  readonly faults?: readonly string[];
}

export interface TrackerConfig {
  /** `virtual-server`: its quorum, as stay-put.ts lets it count. */
  readonly kind: TrackerKind | "interface" | "virtual-server";
  readonly name: string;
  /** 0: FAULT while down; of a file: while it says anything but 0; of a virtual server: never, it counts nothing. */
  readonly weight: number;
  readonly reverse: boolean;
}

/** An advertisement that passed every check of the codec. */
export interface Advertisement {
  readonly version: 2 | 3;
  readonly vrid: Vrid;
  /** 0 to 255; 0: the sender is leaving. */
  readonly priority: number;
  readonly advertInterval: Micros;
  readonly addresses: readonly IpAddress[];
}

/** A file has no up and down: it says a number, which counts times the weight. */
export type TrackerStatus = "unknown" | "up" | "down" | number;

export type Input =
  /**
   * Once, after construction: interface, address and lease are as the shell found them. `dataplaneConnected`: its hello
   * was heard. `resume`: the lease that dataplane still holds. Tracker results that are known may be fed in before.
   */
  | {
      readonly type: "startup";
      readonly dataplaneConnected: boolean;
      readonly interfaceUp: boolean;
      readonly primaryAddress: IpAddress | undefined;
      readonly resume: ResumeRecord | undefined;
      readonly highestTerm: Term;
      readonly recentResumes: number;
    }
  | {
      readonly type: "advertisement-received";
      readonly advert: Advertisement;
      readonly source: IpAddress;
      readonly wireId: number;
    }
  /** The armed deadline has come and every input that was waiting has been fed in before (SAFETY S2). `lateness`: how late the shell is. */
  | { readonly type: "deadline-reached"; readonly lateness: Micros }
  /** This process did not run for so long; what it should have heard meanwhile may be lost (SAFETY S2). */
  | { readonly type: "stalled"; readonly duration: Micros }
  | {
      readonly type: "tracker-changed";
      readonly kind: TrackerConfig["kind"];
      readonly name: string;
      readonly status: TrackerStatus;
      readonly cause: CauseRef | undefined;
    }
  /** Nobody has confirmed its last result for too long (SAFETY S15); false: somebody has again. */
  | {
      readonly type: "tracker-stale";
      readonly kind: TrackerConfig["kind"];
      readonly name: string;
      readonly stale: boolean;
    }
  | { readonly type: "interface-changed"; readonly up: boolean }
  | { readonly type: "primary-address-changed"; readonly address: IpAddress | undefined }
  /** dataplane read back every address of this term. `sentAt`: when the frame it answers was sent. */
  | { readonly type: "lease-confirmed"; readonly term: Term; readonly sentAt: Instant }
  /** An answer came, but not everything is there yet. Keeps the lease alive. */
  | { readonly type: "lease-applying"; readonly term: Term; readonly sentAt: Instant }
  /** dataplane could not program every address of this term, and said why (SAFETY S9). Keeps the lease alive. */
  | { readonly type: "addresses-failed"; readonly term: Term; readonly sentAt: Instant; readonly detail: string }
  /** dataplane refused the term, or ended the lease. */
  | {
      readonly type: "lease-lost";
      readonly term: Term;
      readonly reason: "refused" | "released";
      readonly detail: string;
    }
  /** The lease stream is there again (dataplane restarted, or first connect after a break). */
  | { readonly type: "dataplane-connected"; readonly highestTerm: Term }
  | { readonly type: "dataplane-disconnected" }
  /** Dataplane answered a `leaving` or `release` claim of this term: it has let every address go. */
  | { readonly type: "addresses-released"; readonly term: Term }
  | { readonly type: "configure"; readonly config: ElectionConfig }
  /** Over the bus: `source` says that it is not master any more. Anybody may say so at any time: it decides nothing (SAFETY S13). */
  | { readonly type: "mastership-denied"; readonly source: IpAddress }
  /** `source` has answered the question that the last `ask-witness` asked: it is not master any more (SAFETY S13). */
  | { readonly type: "witness-answered"; readonly source: IpAddress }
  /** From here on what its sync group decides (sync-group.ts). Every member wants to be master: all are, under one term. */
  | { readonly type: "group-takes-over"; readonly cause: CauseRef | undefined }
  /** Its own time to take over has come, but not that of every member: it waits for another master-down. */
  | { readonly type: "group-waits" }
  /** Another member has given way to a higher master. `tellPeers`: nobody else speaks for this one yet. */
  | { readonly type: "group-gives-way"; readonly cause: CauseRef | undefined; readonly tellPeers: boolean }
  /**
   * A reload has changed with whom it decides, so that its lease is another one: whoever holds addresses goes on holding
   * them, under `term`; for everybody else it is the highest of that lease (SAFETY S4, S18).
   */
  | { readonly type: "regrouped"; readonly term: Term }
  /** Another member is in fault, so this one is; undefined: none is any more. */
  | { readonly type: "group-fault"; readonly member: string | undefined; readonly cause: CauseRef | undefined }
  /** Stop or removal: LEAVING for a master. */
  | { readonly type: "shutdown"; readonly reason: string };

/** What dataplane remembers of a live lease of a crashed election (LeaseRecord). */
export interface ResumeRecord {
  readonly term: Term;
  readonly expiresAt: Instant;
  readonly lastAdvertAt: Instant;
  readonly priority: number;
  readonly peerHeardAt: Instant;
}

/** The sender of the last advertisement heard; priority 0: it said that it leaves. */
export interface KnownMaster {
  readonly address: IpAddress;
  readonly priority: number;
  readonly heardAt: Instant;
  /** False: its priority is below ours and we pre-empt, so it does not restart our master-down timer. */
  readonly accepted: boolean;
  /** IP identification of that advertisement: with sender and VRID it names the advertisement across routers. */
  readonly wireId: number;
}

export type ElectionState = CommonState &
  /** Not started, or started and waiting for the first result of a script whose failure would be a fault. */
  (
    | { readonly kind: "initialize"; readonly started: boolean }
    | {
        readonly kind: "backup";
        readonly masterDownAt: Instant;
        readonly masterAdvertInterval: Micros;
        readonly master: KnownMaster | undefined;
        readonly preemptAt: Instant | undefined;
        readonly grantedLateness: boolean;
        /** Gave way to a higher master and still lets its addresses go (SAFETY S12). */
        readonly yielding: Yielding | undefined;
        /** The last master that was asked over the bus whether it still is one, and when (SAFETY S13). */
        readonly question: Question | undefined;
      }
    | {
        readonly kind: "master";
        readonly term: Term;
        readonly since: Instant;
        readonly advertDueAt: Instant;
        readonly leaseUntil: Instant;
        /** The lease ran out while this process was not scheduled: until then dataplane may still answer (SAFETY S2). No advert leaves. */
        readonly askedUntil: Instant | undefined;
        readonly confirmed: boolean;
        readonly lastAdvertAt: Instant;
        /** Undefined: no other router was heard in this term. */
        readonly peerHeardAt: Instant | undefined;
        readonly announce: number;
        /** How far the announcements because of another's adverts reach, if each counts for 5 s (SAFETY S12). */
        readonly announcedUntil: Instant | undefined;
        /** One more burst, held back because there were enough. */
        readonly announceDueAt: Instant | undefined;
        /** When it was last told that a lower master speaks. */
        readonly rivalToldAt: Instant | undefined;
        /** Another owner of the addresses, and what we wait for before we give way to it (owner-conflict.ts). */
        readonly rival: Rival | undefined;
      }
    /** Addresses kept, ARP silent, no adverts, until somebody speaks or `until` (SAFETY S5, S11). */
    | {
        readonly kind: "listening";
        readonly term: Term;
        readonly since: Instant;
        readonly until: Instant;
        readonly leaseUntil: Instant;
        readonly confirmed: boolean;
        readonly lastAdvertAt: Instant;
        readonly peerHeardAt: Instant | undefined;
        readonly announce: number;
        /** `resumed`: after a crash, mastership is still to be told; `late`: this process was not scheduled for too long. */
        readonly origin: "resumed" | "late";
      }
    /** Priority 0 was sent; addresses answer until the successor does (SAFETY S6). */
    | {
        readonly kind: "leaving";
        readonly term: Term;
        readonly reason: string;
        readonly zeroesSent: number;
        readonly nextZeroAt: Instant | undefined;
        /** When every address goes at the latest. */
        readonly releaseAt: Instant;
        readonly successorHeard: boolean;
      }
    | { readonly kind: "fault" }
    | { readonly kind: "stopped" }
  );

/** `answered`: and it said no, so that the timer is no whole master-down any more. */
export interface Question {
  readonly source: IpAddress;
  readonly askedAt: Instant;
  readonly answered: boolean;
}

/** The term that is let go. */
export interface Yielding {
  readonly term: Term;
  /** When the one advert leaves, if the addresses are still there; undefined: it has left. */
  readonly farewellAt: Instant | undefined;
  /** When the addresses go at the latest. */
  readonly until: Instant;
}

/** Another router with priority 255 that has the lower address and goes on speaking. */
export interface Rival {
  readonly advertInterval: Micros;
  /** So many adverts of ours it is to hear first. */
  readonly advertsLeft: number;
  /** Then it has until here to fall silent. */
  readonly patienceUntil: Instant | undefined;
}

export interface PriorityChange {
  readonly from: Priority;
  readonly to: Priority;
  readonly cause: CauseRef | undefined;
}

export type StateOf<Kind extends ElectionState["kind"]> = Extract<ElectionState, { readonly kind: Kind }>;

/** What every state carries. */
export interface CommonState {
  readonly config: ElectionConfig;
  readonly effectivePriority: Priority;
  /** Key: `${kind}:${name}`. */
  readonly trackers: ReadonlyMap<string, TrackerStatus>;
  readonly interfaceUp: boolean;
  readonly primaryAddress: IpAddress | undefined;
  readonly dataplaneConnected: boolean;
  /** While the lease stream is broken: when that becomes a fault. */
  readonly dataplaneFaultAt: Instant | undefined;
  readonly highestTerm: Term;
  /** Causes other than trackers and interface that keep the instance in fault, e.g. `dataplane-silent`, `address-failed`; with the end of a hold if they time out. */
  readonly holds: ReadonlyMap<string, Instant | undefined>;
  /** The member of the sync group whose fault is everybody's. */
  readonly groupFault: string | undefined;
  /** The last changes of the effective priority, newest last: the stories that a step-down or a pre-emption belongs to. */
  readonly story: readonly PriorityChange[];
  /** After a resume: what dataplane remembers of our priority; it stands until every weighted tracker has a result. */
  readonly recordedPriority: Priority | undefined;
  /** How often in a row the addresses could not be programmed: the hold doubles with each (SAFETY S9). */
  readonly addressFailures: number;
  /** Since a failure: when nobody was heard for so long that some addresses are better than none; undefined: none failed. */
  readonly soleAt: Instant | undefined;
  /** Serves what it can, because nobody else serves anything, and speaks with the lowest priority there is (SAFETY S9). */
  readonly degraded: boolean;
  /** The last moves of the addresses from or to us, oldest first, and until when there are enough of them (SAFETY S12). */
  readonly moves: readonly Instant[];
  readonly preemptHeldUntil: Instant | undefined;
  /** Keys of trackers whose last result stands, though nobody confirms it (SAFETY S15). */
  readonly staleTrackers: ReadonlySet<string>;
  /** Another owner does not give way: we stand below it, with 254 (owner-conflict.ts). */
  readonly ownerYields: boolean;
  /** Why the instance is in this state: the `reason` of its last transition. */
  readonly reason: string;
}

export type ClaimState = "hold" | "silent" | "leaving" | "release";

/** In the order in which they are to be carried out. A closed set: the executor is a dumb switch. */
export type Effect =
  | { readonly type: "send-advertisement"; readonly priority: number }
  /** The level that dataplane is to hold; sent at once and with each heartbeat. */
  | {
      readonly type: "claim";
      readonly term: Term;
      readonly state: ClaimState;
      readonly announce: number;
      readonly announceReason: string;
      readonly successorHeard: boolean;
    }
  | { readonly type: "append-event"; readonly event: BatonEvent; readonly cause: CauseRef | undefined }
  /** Ask this router over the bus whether it is still master, with a nonce that only its answer can know (SAFETY S13). */
  | { readonly type: "ask-witness"; readonly source: IpAddress }
  | { readonly type: "count"; readonly counter: ElectionCounter };

/** What the machine counts. Adverts sent, received and discarded are counted where the packets are. */
export type ElectionCounter =
  | "became-master"
  | "released-master"
  | "priority-zero-received"
  | "lower-priority-received"
  | "same-priority-and-address"
  | "lateness-granted"
  | "witness-believed"
  | "late-master"
  | "lease-expired"
  | "announcement-limited"
  | "degraded"
  | "preemption-held"
  | "preemption-deferred"
  | "tracker-stale"
  | "owner-conflict";

export interface Step {
  readonly state: ElectionState;
  readonly effects: readonly Effect[];
}
