// What the rows of the election table are written in: one router, one moment, each state in full, each effect by name.
import {
  addMicros,
  type BatonEvent,
  type CauseRef,
  type Instant,
  type IpAddress,
  instant,
  type Micros,
  micros,
  type Priority,
  parseIp,
  priority,
  type Term,
  term,
  vrid,
} from "@baton/domain";
import type {
  ClaimState,
  CommonState,
  Effect,
  ElectionConfig,
  ElectionCounter,
  ElectionState,
  Input,
  KnownMaster,
  ResumeRecord,
  StateOf,
  TrackerConfig,
  TrackerStatus,
} from "../types.ts";

export interface Row {
  /** `state/input/case`. */
  readonly name: string;
  /** The section that asks for it. */
  readonly rule: string;
  readonly given: ElectionState;
  readonly when: Input;
  readonly becomes: ElectionState["kind"];
  /** What the new state holds, beside its kind; `given` itself when the input changes nothing. */
  readonly state?: Partial<ElectionState> | "unchanged";
  readonly deadline: Instant | undefined;
  readonly effects: readonly Effect[];
}

export const ip = (text: string): IpAddress => {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
};

export const second = 1_000_000;
export const now: Instant = instant(1_000 * second);
export const after = (duration: number): Instant => addMicros(now, duration);
export const ago = (duration: number): Instant => addMicros(now, -duration);

// --- the router ---

export const own = ip("10.0.0.5");
export const lowerAddress = ip("10.0.0.4");
export const higherAddress = ip("10.0.0.30"); // lower than 10.0.0.5 as text

/** VRRPv2, priority 100, one advert a second, three of them: the defaults of keepalived. */
export const config: ElectionConfig = {
  name: "VI_1",
  interface: "eth0",
  syncGroup: undefined,
  family: 4,
  version: 2,
  vrid: vrid(51),
  priority: priority(100),
  initialState: "backup",
  advertInterval: micros(second),
  downTimerAdverts: 3,
  preempt: true,
  preemptDelay: micros(0),
  addresses: [ip("10.0.0.100")],
  trackers: [],
  trackPrimary: true,
  lowerPriorityNoAdvert: false,
  higherPrioritySendAdvert: false,
};

// Written out, not computed: RFC 3768 section 6.1 with priority 100 and one second.
export const skew100 = 609_375; // 156 / 256 s
export const masterDown100 = 3 * second + skew100;
export const lease = 2 * second;
export const wait = 1_100_000; // longest skew of v2 and 100 ms

export const owner: ElectionConfig = { ...config, priority: priority(255) };

export const script = (weight: number, reverse = false): TrackerConfig => ({
  kind: "script",
  name: "chk",
  weight,
  reverse,
});
export const tracking = (...trackers: readonly TrackerConfig[]): ElectionConfig => ({ ...config, trackers });
export const results = (status: TrackerStatus): ReadonlyMap<string, TrackerStatus> => new Map([["script:chk", status]]);

export const cause: CauseRef = { id: "script-failed-1", correlationId: "story-1", traceparent: undefined };
export const otherCause: CauseRef = { id: "script-succeeded-2", correlationId: "story-2", traceparent: undefined };
export const story = (from: number, to: number, because: CauseRef = cause): CommonState["story"] => [
  { from: priority(from), to: priority(to), cause: because },
];

// --- its states, in full ---

const healthy: CommonState = {
  config,
  effectivePriority: priority(100),
  trackers: new Map(),
  interfaceUp: true,
  primaryAddress: own,
  dataplaneConnected: true,
  dataplaneFaultAt: undefined,
  highestTerm: term(7),
  holds: new Map(),
  groupFault: undefined,
  story: [],
  recordedPriority: undefined,
  addressFailures: 0,
  soleAt: undefined,
  degraded: false,
  moves: [],
  preemptHeldUntil: undefined,
  staleTrackers: new Set(),
  ownerYields: false,
  reason: "given",
};

type Own<Kind extends ElectionState["kind"]> = Partial<Omit<StateOf<Kind>, "kind">>;

export const initialize = (over: Own<"initialize"> = {}): ElectionState => ({
  ...healthy,
  kind: "initialize",
  started: true,
  ...over,
});
/** Before `startup` nothing is known of the world. */
export const unstarted = (over: Own<"initialize"> = {}): ElectionState =>
  initialize({
    started: false,
    interfaceUp: false,
    primaryAddress: undefined,
    dataplaneConnected: false,
    highestTerm: term(0),
    reason: "startup",
    ...over,
  });

/** Heard a master of priority 200 a second ago; its timer was started then. */
export const backup = (over: Own<"backup"> = {}): ElectionState => ({
  ...healthy,
  kind: "backup",
  masterDownAt: addMicros(ago(second), masterDown100),
  masterAdvertInterval: micros(second),
  master: heard(higherAddress, 200, { heardAt: ago(second) }),
  preemptAt: undefined,
  grantedLateness: false,
  yielding: undefined,
  question: undefined,
  ...over,
});
export const timerOfBackup = addMicros(ago(second), masterDown100);

