// An event as a sentence an operator would say, with the reason in words. Pure.
import { assertNever, type BatonEvent, type EventEnvelope, routingNames } from "@baton/domain";
import { balancingSentence, isBalancing } from "./balancing-sentence.ts";
import { firstLine, list, millis, reasons, why } from "./words.ts";

const priority = (value: number): string => `priority ${value}`;

/** Without time and node. `node` is who it happened to. */
export function eventSentence(node: string, event: BatonEvent): string {
  if (isBalancing(event)) return balancingSentence(event);
  switch (event.type) {
    case "became-master":
    case "became-backup":
    case "entered-fault":
    case "instance-stopped":
    case "priority-changed":
      return transitionSentence(node, event);
    case "mastership-degraded":
    case "mastership-restored":
    case "preemption-held":
    case "rival-heard":
    case "tracker-stale":
    case "tracker-fresh":
      return standingSentence(node, event);
    case "sync-group-changed": {
      const { group, state, member, reason } = event.data;
      return `${node} has the group ${group} in state ${state}, as ${member}${why(reason)}`;
    }
    case "script-failed":
    case "script-succeeded":
    case "file-changed":
    case "bfd-session-up":
    case "bfd-session-down":
    case "process-quorum-lost":
    case "process-quorum-gained":
      return trackerSentence(event);
    case "vip-added":
    case "vip-removed":
    case "vip-failed":
    case "garp-sent":
    case "drift-repaired":
    case "drift-war":
    case "lease-expired":
    case "claim-refused":
      return addressSentence(node, event);
    case "routes-added":
    case "routes-removed":
    case "routes-failed":
    case "routes-repaired":
      return routingSentence(node, event);
    case "notification-delivered":
    case "notification-failed":
      return notificationSentence(event);
    case "config-applied":
      return appliedSentence(event);
    case "config-rejected":
      return `configuration ${event.data.file} rejected: ${event.data.errors.map(firstLine).join("; ")}`;
    case "service-started":
    case "service-stopped":
    case "service-died":
    case "events-lost":
    case "foreign-vrid-seen":
      return serviceSentence(node, event);
    default:
      return assertNever(event);
  }
}

function appliedSentence(event: Of<"config-applied">): string {
  const { generation, file, changes, warnings } = event.data;
  const what = changes.length === 0 ? "no change" : list(changes);
  return `configuration ${generation} from ${file} applied (${what}${warnings === 0 ? "" : `, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`})`;
}

type Of<Type extends BatonEvent["type"]> = Extract<BatonEvent, { type: Type }>;

function transitionSentence(
  node: string,
  event: Of<"became-master" | "became-backup" | "entered-fault" | "instance-stopped" | "priority-changed">,
): string {
  switch (event.type) {
    case "became-master":
      return `${node} became master of ${event.data.instance} with ${priority(event.data.priority)}${why(event.data.reason)}`;
    case "became-backup": {
      const { instance, master, masterPriority, reason } = event.data;
      const whose = master === "" ? "" : ` (master: ${master}, ${priority(masterPriority)})`;
      return `${node} became backup of ${instance}${whose}${why(reason)}`;
    }
    case "entered-fault":
      return `${node} is in fault for ${event.data.instance}: ${list(event.data.causes.map((cause) => reasons[cause] ?? cause))}`;
    case "instance-stopped": {
      const { instance, wasMaster, reason } = event.data;
      return `${node} stopped ${instance}${wasMaster ? ", of which it was master" : ""}${why(reason)}`;
    }
    case "priority-changed": {
      const { instance, from, to, tracker, reason } = event.data;
      const cause = tracker === "" ? why(reason) : `: ${tracker} ${reason.replace(/^tracker-/, "is ")}`;
      return `${instance} has priority ${to} instead of ${from}${cause}`;
    }
  }
}

function standingSentence(
  node: string,
  event: Of<
    | "mastership-degraded"
    | "mastership-restored"
    | "preemption-held"
    | "rival-heard"
    | "tracker-stale"
    | "tracker-fresh"
  >,
): string {
  const { instance } = event.data;
  switch (event.type) {
    case "mastership-degraded":
      return `${node} serves only part of ${instance}, as nobody else serves any of it: ${firstLine(event.data.detail)}`;
    case "mastership-restored":
      return `${node} serves all of ${instance} again`;
    case "preemption-held":
      return `${instance} has moved ${event.data.moves} times: ${node} takes over from no lower master for ${Math.round(event.data.holdMs / 1000)} s`;
    case "rival-heard":
      return `${event.data.rival} speaks for ${instance} at ${priority(event.data.rivalPriority)}, though ${node} is master at ${priority(event.data.priority)}`;
    case "tracker-stale":
      return `${event.data.kind} ${event.data.tracker} of ${instance} has not been confirmed for too long: its last value stands`;
    case "tracker-fresh":
      return `${event.data.kind} ${event.data.tracker} of ${instance} is confirmed again`;
  }
}

