// What goes into the core (Input) and what it asks for (Effect). The core does no I/O and reads no clock: the shell
// feeds it, and carries out its effects in the order given, which is part of the contract.
import type { BatonEvent, CauseRef, Instant, IpAddress, Micros, Term } from "@baton/domain";
import type {
  AddressChange,
  AddressEvent,
  AddressInfo,
  AddressSpec,
  ChangeResult,
  LinkInfo,
  RoutingChange,
  RoutingEvent,
  RoutingTables,
} from "@baton/linux";
import type { Desired } from "./desired.ts";
import type { Groundwork } from "./links/groundwork.ts";

export type ClaimState = "hold" | "silent" | "leaving" | "release";

/** What election says of one lease (proto LeaseClaim). */
export interface Claim {
  /** Sync group or instance. */
  readonly lease: string;
  readonly term: Term;
  readonly state: ClaimState;
  /** L. */
  readonly length: Micros;
  readonly instances: readonly string[];
  /** Rises when the addresses are to be announced again. */
  readonly announce: number;
  readonly announceReason: string;
  readonly successorHeard: boolean;
  /** The event that goes with this claim. */
  readonly cause: CauseRef | undefined;
  /** Kept for election itself, to resume by (SAFETY S5); the kernel's lease is renewed with each advert (SAFETY S10). */
  readonly memory: ClaimMemory;
}

export interface ClaimMemory {
  readonly priority: number;
  readonly lastAdvertAt: number;
  readonly peerHeardAt: number;
  readonly authCounter: number;
}

export interface Frame {
  readonly sequence: number;
  /** CLOCK_BOOTTIME of the sender: leases count from here, not from when we came to read it (SAFETY S3). */
  readonly sentAt: Instant;
  readonly configGeneration: number;
  readonly claims: readonly Claim[];
  /** What was claimed on this stream and is not named stands, and is renewed; else it is not claimed any more. */
  readonly partial: boolean;
  /** Partial: leases that are not claimed any more. */
  readonly forgotten: readonly string[];
  /** Partial: what adverts have changed of claims that stand. */
  readonly adverts: readonly ClaimAdvert[];
}

export interface ClaimAdvert {
  readonly lease: string;
  readonly memory: ClaimMemory;
}

export type TransitionType = "became-master" | "became-backup" | "entered-fault" | "instance-stopped";

/** An event of election: the edge that starts or ends work, and names its cause. */
export interface Transition {
  readonly type: TransitionType;
  readonly instance: string;
  readonly term: Term;
  readonly cause: CauseRef;
  /** When it was written, CLOCK_BOOTTIME. */
  readonly at: Instant;
}

export type Standing = "applying" | "held" | "failed" | "released" | "refused";

export interface LeaseStanding {
  readonly lease: string;
  readonly term: Term;
  readonly standing: Standing;
  readonly present: readonly IpAddress[];
  readonly missing: readonly IpAddress[];
  readonly error: string;
}

/** What a restarted election needs to resume (SAFETY S5). */
export interface KnownLease {
  readonly lease: string;
  readonly highestTerm: Term;
  readonly live: boolean;
  readonly expiresAt: Instant;
  readonly lastClaim: Claim;
}

/** The kernel as found, and the first configuration. */
export interface Start {
  readonly desired: Desired;
  readonly links: readonly LinkInfo[];
  readonly addresses: readonly AddressInfo[];
  /** Of the protocols that the configuration names. */
  readonly routing: RoutingTables;
  /** What an earlier process had silenced. */
  readonly silenced: readonly IpAddress[];
}

/** A neighbour's word for an address, by ARP or as a neighbour advertisement. */
export interface Heard {
  readonly interface: string;
  readonly mac: string;
  readonly address: IpAddress;
}

export type Input =
  | { readonly type: "configured"; readonly desired: Desired }
  | { readonly type: "stream-opened"; readonly stream: number }
  | { readonly type: "stream-closed"; readonly stream: number }
  | { readonly type: "frame-received"; readonly stream: number; readonly frame: Frame }
  /** In their order; those of one turn together: a takeover of thousands is not thousands of looks at everybody. */
  | { readonly type: "transitions-seen"; readonly transitions: readonly Transition[] }
  | { readonly type: "links-changed"; readonly links: readonly LinkInfo[] }
  /** Events as they came; they say what happened, a read says what is. */
  | { readonly type: "addresses-changed"; readonly events: readonly AddressEvent[] }
  | { readonly type: "addresses-read"; readonly addresses: readonly AddressInfo[] }
  /** The answer to `change-addresses`: one result each, what the kernel has now, and how many frames left of each herald. */
  | {
      readonly type: "addresses-applied";
      readonly results: readonly ChangeResult[];
      readonly heralded: readonly number[];
      readonly addresses: readonly AddressInfo[];
    }
  | { readonly type: "routing-changed"; readonly events: readonly RoutingEvent[] }
  /** Events were lost. */
  | { readonly type: "routing-lost" }
  | { readonly type: "routing-read"; readonly tables: RoutingTables }
  /** The answer to `change-routing`: one result each, and what the kernel has now. */
  | { readonly type: "routing-applied"; readonly results: readonly ChangeResult[]; readonly tables: RoutingTables }
  /** The answer to `announce`. */
  | {
      readonly type: "announced";
      readonly burst: Burst;
      readonly sent: number;
      readonly error: string | undefined;
      readonly startedAt: Instant;
      readonly endedAt: Instant;
    }
  | { readonly type: "neighbours-heard"; readonly heard: readonly Heard[] }
  /** The armed deadline has come and every input that was waiting has been fed in before (SAFETY S2). */
  | { readonly type: "tick" }
  /** The node stops: election has gone before us. */
  | { readonly type: "stopped"; readonly reason: string };