/** Term 7, adverts since 10 s, the next in half a second, the lease just renewed. */
export const master = (over: Own<"master"> = {}): ElectionState => ({
  ...healthy,
  kind: "master",
  term: term(7),
  since: ago(10 * second),
  advertDueAt: after(second / 2),
  leaseUntil: after(lease),
  askedUntil: undefined,
  confirmed: true,
  lastAdvertAt: ago(second / 2),
  peerHeardAt: undefined,
  announce: 2,
  announcedUntil: undefined,
  rivalToldAt: undefined,
  announceDueAt: undefined,
  rival: undefined,
  ...over,
});
export const advertOfMaster = after(second / 2);

/** Woke up late a second ago. */
export const listening = (over: Own<"listening"> = {}): ElectionState => ({
  ...healthy,
  kind: "listening",
  term: term(7),
  since: ago(10 * second),
  until: after(skew100),
  leaseUntil: after(lease),
  confirmed: true,
  lastAdvertAt: ago(5 * second),
  peerHeardAt: undefined,
  announce: 2,
  origin: "late",
  ...over,
});

/** Said 0 half a second ago; nobody has answered. */
export const leaving = (over: Own<"leaving"> = {}): ElectionState => ({
  ...healthy,
  kind: "leaving",
  reason: "stop",
  term: term(7),
  zeroesSent: 1,
  nextZeroAt: after(wait - second / 2),
  releaseAt: after(2 * wait - second / 2),
  successorHeard: false,
  ...over,
});

export const inFault = (over: Own<"fault"> = {}): ElectionState => ({
  ...healthy,
  kind: "fault",
  interfaceUp: false,
  reason: "interface-down",
  ...over,
});

export const stopped = (over: Own<"stopped"> = {}): ElectionState => ({ ...healthy, kind: "stopped", ...over });

export const heard = (address: IpAddress, theirs: number, over: Partial<KnownMaster> = {}): KnownMaster => ({
  address,
  priority: theirs,
  heardAt: now,
  accepted: true,
  wireId: 9,
  ...over,
});

// --- inputs ---

export const advert = (
  theirs: number,
  source: IpAddress = higherAddress,
  { interval = second, version = 2 }: { interval?: number; version?: 2 | 3 } = {},
): Input => ({
  type: "advertisement-received",
  advert: {
    version,
    vrid: vrid(51),
    priority: theirs,
    advertInterval: micros(interval),
    addresses: [ip("10.0.0.100")],
  },
  source,
  wireId: 9,
});

export const deadline = (lateness = 0): Input => ({ type: "deadline-reached", lateness: micros(lateness) });

export const tracker = (status: TrackerStatus, because: CauseRef | undefined = cause): Input => ({
  type: "tracker-changed",
  kind: "script",
  name: "chk",
  status,
  cause: because,
});
export const link = (up: boolean): Input => ({ type: "interface-changed", up });
export const primary = (address: IpAddress | undefined): Input => ({ type: "primary-address-changed", address });
export const confirmed = (of: number, sentAt: Instant = now): Input => ({
  type: "lease-confirmed",
  term: term(of),
  sentAt,
});
export const applying = (of: number, sentAt: Instant = now): Input => ({
  type: "lease-applying",
  term: term(of),
  sentAt,
});
export const failed = (of: number, sentAt: Instant = now): Input => ({
  type: "addresses-failed",
  term: term(of),
  sentAt,
  detail: "10.0.0.100: as tested",
});
export const stale = (is = true, name = "chk"): Input => ({ type: "tracker-stale", kind: "script", name, stale: is });
export const lost = (of: number, reason: "refused" | "released"): Input => ({
  type: "lease-lost",
  term: term(of),
  reason,
  detail: "as tested",
});
export const connected = (highestTerm = 0): Input => ({ type: "dataplane-connected", highestTerm: term(highestTerm) });
export const disconnected: Input = { type: "dataplane-disconnected" };
export const regrouped = (of: number): Input => ({ type: "regrouped", term: term(of) });
export const released = (of: number): Input => ({ type: "addresses-released", term: term(of) });
export const configure = (next: ElectionConfig): Input => ({ type: "configure", config: next });
export const shutdown: Input = { type: "shutdown", reason: "stop" };

type Startup = Extract<Input, { type: "startup" }>;
export const startup = (over: Partial<Omit<Startup, "type">> = {}): Input => ({
  type: "startup",
  dataplaneConnected: true,
  interfaceUp: true,
  primaryAddress: own,
  resume: undefined,
  highestTerm: term(0),
  recentResumes: 0,
  ...over,
});
/** A lease that has a second to live, last advert half a second ago, under priority 90. */
export const record = (over: Partial<ResumeRecord> = {}): ResumeRecord => ({
  term: term(7),
  expiresAt: after(second),
  lastAdvertAt: ago(second / 2),
  priority: 90,
  peerHeardAt: instant(0),
  ...over,
});