function trackerSentence(
  event: Of<
    | "script-failed"
    | "script-succeeded"
    | "file-changed"
    | "bfd-session-up"
    | "bfd-session-down"
    | "process-quorum-lost"
    | "process-quorum-gained"
  >,
): string {
  switch (event.type) {
    case "script-failed": {
      const { script, exit, failures, output } = event.data;
      const said = output.trim() === "" ? "" : `, said: ${firstLine(output)}`;
      return `script ${script} failed (${exit}, ${failures === 1 ? "once" : `${failures} times in a row`}${said})`;
    }
    case "script-succeeded":
      return `script ${event.data.script} succeeds`;
    case "file-changed":
      return `file ${event.data.file} (${event.data.path}) says ${event.data.value}`;
    case "bfd-session-up":
      return `BFD session ${event.data.session} with ${event.data.neighbor} is up`;
    case "bfd-session-down":
      return `BFD session ${event.data.session} with ${event.data.neighbor} is down${why(event.data.diagnostic === "none" ? "" : event.data.diagnostic)}`;
    case "process-quorum-lost":
    case "process-quorum-gained": {
      const { process, running, wanted } = event.data;
      const what = event.type === "process-quorum-lost" ? "missing" : "there";
      return `process ${process} is ${what}: ${running} running, wanted ${wanted}`;
    }
  }
}

function addressSentence(
  node: string,
  event: Of<
    | "vip-added"
    | "vip-removed"
    | "vip-failed"
    | "garp-sent"
    | "drift-repaired"
    | "drift-war"
    | "lease-expired"
    | "claim-refused"
  >,
): string {
  switch (event.type) {
    case "vip-added": {
      const { address, interface: device, elapsedMicros } = event.data;
      return `${address} is on ${device} of ${node}, ${millis(elapsedMicros)} after the decision`;
    }
    case "vip-removed":
      return `${address(event)} was removed${why(event.data.reason)}`;
    case "vip-failed":
      return `${address(event)} could not be added: ${event.data.error}`;
    case "garp-sent": {
      const { addresses, interface: device, count, elapsedMicros, reason } = event.data;
      const when = elapsedMicros > 0 ? `, ${millis(elapsedMicros)} after the decision` : "";
      return `${list(addresses)} announced on ${device} (${count} gratuitous ARP${when})${why(reason)}`;
    }
    case "drift-repaired":
      return `${address(event)} is as it should be again: somebody had changed it (${event.data.kind})`;
    case "drift-war":
      return `${address(event)} was repaired ${event.data.repairs} times within a minute: somebody else wants it otherwise`;
    case "lease-expired":
      return `the lease of ${event.data.instance} expired: election was silent for ${event.data.silentMs} ms`;
    case "claim-refused":
      return `a claim on ${event.data.instance} was refused${why(event.data.reason)}`;
  }
}

function routingSentence(
  node: string,
  event: Of<"routes-added" | "routes-removed" | "routes-failed" | "routes-repaired">,
): string {
  const names = routingNames(event.data);
  const { routes, rules } = event.data;
  const isOne = routes.length + rules.length === 1;
  switch (event.type) {
    case "routes-added":
      return `${names} ${isOne ? "is" : "are"} in the kernel of ${node}, ${millis(event.data.elapsedMicros)} after the decision`;
    case "routes-removed":
      return `${names} ${isOne ? "was" : "were"} removed${why(event.data.reason)}`;
    case "routes-failed":
      return `${names} could not be added: ${event.data.error}`;
    case "routes-repaired":
      return `${names} ${isOne ? "is" : "are"} there again: somebody had removed ${isOne ? "it" : "them"}, or a link or address had gone`;
  }
}

const address = ({ data }: { data: { address: string; interface: string } }): string =>
  `${data.address} on ${data.interface}`;

function notificationSentence(event: Of<"notification-delivered" | "notification-failed">): string {
  const { instance, state, channel, target, attempts } = event.data;
  const what = `${channel} ${target} for ${instance} ${state}`;
  const tries = attempts > 1 ? ` at attempt ${attempts}` : "";
  if (event.type === "notification-delivered") {
    return `${what}: done${tries}${event.data.replayed ? " (again, after a restart)" : ""}`;
  }
  return `${what}: failed${tries}${event.data.final ? " for good" : ", will be tried again"}: ${firstLine(event.data.error)}`;
}

function serviceSentence(
  node: string,
  event: Of<"service-started" | "service-stopped" | "service-died" | "events-lost" | "foreign-vrid-seen">,
): string {
  switch (event.type) {
    case "foreign-vrid-seen": {
      const { vrid, interface: device, source, reason } = event.data;
      return `${source} speaks for VRID ${vrid} on ${device}, heard by ${node}${why(reason)}`;
    }
    case "service-started": {
      const { service, pid, restarts } = event.data;
      return `${service} started (pid ${pid}${restarts === 0 ? "" : `, restart ${restarts}`})`;
    }
    case "service-stopped":
      return `${event.data.service} stopped${why(event.data.reason)}`;
    case "service-died":
      return `${event.data.service} (pid ${event.data.pid}) died: ${event.data.exit}`;
    case "events-lost":
      return `${event.data.count} events of ${event.data.service} were lost${why(event.data.reason)}`;
  }
}

/** `2026-03-01 12:00:00.123  r1  sentence`: the clock of the node, in local time of nobody: UTC. */
export function eventLine({ time, node, event }: EventEnvelope): string {
  const at = time.replace("T", " ").replace(/(\.\d{3})\d*/, "$1");
  return `${at}  ${eventSentence(node, event)}`;
}
