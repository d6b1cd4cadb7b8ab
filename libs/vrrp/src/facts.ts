// What an input says about the world, before any state decides anything: trackers, interface, source address, the
// lease stream, the configuration. Every change of the effective priority happens here, so that its event always
// comes before the transition that it causes.
import { addMicros, assert, assertNever, type Instant, micros, priority, type Term, term } from "@baton/domain";
import { addressOwner, trackerKey, weighPriority, weightsKnown } from "./priority.ts";
import { leaseLength, soleWait } from "./timers.ts";
import { count, masterDown, type PriorityReason, priorityChanged } from "./transitions.ts";
import type {
  Advertisement,
  CommonState,
  Effect,
  ElectionConfig,
  ElectionState,
  Input,
  PriorityChange,
  Step,
} from "./types.ts";

/** Fault causes that are no tracker and no link: names of `CommonState.holds`. */
export const dataplaneSilent = "dataplane-silent";
export const addressFailed = "address-failed";
export const leaseRefused = "lease-refused";

/** In fault until dataplane says anything at all: somebody has to go on asking it. */
export const awaitsAnswer = ({ holds }: Pick<CommonState, "holds">): boolean => holds.has(dataplaneSilent);

/** More changes than this are not one story any more. */
const storyLength = 8;

/** The state with the facts of `input` in it, and `priority-changed` where they changed the effective priority. */
export function learn(state: ElectionState, input: Input, now: Instant): Step {
  switch (input.type) {
    case "tracker-changed":
      return learnTracker(state, input);
    case "tracker-stale":
      return learnStale(state, input);
    case "advertisement-received":
      return learnSpeaker(state, input.advert, now);
    case "interface-changed":
      // A link change ends the holds that only time would end otherwise (SAFETY S9).
      return known(state, {
        interfaceUp: input.up,
        holds: without(state.holds, input.up ? [addressFailed, leaseRefused] : []),
      });
    case "primary-address-changed":
      return known(state, { primaryAddress: input.address });
    case "dataplane-connected":
      return learnConnected(state, input.highestTerm, now);
    case "dataplane-disconnected":
      return known(state, {
        dataplaneConnected: false,
        dataplaneFaultAt: state.dataplaneFaultAt ?? addMicros(now, leaseLength(state.config)),
      });
    case "lease-confirmed":
    case "lease-applying":
    case "addresses-failed":
    case "lease-lost":
    case "addresses-released":
      // Any answer ends the silence, whatever it says.
      return state.dataplaneConnected && awaitsAnswer(state)
        ? known(state, { holds: without(state.holds, [dataplaneSilent]) })
        : same(state);
    case "configure":
      return learnConfig(state, input.config);
    case "group-fault":
      return known(state, { groupFault: input.member });
    case "regrouped":
      return known(state, { highestTerm: term(Math.max(state.highestTerm, input.term)) });
    case "group-takes-over":
    case "group-waits":
    case "group-gives-way":
    case "stalled":
    case "startup": // INITIALIZE's own
    case "mastership-denied":
    case "witness-answered":
    case "deadline-reached":
    case "shutdown":
      return same(state);
    default:
      return assertNever(input);
  }
}

const same = (state: ElectionState): Step => ({ state, effects: [] });

const known = (state: ElectionState, facts: Partial<CommonState>): Step => same({ ...state, ...facts });

function without(holds: CommonState["holds"], names: readonly string[]): CommonState["holds"] {
  return names.some((name) => holds.has(name)) ? new Map([...holds].filter(([name]) => !names.includes(name))) : holds;
}

function learnTracker(state: ElectionState, input: Extract<Input, { type: "tracker-changed" }>): Step {
  const key = trackerKey(input);
  const configured = state.config.trackers.some((tracker) => trackerKey(tracker) === key);
  // A tracker that lost its result keeps the last one (SAFETY S15).
  if (!configured || input.status === "unknown") return same(state);
  const trackers = new Map(state.trackers).set(key, input.status);
  const why = {
    tracker: input.kind === "virtual-server" ? `virtual server ${input.name}` : input.name,
    reason: typeof input.status === "number" ? "tracker-value" : `tracker-${input.status}`,
    cause: input.cause,
  };
  return reprioritize({ ...state, trackers }, why);
}

