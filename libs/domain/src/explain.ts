// An event as one sentence that an operator would say. Commands and pages share it, so that the same event reads the
// same everywhere. It only rewords what the event carries: nothing is looked up, nothing is concluded.
import { checkFailureWords } from "./check-failure.ts";
import type { BatonEvent, BatonEventOf, EventEnvelope } from "./events.ts";
import { routingNames } from "./routing-names.ts";

/** What the reader knows beyond the event; everything is optional. */
export interface ExplainContext {
  /** Who an address belongs to: "r1" for "10.0.0.1". */
  readonly nameOf?: (address: string) => string | undefined;
  /** Whom this router followed until now: a node's name or an address. */
  readonly previousMaster?: string | undefined;
}

/** `r2 became master of VI_1 (term 3) because r1's advertisements stopped`. No full stop at the end. */
export function explain(envelope: EventEnvelope, context: ExplainContext = {}): string {
  const { node, event } = envelope;
  switch (envelope.aggregate.kind) {
    case "vrrp":
      return explainInstance(node, event, context);
    case "group":
      return explainGroup(node, event);
    case "tracker":
      return explainTracker(node, event);
    case "checker":
      return explainChecker(node, event);
    case "virtual-server":
      return explainVirtualServer(node, event);
    case "balancer":
      return explainBalancer(node, event);
    case "address":
      return explainAddress(node, event);
    case "notification":
      return explainNotification(node, event);
    default:
      return explainNode(node, event);
  }
}

function explainInstance(node: string, event: BatonEvent, context: ExplainContext): string {
  switch (event.type) {
    case "became-master":
      return `${node} became master of ${event.data.instance} (term ${event.data.term})${because(event.data.reason, context.previousMaster)}`;
    case "became-backup": {
      const { instance, master, masterPriority, reason } = event.data;
      const follows =
        master === "" ? "" : `, following ${context.nameOf?.(master) ?? master} at priority ${masterPriority}`;
      return `${node} became backup of ${instance}${because(reason)}${follows}`;
    }
    case "entered-fault":
      return `${node} went to fault on ${event.data.instance}${because(event.data.causes.join(", "))}`;
    case "instance-stopped":
      return `${node} stopped ${event.data.instance}${event.data.wasMaster ? ", of which it was master" : ""}${because(event.data.reason)}`;
    case "priority-changed": {
      const { instance, from, to, tracker, reason } = event.data;
      const why = tracker === "" ? because(reason) : ` because of ${tracker}${reason === "" ? "" : ` (${reason})`}`;
      return `${node} ${to < from ? "lowered" : "raised"} its priority on ${instance} from ${from} to ${to}${why}`;
    }
    case "mastership-degraded":
      return `${node} serves what it can of ${event.data.instance}, because nobody else does: ${firstLine(event.data.detail)}`;
    case "mastership-restored":
      return `${node} serves all of ${event.data.instance} again`;
    case "preemption-held":
      return `${node} takes ${event.data.instance} from no lower master for ${Math.round(event.data.holdMs / 1_000)} s, because it has moved ${plural(event.data.moves, "time")} in a short while`;
    case "rival-heard": {
      const { instance, rival, rivalPriority } = event.data;
      return `${node}, master of ${instance}, heard ${context.nameOf?.(rival) ?? rival} speak for it at priority ${rivalPriority}`;
    }
    case "tracker-stale":
      return `${node} has heard nothing of ${event.data.kind} ${event.data.tracker} for too long: its last value stands for ${event.data.instance}, which pre-empts nobody meanwhile`;
    case "tracker-fresh":
      return `${node} hears of ${event.data.kind} ${event.data.tracker} again`;
    default:
      return fallback(node, event);
  }
}

function explainGroup(node: string, event: BatonEvent): string {
  if (event.type !== "sync-group-changed") return fallback(node, event);
  const { group, state, member, reason } = event.data;
  return `${node} moved the group ${group} to ${state}, as ${member} did${because(reason)}`;
}