/** One of each, for the states that ignore it. */
export const oneOfEach: Readonly<Record<Input["type"], Input>> = {
  startup: startup(),
  "advertisement-received": advert(200),
  "deadline-reached": deadline(),
  "tracker-changed": tracker("up"),
  "tracker-stale": stale(),
  "interface-changed": link(true),
  "primary-address-changed": primary(own),
  "lease-confirmed": confirmed(7),
  "lease-applying": applying(7),
  "addresses-failed": failed(7),
  "lease-lost": lost(7, "refused"),
  "dataplane-connected": connected(7),
  "dataplane-disconnected": disconnected,
  "addresses-released": released(7),
  configure: configure(config),
  "mastership-denied": { type: "mastership-denied", source: higherAddress },
  "witness-answered": { type: "witness-answered", source: higherAddress },
  stalled: { type: "stalled", duration: micros(second) },
  "group-takes-over": { type: "group-takes-over", cause: undefined },
  "group-waits": { type: "group-waits" },
  "group-gives-way": { type: "group-gives-way", cause: undefined, tellPeers: false },
  regrouped: regrouped(9),
  "group-fault": { type: "group-fault", member: undefined, cause: undefined },
  shutdown,
};

// --- effects ---

export const sends = (theirs: number): Effect => ({ type: "send-advertisement", priority: theirs });

export const claims = (
  of: number,
  state: ClaimState,
  { announce = 0, announceReason = "", successorHeard = false } = {},
): Effect => ({ type: "claim", term: term(of), state, announce, announceReason, successorHeard });

export const counts = (counter: ElectionCounter): Effect => ({ type: "count", counter });

const event = (of: BatonEvent, because: CauseRef | undefined): Effect => ({
  type: "append-event",
  event: of,
  cause: because,
});
const subject = { instance: "VI_1", vrid: 51, interface: "eth0" };

export const becameMaster = (of: number, ours: number, reason: string, because?: CauseRef): Effect =>
  event(
    {
      type: "became-master",
      data: { ...subject, term: of, priority: ours, reason, addresses: ["10.0.0.100"] },
    },
    because,
  );

export const becameBackup = (
  of: number,
  ours: number,
  reason: string,
  following: { address: string; priority: number } = { address: "", priority: 0 },
  because?: CauseRef,
): Effect =>
  event(
    {
      type: "became-backup",
      data: {
        ...subject,
        term: of,
        priority: ours,
        reason,
        master: following.address,
        masterPriority: following.priority,
      },
    },
    because,
  );

export const enteredFault = (of: number, ours: number, causes: readonly string[], because?: CauseRef): Effect =>
  event({ type: "entered-fault", data: { ...subject, term: of, priority: ours, causes: [...causes] } }, because);

export const instanceStopped = (of: number, wasMaster: boolean, reason = "stop"): Effect =>
  event({ type: "instance-stopped", data: { ...subject, term: of, wasMaster, reason } }, undefined);

export const priorityChanged = (from: number, to: number, reason: string, base = 100): Effect =>
  event(
    {
      type: "priority-changed",
      data: {
        instance: "VI_1",
        vrid: 51,
        from,
        to,
        base,
        tracker: reason === "configured" ? "" : "chk",
        reason,
      },
    },
    reason === "configured" ? undefined : cause,
  );

export const holding = (name: string, until: Instant | undefined): CommonState["holds"] => new Map([[name, until]]);
export const atTerm = (of: number): Term => term(of);
export const atPriority = (value: number): Priority => priority(value);
export const lasting = (duration: number): Micros => micros(duration);

export const servesInPart = (of: number, detail = "10.0.0.100: as tested"): Effect =>
  event({ type: "mastership-degraded", data: { ...subject, term: of, priority: 1, detail } }, undefined);

export const servesAll = (of: number, ours = 100): Effect =>
  event({ type: "mastership-restored", data: { ...subject, term: of, priority: ours } }, undefined);

export const preemptionHeld = (of: number): Effect =>
  event({ type: "preemption-held", data: { ...subject, term: of, moves: 5, holdMs: 180_000 } }, undefined);

/** The lower master that is heard, in the term of the table's master. */
export const hearsRival = (theirs: number, from = higherAddress, ours = 100): Effect =>
  event(
    {
      type: "rival-heard",
      data: { ...subject, term: 7, priority: ours, rival: from, rivalPriority: theirs },
    },
    undefined,
  );

export const trackerIs = (type: "tracker-stale" | "tracker-fresh"): Effect =>
  event({ type, data: { instance: "VI_1", vrid: 51, kind: "script", tracker: "chk" } }, undefined);

/** Another owner of the addresses makes us give way, or no longer does. */
export const ownerMoves = (from: number, to: number, reason: string): Effect =>
  event(
    { type: "priority-changed", data: { instance: "VI_1", vrid: 51, from, to, base: 255, tracker: "", reason } },
    undefined,
  );

/** Rows that say: this state ignores these inputs, and nothing at all changes. */
export const ignores = (
  kind: string,
  given: ElectionState,
  deadlineThen: Instant | undefined,
  rule: string,
  types: readonly Input["type"][],
): Row[] =>
  types.map((type) => ({
    name: `${kind}/${type}/ignored`,
    rule,
    given,
    when: oneOfEach[type],
    becomes: given.kind,
    state: "unchanged",
    deadline: deadlineThen,
    effects: [],
  }));