/** One round of gratuitous ARP and unsolicited neighbour advertisements over some addresses of an instance, all on one interface. */
export interface Burst {
  readonly instance: string;
  readonly interface: string;
  readonly ifindex: number;
  readonly mac: string;
  /** Each address once; `repeat` rounds over them. */
  readonly addresses: readonly IpAddress[];
  readonly repeat: number;
  readonly reason: string;
  readonly term: Term;
  readonly cause: CauseRef | undefined;
  /** What started it: elapsed time counts from here. */
  readonly since: Instant;
  /** False for what repeats by the clock or follows a reload: counted, not told. */
  readonly told: boolean;
  /** The last part of one that was spread over time: all its addresses, and how many frames went before. */
  readonly whole: { readonly addresses: readonly IpAddress[]; readonly sent: number } | undefined;
}

/** The first round of a takeover's announcement for the addresses that a part of a change has brought. */
export interface Herald {
  readonly instance: string;
  readonly interface: string;
  readonly ifindex: number;
  readonly mac: string;
  /** Of the changes right before `after`. If one of them fails, none is announced yet. */
  readonly addresses: readonly IpAddress[];
  /** So many changes are through. */
  readonly after: number;
  /** Nothing is sent once this has passed: the lease is over. */
  readonly until: Instant;
}

export interface SpanPlan {
  readonly name: "address.assign" | "address.remove" | "garp.send";
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly error?: string | undefined;
}

export interface Report {
  readonly type: "report";
  readonly instance: string;
  readonly span: SpanPlan | undefined;
  readonly events: readonly BatonEvent[];
  readonly cause: CauseRef | undefined;
  /** The first event is the cause of the others. */
  readonly chained: boolean;
}

export type Effect =
  /** Dataplane speaks first on a stream. */
  | { readonly type: "greet"; readonly stream: number; readonly leases: readonly KnownLease[] }
  | { readonly type: "end-stream"; readonly stream: number; readonly reason: string }
  /** `sequence` 0: unsolicited. */
  | {
      readonly type: "answer";
      readonly stream: number;
      readonly sequence: number;
      readonly sentAt: Instant;
      readonly leases: readonly LeaseStanding[];
      /** Claims that are not named stand as they were last told. */
      readonly partial: boolean;
    }
  /** Deletes first, heralds in between; answered by `addresses-applied` before anything else is fed in. */
  | {
      readonly type: "change-addresses";
      readonly changes: readonly AddressChange[];
      /** In the order of `after`. */
      readonly heralds: readonly Herald[];
    }
  /** Kernel leases: nothing is sent once `until` has passed (SAFETY S10). */
  | { readonly type: "renew-addresses"; readonly specs: readonly AddressSpec[]; readonly until: Instant }
  /** Answered by `addresses-read`. */
  | { readonly type: "read-addresses" }
  /** In order; answered by `routing-applied` before anything else is fed in. `protocols`: what is to be read back. */
  | {
      readonly type: "change-routing";
      readonly changes: readonly RoutingChange[];
      readonly protocols: readonly number[];
    }
  /** Answered by `routing-read`. */
  | { readonly type: "read-routing"; readonly protocols: readonly number[] }
  | { readonly type: "silence"; readonly addresses: readonly IpAddress[] }
  | { readonly type: "unsilence"; readonly addresses: readonly IpAddress[] }
  /** Hear what neighbours announce on exactly these interfaces. */
  | { readonly type: "listen"; readonly interfaces: readonly string[] }
  /** Answered by `announced`. */
  | { readonly type: "announce"; readonly burst: Burst }
  /** The kernel would drop the other addresses of a subnet together with its primary: have it promote them instead. */
  | { readonly type: "promote-secondaries"; readonly interface: string }
  /** Links that instances have for themselves, and what is filtered. New links come as `links-changed`. */
  | { readonly type: "keep-groundwork"; readonly groundwork: Groundwork }
  | Report
  | {
      readonly type: "log";
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** Feed a `tick` at this time; undefined: nothing is due. */
  | { readonly type: "arm"; readonly at: Instant | undefined };
