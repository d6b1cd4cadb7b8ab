// `baton status` for people: a few lines per instance, what is wrong first to be seen. Pure.
import type { InstanceState, NodeStatus } from "@baton/contracts";
import { balancingLines } from "./balancing-text.ts";
import { span, table } from "./words.ts";

function masterOf(instance: InstanceState): string {
  if (instance.state === "master") return "itself";
  return instance.master === "" ? "none heard" : `${instance.master}, priority ${instance.masterPriority}`;
}

function instanceRows(status: NodeStatus, now: number): string[] {
  if (status.instances.length === 0) return ["no instances"];
  const header = ["INSTANCE", "STATE", "FOR", "PRIORITY", "VRID", "INTERFACE", "MASTER"];
  const rows = status.instances.map((instance) => {
    const { effectivePriority, basePriority } = instance;
    const priority =
      effectivePriority === basePriority ? `${basePriority}` : `${effectivePriority} (base ${basePriority})`;
    return [
      instance.name,
      instance.state,
      instance.since === 0 ? "" : span(now - instance.since),
      priority,
      String(instance.vrid),
      instance.interface,
      masterOf(instance),
    ];
  });
  return [...table([header, ...rows]), ...status.instances.flatMap((instance) => troubles(instance, now))];
}

/** What keeps an instance from doing all that it should. */
function troubles(instance: InstanceState, now: number): string[] {
  const { name, faultCauses, degraded, preemptHeldUntil, staleTrackers } = instance;
  const lines: string[] = [];
  if (faultCauses.length > 0) lines.push(`  ${name} is in fault: ${faultCauses.join(", ")}`);
  if (degraded) lines.push(`  ${name} is degraded: it serves what it can, because nobody else serves anything`);
  if (preemptHeldUntil > now)
    lines.push(`  ${name} has moved too often: no pre-emption for ${span(preemptHeldUntil - now)}`);
  if (staleTrackers.length > 0) lines.push(`  ${name} has stale trackers: ${staleTrackers.join(", ")}`);
  return lines;
}

function addressLines(status: NodeStatus): string[] {
  return status.addresses.flatMap(({ instance, addresses }) =>
    addresses.map(({ address, interface: device, present, error }) => {
      const problem = error === "" ? "" : `: ${error}`;
      return `  ${address} on ${device} (${instance}): ${present ? "here" : "not here"}${problem}`;
    }),
  );
}

function routingLines(status: NodeStatus): string[] {
  return status.addresses.flatMap(({ instance, routing }) =>
    routing.map(({ kind, text, present, error }) => {
      const problem = error === "" ? "" : `: ${error}`;
      return `  ${kind} ${text} (${instance}): ${present ? "here" : "not here"}${problem}`;
    }),
  );
}

const trackerLines = (status: NodeStatus): string[] =>
  status.trackers.map(({ kind, name, status: state, lastExit, value }) => {
    if (kind === "file") return `  file ${name}: ${state === "read" ? value : state}`;
    if (kind === "process") return `  process ${name}: ${state} (${value} running)`;
    const exit = lastExit === "" ? "" : ` (${lastExit})`;
    return `  ${kind} ${name}: ${state}${state === "down" ? exit : ""}`;
  });

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ["", title, ...lines];

/** `now`: CLOCK_BOOTTIME in microseconds. `servers`: every real server too, however many there are. */
export function statusText(status: NodeStatus, now: number, servers = false): string {
  const { node, version, ready, uptimeMicros, config, bus } = status;
  const services = status.services.map(({ name, status: state, pid, restarts }) => [
    `  ${name}`,
    state,
    pid === 0 ? "" : `pid ${pid}`,
    restarts === 0 ? "" : `restarts ${restarts}`,
  ]);
  const waiting = bus === undefined || bus.backlog === 0 ? "" : `, ${bus.backlog} events wait`;
  const lines = [
    `${node}: ${ready ? "ready" : "not ready yet"}, up ${span(uptimeMicros)}, baton ${version}`,
    ...(config === undefined ? [] : [`configuration ${config.generation} from ${config.file}`]),
    `bus ${bus?.connected === true ? "connected" : "away"}${waiting}`,
    "",
    ...instanceRows(status, now),
    ...section("addresses", addressLines(status)),
    ...section("routes and rules", routingLines(status)),
    ...section("trackers", trackerLines(status)),
    ...balancingLines(status, now, servers),
    ...section("services", table(services)),
  ];
  return `${lines.join("\n")}\n`;
}
