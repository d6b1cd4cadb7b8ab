// A restarted election finds that dataplane still holds the lease of the one that crashed (SAFETY S5).
import { type Instant, isPriority, microsSince, type Term, term } from "@baton/domain";
import { addressOwner, awaitsFirstResult, faultCauses, weightsKnown } from "./priority.ts";
import { resumeLimit } from "./timers.ts";
import {
  advert,
  claim,
  count,
  enterBackup,
  enterFault,
  enterMaster,
  nextTerm,
  resumeListening,
} from "./transitions.ts";
import type { CommonState, Effect, ResumeRecord, StateOf, Step } from "./types.ts";

/** So many resumes within a minute, as the shell counts them, and we are the problem: let go and start as backup. */
const resumesMax = 3;

export function resumeMastership(
  started: StateOf<"initialize">,
  resume: ResumeRecord,
  recentResumes: number,
  now: Instant,
): Step {
  const state = recall(started, resume);
  // To every peer we are still the master; an owner is whatever happened.
  const stillMaster = microsSince(now, resume.lastAdvertAt) < resumeLimit(state.config);
  if (faultCauses(state).length > 0 || recentResumes >= resumesMax) return letGo(state, stillMaster, now);
  if (stillMaster || state.config.priority === addressOwner) {
    const peerHeardAt = resume.peerHeardAt === 0 ? undefined : resume.peerHeardAt;
    return enterMaster(state, { reason: "resumed", peerHeardAt }, now);
  }
  return resumeListening(state, resume, now);
}

/**
 * The recorded priority stands until the weights are known: speaking with the bare base priority in between would move
 * the mastership for a second.
 */
function recall(state: StateOf<"initialize">, resume: ResumeRecord): StateOf<"initialize"> {
  const highestTerm = term(Math.max(state.highestTerm, resume.term));
  const recorded = recordedPriority(state, resume);
  if (recorded === undefined) return { ...state, highestTerm };
  return { ...state, highestTerm, recordedPriority: recorded, effectivePriority: recorded };
}

function recordedPriority({ config, trackers }: CommonState, resume: ResumeRecord): CommonState["recordedPriority"] {
  const { priority } = resume;
  const owner = priority === addressOwner || config.priority === addressOwner;
  return isPriority(priority) && !owner && !weightsKnown(config, trackers) ? priority : undefined;
}

/** Releases the lease that was found, and starts like any other: in fault, held for a first result, or as backup. */
function letGo(state: StateOf<"initialize">, stillMaster: boolean, now: Instant): Step {
  const released: Term = nextTerm(state);
  const next = { ...state, highestTerm: released };
  const goodbye: readonly Effect[] = stillMaster && state.primaryAddress !== undefined ? [advert(0)] : [];
  const effects = [...goodbye, claim(released, "release"), count("released-master")];
  const after = begin(next, now);
  return { state: after.state, effects: [...effects, ...after.effects] };
}

function begin(state: StateOf<"initialize">, now: Instant): Step {
  if (faultCauses(state).length > 0) return enterFault(state, undefined);
  if (awaitsFirstResult(state)) return { state, effects: [] };
  return enterBackup(state, { reason: "too-many-resumes" }, now);
}