function explainTracker(node: string, event: BatonEvent): string {
  switch (event.type) {
    case "script-failed": {
      const { script, exit, output } = event.data;
      return `script ${script} failed on ${node} (${exit})${output === "" ? "" : `: ${firstLine(output)}`}`;
    }
    case "script-succeeded":
      return `script ${event.data.script} succeeds on ${node}`;
    case "file-changed":
      return `file ${event.data.file} says ${event.data.value} on ${node}`;
    case "bfd-session-up":
      return `${node} and ${event.data.neighbor} hear each other (BFD session ${event.data.session})`;
    case "bfd-session-down":
      return `${node} lost BFD session ${event.data.session} with ${event.data.neighbor}${because(event.data.diagnostic)}`;
    case "process-quorum-lost":
    case "process-quorum-gained": {
      const { process, running, wanted } = event.data;
      return `of process ${process} ${running === 0 ? "none" : running} ${running === 1 ? "runs" : "run"} on ${node} (wanted: ${wanted})`;
    }
    default:
      return fallback(node, event);
  }
}

function explainChecker(node: string, event: BatonEvent): string {
  switch (event.type) {
    case "check-failed":
      return `check ${event.data.check} failed on ${node} (${checkFailureWords(event.data)})`;
    case "check-attempt-failed":
      return `attempt ${event.data.attempt} of check ${event.data.check} failed on ${node} (${checkFailureWords(event.data)})`;
    case "check-succeeded":
      return `check ${event.data.check} succeeds on ${node}`;
    default:
      return fallback(node, event);
  }
}

function explainVirtualServer(node: string, event: BatonEvent): string {
  switch (event.type) {
    case "realserver-up":
    case "realserver-down": {
      const { virtualServer, server } = event.data;
      const what = event.type === "realserver-up" ? "up" : "down";
      const held = event.type === "realserver-down" && event.data.held ? ", and keeps it, as nobody else is left" : "";
      return `${node} ${event.data.changed ? "has" : "still has"} ${server} of ${virtualServer} ${what}${realServerCause(event)}${held}`;
    }
    case "quorum-gained":
      return `${node} has quorum for ${event.data.virtualServer}: ${weighed(event.data)}`;
    case "quorum-lost": {
      const { virtualServer, reason } = event.data;
      if (reason === "stop") return `${node} ended ${virtualServer} because the node is being stopped`;
      if (reason === "removed") return `${node} ended ${virtualServer} because it was removed from the configuration`;
      return `${node} has no quorum for ${virtualServer}: ${weighed(event.data)}`;
    }
    case "sorry-server-added":
      return `${node} serves ${event.data.virtualServer} by its sorry server ${event.data.server}`;
    case "sorry-server-removed":
      return `${node} no longer serves ${event.data.virtualServer} by its sorry server ${event.data.server}`;
    case "destinations-changed":
      return `${node} ${destinationsWords(event.data)}`;
    case "drain-started":
      return `${node} drains ${event.data.server} of ${event.data.virtualServer}${drainLimit(event.data.deadlineMs)}`;
    case "drain-finished":
      return `${node} took ${event.data.server} out of ${event.data.virtualServer} because ${event.data.reason === "idle" ? "its connections have ended" : "its time was over"}`;
    case "drain-undone":
      return `${node} drains ${event.data.server} of ${event.data.virtualServer} no longer`;
    default:
      return fallback(node, event);
  }
}

/** `serves [10.0.0.9]:tcp:80 by 10.0.0.1:80 (weight 1), without 10.0.0.2:80`. */
export function destinationsWords({
  virtualServer,
  set,
  removed,
}: BatonEventOf<"destinations-changed">["data"]): string {
  const by = set.slice(0, wordsMax).map(({ server, weight }) => `${server} (weight ${weight})`);
  const without = removed.slice(0, wordsMax);
  const more = set.length + removed.length - by.length - without.length;
  const parts = [
    ...(by.length === 0 ? [] : [`by ${list(by)}`]),
    ...(without.length === 0 ? [] : [`without ${list(without)}`]),
    ...(more === 0 ? [] : [`and ${more} more`]),
  ];
  return `serves ${virtualServer} ${parts.join(", ")}`;
}

