// Events of checks, virtual servers and the kernel's balancer as sentences; see event-sentence.ts.
import { type BatonEvent, changesWords, checkFailureWords, destinationsWords, drainLimit } from "@baton/domain";
import { firstLine, millis, why } from "./words.ts";

const balancing = [
  "check-failed",
  "check-attempt-failed",
  "check-succeeded",
  "realserver-up",
  "realserver-down",
  "quorum-gained",
  "quorum-lost",
  "sorry-server-added",
  "sorry-server-removed",
  "destinations-changed",
  "drain-started",
  "drain-finished",
  "drain-undone",
  "balancer-programmed",
  "balancer-repaired",
  "balancer-failed",
  "server-idle",
] as const satisfies readonly BatonEvent["type"][];

type Of<Type extends BatonEvent["type"]> = Extract<BatonEvent, { type: Type }>;
type Balancing = Of<(typeof balancing)[number]>;

const types: ReadonlySet<string> = new Set(balancing);
export const isBalancing = (event: BatonEvent): event is Balancing => types.has(event.type);

export function balancingSentence(event: Balancing): string {
  switch (event.type) {
    case "check-failed":
    case "check-attempt-failed":
    case "check-succeeded":
      return checkSentence(event);
    case "destinations-changed":
    case "drain-started":
    case "drain-finished":
    case "drain-undone":
      return poolSentence(event);
    case "balancer-programmed":
    case "balancer-repaired":
    case "balancer-failed":
    case "server-idle":
      return balancerSentence(event);
    default:
      return virtualServerSentence(event);
  }
}

function checkSentence(event: Of<"check-failed" | "check-attempt-failed" | "check-succeeded">): string {
  const { check } = event.data;
  if (event.type === "check-succeeded") return `check ${check} succeeds, in ${event.data.durationMs.toFixed(1)} ms`;
  const { attempt, durationMs } = event.data;
  const what = event.type === "check-failed" ? `check ${check} failed` : `an attempt of check ${check} failed`;
  return `${what} (attempt ${attempt}, ${durationMs.toFixed(1)} ms): ${firstLine(checkFailureWords(event.data))}`;
}

function virtualServerSentence(
  event: Of<
    | "realserver-up"
    | "realserver-down"
    | "quorum-gained"
    | "quorum-lost"
    | "sorry-server-added"
    | "sorry-server-removed"
  >,
): string {
  const { virtualServer } = event.data;
  switch (event.type) {
    case "realserver-up":
      return `${event.data.server} of ${virtualServer} is up${poolWhy(event)}`;
    case "realserver-down": {
      const held = event.data.held ? "; it stays in the service, as nobody else is left" : "";
      return `${event.data.server} of ${virtualServer} is down${poolWhy(event)}${held}`;
    }
    case "quorum-gained":
    case "quorum-lost": {
      const { weight, threshold, reason } = event.data;
      const what = event.type === "quorum-gained" ? "has quorum" : "has no quorum";
      if (reason === "stop" || reason === "removed") return `${virtualServer} ended${poolWhy(event)}`;
      return `${virtualServer} ${what}: its live servers weigh ${weight}, needed is ${Math.max(1, threshold)}`;
    }
    case "sorry-server-added":
      return `${virtualServer} is served by its sorry server ${event.data.server}`;
    case "sorry-server-removed":
      return `${virtualServer} is no longer served by its sorry server ${event.data.server}`;
  }
}

function poolSentence(event: Of<"destinations-changed" | "drain-started" | "drain-finished" | "drain-undone">): string {
  switch (event.type) {
    case "destinations-changed":
      return destinationsWords(event.data);
    case "drain-started":
      return `draining ${event.data.server} of ${event.data.virtualServer}${drainLimit(event.data.deadlineMs)}`;
    case "drain-finished":
      return `${event.data.server} was drained and taken out of ${event.data.virtualServer}${why(event.data.reason)}`;
    case "drain-undone":
      return `${event.data.server} of ${event.data.virtualServer} is drained no longer`;
  }
}

function balancerSentence(
  event: Of<"balancer-programmed" | "balancer-repaired" | "balancer-failed" | "server-idle">,
): string {
  switch (event.type) {
    case "balancer-programmed":
      return `programmed ${event.data.engine}: ${changesWords(event.data)} in ${millis(event.data.elapsedMicros)}`;
    case "balancer-repaired":
      return `repaired ${event.data.engine}, which somebody else had changed: ${changesWords(event.data)}`;
    case "balancer-failed":
      return `${event.data.engine} could not be programmed: ${changesWords(event.data)}: ${firstLine(event.data.error)}`;
    case "server-idle":
      return `${event.data.server} of ${event.data.virtualServer} has no connections any more`;
  }
}

function poolWhy(event: Of<"realserver-up" | "realserver-down" | "quorum-gained" | "quorum-lost">): string {
  if (!("check" in event.data) || event.data.check === "") return why(event.data.reason);
  return `: ${event.data.check} ${event.type === "realserver-up" ? "succeeded" : "failed"}`;
}