/** Its last result stands either way (SAFETY S15). */
function learnStale(state: ElectionState, { kind, name, stale }: Extract<Input, { type: "tracker-stale" }>): Step {
  const key = trackerKey({ kind, name });
  const configured = state.config.trackers.some((tracker) => trackerKey(tracker) === key);
  if (!configured || state.staleTrackers.has(key) === stale) return same(state);
  const others = [...state.staleTrackers].filter((each) => each !== key);
  const staleTrackers = new Set(stale ? [...others, key] : others);
  const data = { instance: state.config.name, vrid: state.config.vrid, kind, tracker: name };
  const event = { type: stale ? "tracker-stale" : "tracker-fresh", data } as const;
  const told: Effect = { type: "append-event", event, cause: undefined };
  return { state: { ...state, staleTrackers }, effects: stale ? [told, count("tracker-stale")] : [told] };
}

/** Another router speaks: whoever has failed need not serve what it can (SAFETY S9). */
function learnSpeaker(state: ElectionState, { priority: theirs, advertInterval }: Advertisement, now: Instant): Step {
  if (state.soleAt === undefined || theirs === 0) return same(state);
  const { config, effectivePriority } = state;
  const slower = micros(Math.max(config.advertInterval, config.version === 3 ? advertInterval : 0));
  return known(state, { soleAt: addMicros(now, soleWait({ ...config, advertInterval: slower }, effectivePriority)) });
}

function learnConnected(state: ElectionState, highestTerm: Term, now: Instant): Step {
  const facts = {
    dataplaneConnected: true,
    dataplaneFaultAt: undefined,
    holds: without(state.holds, [dataplaneSilent]),
    highestTerm: term(Math.max(state.highestTerm, highestTerm)),
  };
  // A takeover that was due while dataplane was away is due now, and not late.
  if (state.kind === "backup" && state.masterDownAt < now) return known({ ...state, masterDownAt: now }, facts);
  return known(state, facts);
}

function learnConfig(state: ElectionState, config: ElectionConfig): Step {
  const before = state.config;
  const identity = ({ name, interface: device, family, vrid }: ElectionConfig) => `${name} ${device} ${family} ${vrid}`;
  assert(identity(before) === identity(config), `another virtual router is another instance: ${identity(config)}`);
  const keys = config.trackers.map(trackerKey);
  const next: ElectionState = {
    ...state,
    config,
    trackers: new Map([...state.trackers].filter(([key]) => keys.includes(key))),
    staleTrackers: new Set([...state.staleTrackers].filter((key) => keys.includes(key))),
    ownerYields: state.ownerYields && config.priority === addressOwner,
    holds: without(state.holds, [addressFailed, leaseRefused]),
    recordedPriority: config.priority === before.priority ? state.recordedPriority : undefined,
  };
  return reprioritize(retimed(state, next), { tracker: "", reason: "configured", cause: undefined });
}

/** A running master-down timer moves by what the new intervals change, and not from the start again. */
function retimed(before: ElectionState, after: ElectionState): ElectionState {
  if (before.kind !== "backup" || after.kind !== "backup") return after;
  const { config, master } = after;
  // v3: what was learned from the master stands; nothing was learned before the first advert.
  const learned = config.version === 3 && master !== undefined;
  const masterAdvertInterval = learned ? before.masterAdvertInterval : config.advertInterval;
  return shifted(before, { ...after, masterAdvertInterval });
}

type Backup = Extract<ElectionState, { kind: "backup" }>;

const shifted = (before: Backup, after: Backup): Backup => ({
  ...after,
  masterDownAt: addMicros(
    after.masterDownAt,
    masterDown(after, after.masterAdvertInterval) - masterDown(before, before.masterAdvertInterval),
  ),
});

/** While another owner speaks (owner-conflict.ts). */
const belowOwner = priority(addressOwner - 1);

/** Weighs the priority anew. In BACKUP the running timer moves by the difference of the skews (behaviour section 4). */
function reprioritize(state: ElectionState, why: PriorityReason): Step {
  const recorded = weightsKnown(state.config, state.trackers) ? undefined : state.recordedPriority;
  const to = state.ownerYields ? belowOwner : (recorded ?? weighPriority(state.config, state.trackers));
  const from = state.effectivePriority;
  const weighed = { ...state, recordedPriority: recorded };
  if (to === from) return same(weighed);
  const change: PriorityChange = { from, to, cause: why.cause };
  const next = { ...weighed, effectivePriority: to, story: [...state.story, change].slice(-storyLength) };
  const moved = next.kind === "backup" ? shifted({ ...next, effectivePriority: from }, next) : next;
  // Before the start nobody has been told a priority yet.
  return { state: moved, effects: state.kind === "initialize" ? [] : [priorityChanged(state.config, from, to, why)] };
}

/** The lease stream was away for a whole lease: from here on it is a fault, until dataplane is heard again. */
export function silenced<State extends CommonState>(state: State): State {
  return { ...state, dataplaneFaultAt: undefined, holds: new Map(state.holds).set(dataplaneSilent, undefined) };
}