export const drainLimit = (deadlineMs: number): string =>
  deadlineMs === 0 ? "" : `, for ${Math.round(deadlineMs / 1_000)} s at most`;

/** Servers and changes of one event that a sentence names. */
const wordsMax = 3;

function explainBalancer(node: string, event: BatonEvent): string {
  switch (event.type) {
    case "balancer-programmed":
      return `${node} programmed ${changesWords(event.data)} into ${event.data.engine}${because(event.data.reason)}`;
    case "balancer-repaired":
      return `${node} repaired ${changesWords(event.data)} in ${event.data.engine}, which somebody else had changed`;
    case "balancer-failed":
      return `${node} could not program ${changesWords(event.data)} into ${event.data.engine}: ${firstLine(event.data.error)}`;
    case "server-idle":
      return `${node} has no connections to ${event.data.server} of ${event.data.virtualServer} any more`;
    default:
      return fallback(node, event);
  }
}

/** `3 changes (add 10.0.0.1:80, …)`. */
export function changesWords({
  changes,
  total,
}: {
  readonly changes: readonly string[];
  readonly total: number;
}): string {
  const named = changes.slice(0, wordsMax);
  const more = total > named.length ? ", …" : "";
  return `${plural(total, "change")} (${list(named)}${more})`;
}

function realServerCause(event: BatonEventOf<"realserver-up" | "realserver-down">): string {
  const { reason, check } = event.data;
  switch (reason) {
    case "check":
      return ` because ${check} ${event.type === "realserver-up" ? "succeeded" : "failed"}`;
    case "start":
      return ", as nothing speaks against it";
    case "removed":
      return " because it was removed from the configuration";
    case "stop":
      return " because the node is being stopped";
    default:
      return because(reason);
  }
}

const weighed = ({ weight, threshold }: { readonly weight: number; readonly threshold: number }): string =>
  `its live servers weigh ${weight}, needed is ${Math.max(1, threshold)}`;

function explainAddress(node: string, event: BatonEvent): string {
  switch (event.type) {
    case "vip-added":
      return `${node} added ${event.data.address} to ${event.data.interface} in ${millis(event.data.elapsedMicros)}`;
    case "vip-removed":
      return `${node} removed ${event.data.address} from ${event.data.interface}${because(event.data.reason)}`;
    case "vip-failed":
      return `${node} could not add ${event.data.address} to ${event.data.interface}: ${firstLine(event.data.error)}`;
    case "garp-sent":
      return `${node} announced ${list(event.data.addresses)} on ${event.data.interface} (${plural(event.data.count, "gratuitous ARP")})${because(event.data.reason)}`;
    case "drift-repaired":
      return `${node} repaired ${event.data.address} on ${event.data.interface} (${words(event.data.kind)})`;
    case "routes-added":
      return `${node} added ${routingNames(event.data)} in ${millis(event.data.elapsedMicros)}`;
    case "routes-removed":
      return `${node} removed ${routingNames(event.data)}${because(event.data.reason)}`;
    case "routes-failed":
      return `${node} could not add ${routingNames(event.data)}: ${firstLine(event.data.error)}`;
    case "routes-repaired":
      return `${node} put ${routingNames(event.data)} back, which had gone`;
    case "drift-war":
      return `${node} repaired ${event.data.address} on ${event.data.interface} ${plural(event.data.repairs, "time")}, and somebody takes it away again and again`;
    case "lease-expired":
      return `${node} gave up the addresses of ${event.data.instance}: its election was silent for ${event.data.silentMs} ms`;
    case "claim-refused":
      return `${node} refused a claim of ${event.data.instance} under term ${event.data.term}${because(event.data.reason)}`;
    default:
      return fallback(node, event);
  }
}

function explainNotification(node: string, event: BatonEvent): string {
  switch (event.type) {
    case "notification-delivered": {
      const { instance, state, channel, target, replayed } = event.data;
      return `${node} delivered "${instance} is ${state}" by ${channel} to ${target}${replayed ? " (replayed)" : ""}`;
    }
    case "notification-failed": {
      const { instance, state, channel, target, attempts, final, error } = event.data;
      return `${node} could not deliver "${instance} is ${state}" by ${channel} to ${target} (attempt ${attempts}${final ? ", the last" : ""}): ${firstLine(error)}`;
    }
    default:
      return fallback(node, event);
  }
}

function explainNode(node: string, event: BatonEvent): string {
  switch (event.type) {
    case "config-applied": {
      const { generation, changes, warnings } = event.data;
      const what = changes.length === 0 ? "nothing changed" : list(changes);
      return `${node} applied configuration ${generation}: ${what}${warnings === 0 ? "" : ` (${plural(warnings, "warning")})`}`;
    }
    case "config-rejected":
      return `${node} rejected ${event.data.file}: ${event.data.errors[0] ?? "no reason given"}${event.data.errors.length > 1 ? ` (and ${event.data.errors.length - 1} more)` : ""}`;
    case "service-started":
      return `${event.data.service} started on ${node}${event.data.restarts === 0 ? "" : ` (restart ${event.data.restarts})`}`;
    case "service-stopped":
      return `${event.data.service} stopped on ${node}${because(event.data.reason)}`;
    case "service-died":
      return `${event.data.service} died on ${node} (${event.data.exit})`;
    case "foreign-vrid-seen": {
      const { vrid, interface: device, source, priority, reason } = event.data;
      return `${node} heard ${source} speak for VRID ${vrid} on ${device} at priority ${priority}${because(reason)}`;
    }
    case "events-lost":
      return `${event.data.service} lost ${plural(event.data.count, "event")} on ${node}${because(event.data.reason)}`;
    default:
      return fallback(node, event);
  }
}

/** Reasons are stable tokens (`master-down-expired`); those that people meet most have words of their own. */
const reasonWords: Readonly<Record<string, (master: string | undefined) => string>> = {
  "master-down-expired": (master) =>
    master === undefined ? "no advertisement came" : `${master}'s advertisements stopped`,
  "priority-zero-received": (master) => `${master ?? "the master"} gave the addresses up (priority 0)`,
  "witness-answered": (master) =>
    `${master ?? "the master"} fell silent and said over the hub that it is master no more`,
  "higher-priority-advert": () => "it heard a master that wins over it",
  "master-heard": () => "it heard another master",
  preempt: (master) => `its priority is higher than that of ${master ?? "the master"}`,
  "owner-start": () => "it owns the addresses",
  startup: () => "it has just started",
  "fault-cleared": () => "its fault is over",
  "no-other-master": () => "nobody else serves any of its addresses",
  "unknown-vrid": () => "no instance here has that VRID",
  "lease-lost": () => "its dataplane let the addresses go",
  "too-many-resumes": () => "its election was restarted too often",
};

function because(reason: string, master?: string): string {
  const say = Object.hasOwn(reasonWords, reason) ? reasonWords[reason] : undefined;
  if (say !== undefined) return ` because ${say(master)}`;
  return reason === "" ? "" : ` (${words(reason)})`;
}

const words = (token: string): string => (/^[a-z0-9]+(-[a-z0-9]+)+$/.test(token) ? token.replaceAll("-", " ") : token);
const millis = (micros: number): string => `${(micros / 1_000).toFixed(1)} ms`;
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
const firstLine = (text: string): string => text.trim().split("\n", 1)[0] ?? "";

function list(items: readonly string[]): string {
  const shown = items.slice(0, listedMax);
  return items.length > shown.length ? `${shown.join(", ")} and ${items.length - shown.length} more` : shown.join(", ");
}
const listedMax = 5;

const fallback = (node: string, event: BatonEvent): string => `${words(event.type)} on ${node}`;
